"""The one exception that tells a user what to change."""

__all__ = ["AliError"]


class AliError(ValueError):
    """Input that cannot be used; its message names the value, the rule and the remedy in one line."""
