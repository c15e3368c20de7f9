"""The line in which the app speaks: what it does, what it did, what went wrong."""

from html import escape

import ipywidgets as widgets

from ali_viz.views.appearance import wide

__all__ = ["MessageView"]


class MessageView:
    """A status line and an alert line; screen readers are told of both."""

    def __init__(self) -> None:
        self.status_line = widgets.HTML(layout=wide())
        self.alert_line = widgets.HTML(layout=wide())
        self.widget = widgets.VBox([self.alert_line, self.status_line])

    def status(self, text: str) -> None:
        """Say what happens or happened."""
        self.status_line.value = f'<div class="ali-status" role="status">{escape(text)}</div>' if text else ""

    def error(self, text: str) -> None:
        """Say what went wrong; an empty text takes it back."""
        self.alert_line.value = f'<div class="ali-alert" role="alert">{escape(text)}</div>' if text else ""
