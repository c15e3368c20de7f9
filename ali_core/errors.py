"""The one exception that tells a user what to change."""

import re

__all__ = ["AliError"]

MOST_WORD, MOST = 240, 2000
"""Letters of one word, and of all, that a message shows: a value from a file may be of any length."""


class AliError(ValueError):
    """Input that cannot be used; its message names the value, the rule and the remedy in one line.

    Parameters
    ----------
    message
        Words without a space of more than 240 letters, and messages of more than 2,000, are clipped.
    """

    def __init__(self, message: str) -> None:
        words = re.sub(rf"\S{{{MOST_WORD},}}", lambda found: f"{found[0][: MOST_WORD // 2]}…{found[0][-20:]}", message)
        super().__init__(words if len(words) <= MOST else f"{words[: MOST - 200]} … {words[-180:]}")
