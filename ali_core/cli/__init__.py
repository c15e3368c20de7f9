"""The command ``ali``."""

from ali_core.cli.app import main

__all__ = ["main"]
