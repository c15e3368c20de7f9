"""The session as Python, to copy."""

import ipywidgets as widgets

from ali_viz.app.state import Scene
from ali_viz.views.controls import box, put

__all__ = ["CodeView"]


class CodeView:
    """A text field with the code that does the same."""

    name = "Code"

    def __init__(self) -> None:
        self.text = widgets.Textarea(
            rows=24,
            tooltip="Python that carries out the same steps: click into it, Ctrl+A, Ctrl+C",
            layout={"width": "auto"},
        )
        self.text.add_class("ali-code")
        self.widget = box(self.text)

    def update(self, scene: Scene) -> None:
        """Show the code of the session."""
        put(self.text, value=scene.session.as_code(session_file="session.json"))
