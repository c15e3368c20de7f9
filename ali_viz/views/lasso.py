"""What a lasso, a box or a click chooses."""

from collections.abc import Mapping
from typing import Literal

__all__ = ["How", "how", "lassoed_classes"]

How = Literal["replace", "add", "remove"]


def how(modifiers: frozenset[str]) -> How:
    """Return how a choice changes the selection: Alt removes, Shift, Ctrl and Cmd (``meta``) add."""
    return "remove" if "alt" in modifiers else "add" if modifiers else "replace"


def lassoed_classes(inside: Mapping[int, int], drawn: Mapping[int, int]) -> list[int]:
    """Return the classes that a lasso selects.

    Parameters
    ----------
    inside
        Points in the lasso by class code.
    drawn
        Drawn points by class code.

    Returns
    -------
    list of int
        Classes with at least half of their drawn points in the lasso, by code; if there is none, the class with
        most points in it.
    """
    half = sorted(code for code, count in inside.items() if 2 * count >= drawn[code])
    if half or not inside:
        return half
    return [max(inside, key=lambda code: (inside[code], -code))]
