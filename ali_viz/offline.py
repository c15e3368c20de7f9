"""Settings of plotly under which no button sends data anywhere."""

from typing import Any

__all__ = ["OFFLINE"]

OFFLINE: dict[str, Any] = {"showSendToCloud": False, "plotlyServerURL": "", "displaylogo": False}
