"""The session as Python, to copy."""

import ipywidgets as widgets

from ali_core.interventions import Session
from ali_viz.views.appearance import wide

__all__ = ["CodeView"]


class CodeView:
    """A text field with the code that does the same; it is written when asked for."""

    def __init__(self) -> None:
        self.text = widgets.Textarea(
            rows=16,
            disabled=False,
            tooltip="Python that carries out the same steps: click into it, Ctrl+A, Ctrl+C",
            layout=wide(),
        )
        self.text.add_class("ali-code")
        self.widget = widgets.VBox([self.text])

    def update(self, session: Session) -> None:
        """Show the code of ``session``."""
        self.text.value = session.as_code()
