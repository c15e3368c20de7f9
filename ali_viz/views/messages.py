"""The line in which the app speaks: what it does, what it did, what went wrong."""

from html import escape

import ipywidgets as widgets

from ali_viz.views.appearance import wide

__all__ = ["MessageView"]


class MessageView:
    """A status line and an alert line, told to screen readers as well, and a note on what is drawn."""

    def __init__(self) -> None:
        self.said = ""
        self.status_line = widgets.HTML(layout=wide())
        self.alert_line = widgets.HTML(layout=wide())
        self.note = widgets.HTML(layout={"margin": "0 2px", "flex": "0 0 auto"})
        self.status_line.layout.flex, self.status_line.layout.min_width = "1 1 0%", "0"
        self.status_line.add_class("ali-line")
        lower = widgets.HBox([self.status_line, self.note], layout={"align_items": "center"})
        self.widget = widgets.VBox([self.alert_line, lower])

    def status(self, text: str) -> None:
        """Say what happens or happened, in one line; what does not fit is in its tooltip."""
        self.said = text
        shown = escape(text)
        self.status_line.value = f'<div class="ali-status" role="status" title="{shown}">{shown}</div>' if text else ""

    def picture(self, note: str) -> None:
        """Say what is drawn."""
        self.note.value = f'<span class="ali-muted">{escape(note)}</span>'

    def error(self, text: str) -> None:
        """Say what went wrong, and nothing beside it; an empty text takes it back."""
        if text:
            self.status("")
        self.alert_line.value = f'<div class="ali-alert" role="alert">{escape(text)}</div>' if text else ""
