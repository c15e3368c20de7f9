"""Buttons that rest while files are written."""

from collections.abc import Iterator
from contextlib import contextmanager

from ali_core.interventions import Session
from ali_viz.views.desk import Desk

__all__ = ["resting"]


@contextmanager
def resting(desk: Desk, session: Session) -> Iterator[None]:
    """Let the buttons of ``desk`` rest while the block runs."""
    desk.rest(session, working=True)
    try:
        yield
    finally:
        desk.rest(session, working=False)
