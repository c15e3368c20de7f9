"""Export: a folder name and a button."""

from collections.abc import Callable

import ipywidgets as widgets

from ali_viz.views.appearance import heading, wide

__all__ = ["ExportView"]


class ExportView:
    """Where files go.

    Parameters
    ----------
    on_export
        Called on a click with the folder as typed.
    """

    def __init__(self, *, on_export: Callable[[str], None]) -> None:
        self.folder = widgets.Text(
            value="ali-export",
            description="folder",
            tooltip="Files are written into this folder, beside the notebook unless the path is absolute",
            style={"description_width": "44px"},
            layout={"width": "auto", "min_width": "0", "flex": "1 1 0%"},
        )
        self.export = widgets.Button(
            description="Export",
            tooltip="Write the print panels, their numbers, the scores, the session and the embedding",
            layout={"flex": "0 0 76px"},
        )
        self.export.on_click(lambda _: on_export(self.folder.value))
        self.widget = widgets.VBox([heading("Export"), widgets.HBox([self.folder, self.export], layout=wide())])

    @property
    def buttons(self) -> list[widgets.Button]:
        """What must rest while the app works."""
        return [self.export]
