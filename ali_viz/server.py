"""A server in another process, on this machine, until Ctrl-C."""

import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence

__all__ = ["free_port", "run_server"]

STOP_SECONDS = 5


def run_server(
    command: Sequence[str], environment: Mapping[str, str], started: Callable[[], None] | None = None
) -> int:
    """Run a server and wait until it ends; Ctrl-C ends it and is no failure.

    Parameters
    ----------
    command
        Program and arguments.
    environment
        Of the server, whole.
    started
        Called once the process runs; it must not wait for the server.

    Returns
    -------
    int
        Exit status of the server; 0 when it was stopped with Ctrl-C.
    """
    process = subprocess.Popen(command, env=environment)  # noqa: S603  # our own command
    try:
        if started is not None:
            started()
        return process.wait()
    except KeyboardInterrupt:
        return _stopped(process)


def free_port() -> int:
    """Return a port on which nothing on this machine listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _stopped(process: subprocess.Popen[bytes]) -> int:
    """Wait for the end after Ctrl-C, which the server has heard as well; insist when it does not come."""
    for insist in (lambda: None, lambda: process.send_signal(signal.SIGTERM), process.kill):
        insist()
        try:
            process.wait(timeout=STOP_SECONDS)
            break
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            continue
    return 0
