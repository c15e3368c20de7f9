"""``python -m ali_core`` is the command ``ali``."""

from ali_core.cli import main

main()
