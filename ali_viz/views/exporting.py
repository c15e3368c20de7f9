"""Files: export what is there, save and open a session."""

from collections.abc import Callable

import ipywidgets as widgets

from ali_viz.views.appearance import heading, wide

__all__ = ["ExportView"]


class ExportView:
    """Where files go and come from.

    Parameters
    ----------
    on_export, on_save, on_open
        Called on a click with the folder as typed.
    """

    def __init__(
        self,
        *,
        on_export: Callable[[str], None],
        on_save: Callable[[str], None],
        on_open: Callable[[str], None],
    ) -> None:
        self.folder = widgets.Text(
            value="ali-export",
            description="folder",
            tooltip="Files are written into this folder, beside the notebook unless the path is absolute",
            style={"description_width": "44px"},
            layout=wide(),
        )
        self.export = _button(
            "Export",
            "Write what is on screen and the print panels with their numbers, the selected cells, the scores if this "
            "state has been scored, steps as table and as code, the session and the embedding",
        )
        self.save = _button("Save session", "Write session.json: the steps, and which embedding they belong to")
        self.open = _button("Open session", "Read session.json from the folder and carry its steps out again")
        for button, tell in ((self.export, on_export), (self.save, on_save), (self.open, on_open)):
            button.on_click(lambda _, tell=tell: tell(self.folder.value))
        self.widget = widgets.VBox([heading("Files"), self.folder, widgets.HBox([self.export, self.save, self.open])])

    @property
    def buttons(self) -> list[widgets.Button]:
        """What must rest while files are written."""
        return [self.export, self.save, self.open]


def _button(label: str, tooltip: str) -> widgets.Button:
    return widgets.Button(description=label, tooltip=tooltip, layout={"width": "auto", "flex": "1 1 auto"})
