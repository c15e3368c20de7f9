"""The button that shows the app on the whole screen."""

from pathlib import Path

import anywidget

__all__ = ["Expand"]


class Expand(anywidget.AnyWidget):
    """In JupyterLab a new view of the output, elsewhere the whole screen."""

    _esm = (Path(__file__).parent / "expand.js").read_text("utf-8")
