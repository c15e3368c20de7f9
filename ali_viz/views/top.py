"""The bar on top: who chooses, how the samples are laid out, what lies over them, what happened, and files."""

from collections.abc import Callable
from html import escape

import ipywidgets as widgets

from ali_core.projection import LAYOUTS, View
from ali_viz.app.actions import Actions
from ali_viz.app.state import COMPARISONS, LAYERS, Layer, Scene
from ali_viz.picture import tells_groups
from ali_viz.views.controls import box, button, dropdown, html, put, row, switch, toggle
from ali_viz.views.expand import Expand

__all__ = ["TopView"]

MODES = {"automatic": ("Automatic", "Ω chooses the class that moves"), "manual": ("Manual", "You choose the classes")}
COMPARISON_HELP = {
    "start": "Left: the untouched embedding",
    "previous": "Left: the state before the last step",
    "epoch": "Three pictures: before, after the interventions, and what one epoch of training made of them",
}
CONTROL: View = "shuffled_tsne"
SUPERVISED: tuple[View, ...] = ("supervised_tsne", CONTROL)
EXPORT_HELP = (
    "Write what is on screen and the print panels with their numbers, the selected cells, the scores if this state has "
    "been scored, steps as table and as code, the session and the embedding; beside an earlier export, never over it"
)


class TopView:
    """Two rows over the picture.

    Parameters
    ----------
    actions
        What the controls do.
    unfold
        Called with whether the tabs are to be seen.
    """

    def __init__(self, actions: Actions, unfold: Callable[[bool], None]) -> None:
        live = actions.training is not None
        self.mode = switch(
            [(label, mode) for mode, (label, _) in MODES.items()],
            [text for _, text in MODES.values()],
            actions.set_mode.click,
        )
        offered = [view for view in LAYOUTS if view != CONTROL]
        self.layout = switch(
            [(LAYOUTS[view].title, view) for view in offered],
            [LAYOUTS[view].help for view in offered],
            actions.set_view.click,
        )
        self.shuffled = toggle(
            "shuffled labels",
            "The control: the same with shuffled labels. What looks separate there is made by the method",
            lambda on: actions.set_view.click(CONTROL if on else SUPERVISED[0]),
        )
        compared = [key for key in COMPARISONS if live or key != "epoch"]
        self.comparison = switch(
            [(COMPARISONS[key], key) for key in compared],
            [COMPARISON_HELP[key] for key in compared],
            actions.compare_with.click,
        )
        self.files = _Files(actions)
        self.tabs = toggle("tabs", "The tabs on the right: fold them away, or back", unfold, value=True)
        self.expand = Expand()
        self.layers = {key: toggle(*words, self._layer(actions, key)) for key, words in LAYERS.items()}
        columns = [name for name, values in actions.columns.items() if tells_groups(values)]
        self.colour_by = dropdown(
            "colour",
            [("by class", ""), *((name, name) for name in columns)],
            "What colours the points",
            actions.colour_by.click,
            width="170px",
            display="" if columns else "none",
        )
        put(self.colour_by.widget.style, description_width="auto")
        self.words = html(name="ali-line")
        self.progress = html(name="ali-part")
        self.cancel = button("Cancel", "Stop computing this layout", actions.cancel_layout.click)
        self.note = html(name="ali-part")
        parts = [self.mode, self.layout, self.shuffled]
        self.widget = box(
            row(
                *(part.widget for part in parts),
                self.comparison.widget,
                row(self.files.export, self.files.fold.widget, self.tabs.widget, self.expand, name="ali-end"),
                name="ali-bar",
            ),
            self.files.widget,
            row(
                self.words,
                self.progress,
                self.cancel,
                self.note,
                self.colour_by.widget,
                *(layer.widget for layer in self.layers.values()),
                name="ali-told",
            ),
            name="ali-top",
        )

    def update(self, scene: Scene) -> None:
        """Show how the switches stand, and what the app says."""
        state = scene.state
        self.mode.show(state.mode)
        self.layout.show(SUPERVISED[0] if state.view in SUPERVISED else state.view)
        self.shuffled.show(state.view == CONTROL)
        put(self.shuffled.widget.layout, display="" if state.view in SUPERVISED else "none")
        self.comparison.show(state.comparison)
        for key, layer in self.layers.items():
            layer.show(key in state.layers)
        self.colour_by.show("" if state.colouring is None else state.colouring.title)
        put(self.words, value=_line("alert", state.wrong) if state.wrong else _line("status", state.said))
        put(self.progress, value=f'<span class="ali-muted" role="status">{state.progress}</span>')
        put(self.cancel.layout, display="" if state.progress else "none")
        drawn, embedding = len(scene.drawing.rows), scene.session.embedding
        about = f"{escape(embedding.description)}: " if embedding.description else ""
        thinned = f"{about}{drawn:,} of {len(embedding):,} points drawn, some of every class"
        put(self.note, value=f'<span class="ali-muted">{thinned}</span>' if drawn < len(embedding) else "")
        for control in self.files.writing:
            put(control, disabled=bool(scene.busy))

    @staticmethod
    def _layer(actions: Actions, key: Layer) -> Callable[[bool], str]:
        return lambda on: actions.show_layer.click(key, on)


class _Files:
    """Export; and, folded away at first, the folder for files, and a session that is saved or opened there."""

    def __init__(self, actions: Actions) -> None:
        folder = widgets.Text(
            value="ali-export",
            description="folder",
            tooltip="Files are written into this folder, beside the notebook unless the path is absolute",
            style={"description_width": "auto"},
            layout={"width": "auto", "flex": "1 1 auto"},
        )
        self.export = button("Export", EXPORT_HELP, lambda: actions.export.click(folder.value, beside=True))
        save = button(
            "Save session",
            "Write session.json: the steps, and which embedding they belong to",
            lambda: actions.save.click(folder.value),
        )
        load = button(
            "Open session",
            "Read session.json from the folder and carry its steps out again",
            lambda: actions.open.click(folder.value),
        )
        self.writing = (self.export, save, load)
        """What rests while something is under way."""
        self.widget = row(folder, save, load, name="ali-files")
        self.widget.layout.display = "none"
        self.fold = toggle(
            "Files ▾",
            "The folder for files; save and open a session",
            lambda on: put(self.widget.layout, display="" if on else "none"),
        )


def _line(role: str, text: str) -> str:
    """Return what the app says in one line, told to screen readers as well; what does not fit is in its tooltip."""
    shown = escape(text)
    return f'<div class="ali-{role}" role="{role}" title="{shown}">{shown}</div>' if text else ""
