"""Run a module as a program, and end it when the process that started it has ended.

``python -m ali_viz.watched MODULE ARGUMENTS``: standard input is a pipe from that process. The system closes it when
the process ends, in whatever way, on every system; this process then ends itself as if it had been asked to.
"""

import os
import runpy
import signal
import sys
import threading
import time

__all__ = ["main"]

SECONDS = 10
"""How long a server has to end its kernels before it is ended."""


def main() -> None:
    """Run the module that the arguments name."""
    threading.Thread(target=_end_with_the_parent, args=(sys.stdin.fileno(),), daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _end_with_the_parent(pipe: int) -> None:
    while os.read(pipe, 1024):
        continue
    if os.name == "posix":  # elsewhere it would be no request: it ends a process at once, as below
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
