"""Buttons, switches and fields: each tells an action, and shows what holds without telling of it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import ipywidgets as widgets

__all__ = [
    "Control",
    "box",
    "button",
    "close_all",
    "difference",
    "dot",
    "dropdown",
    "heading",
    "html",
    "number",
    "row",
    "slider",
    "switch",
    "toggle",
]

Tell = Callable[..., object]
"""Called with what a person chose; returns why it cannot be, in words, or nothing."""

REFUSED = "ali-refused"
LABEL = "82px"


class Control:
    """A field that a person changes and the app sets.

    Parameters
    ----------
    widget
        With a trait ``value``.
    tell
        Called with the new value when a person has changed it.
    """

    def __init__(self, widget: Any, tell: Tell) -> None:  # noqa: ANN401  # ipywidgets have no types
        self.widget, self._tell, self._showing = widget, tell, False
        widget.observe(self._changed, "value")

    @property
    def value(self) -> Any:  # noqa: ANN401  # of any kind
        """What it shows."""
        return self.widget.value

    def show(self, value: object, **traits: object) -> None:
        """Show ``value``, after other traits such as ``options`` are set; nobody is told."""
        self._showing = True
        try:
            put(self.widget, **traits, value=value)
        finally:
            self._showing = False

    def _changed(self, change: dict[str, Any]) -> None:
        if not self._showing:
            self._tell(change["new"])


def put(widget: Any, **values: object) -> None:  # noqa: ANN401  # ipywidgets have no types
    """Set traits of a widget that differ: then only changes are sent."""
    for name, value in values.items():
        if getattr(widget, name) != value:
            setattr(widget, name, value)


def button(label: str, tooltip: str, tell: Tell, *, style: str = "", grow: bool = False) -> widgets.Button:
    """Return a button; what its action cannot do is said beside it as well."""
    made = widgets.Button(
        description=label,
        tooltip=tooltip,
        button_style=style,
        layout={"width": "auto", "flex": "1 1 auto" if grow else "0 0 auto"},
    )

    def clicked(_: object) -> None:
        wrong = tell()
        if isinstance(wrong, str) and wrong:
            made.tooltip = wrong
            made.add_class(REFUSED)
        elif REFUSED in made._dom_classes:
            made.tooltip = tooltip
            made.remove_class(REFUSED)

    made.on_click(clicked)
    return made


def switch(options: Sequence[tuple[str, str]], tooltips: Iterable[str], tell: Tell) -> Control:
    """Return a row of buttons of which one is on: (label, value) each."""
    made = widgets.ToggleButtons(options=list(options), tooltips=list(tooltips), style={"button_width": "auto"})
    made.add_class("ali-switch")
    return Control(made, tell)


def toggle(label: str, tooltip: str, tell: Tell, *, value: bool = False) -> Control:
    """Return a button that is on or off."""
    made = widgets.ToggleButton(value=value, description=label, tooltip=tooltip, layout={"width": "auto"})
    made.add_class("ali-chip")
    return Control(made, tell)


def dropdown(label: str, options: Sequence[Any], tooltip: str, tell: Tell, **layout: str) -> Control:
    """Return a list to choose from."""
    made = widgets.Dropdown(
        options=list(options),
        description=label,
        tooltip=tooltip,
        style={"description_width": LABEL if label else "0"},
        layout={"width": "auto", "min_width": "0"} | layout,
    )
    return Control(made, tell)


def slider(label: str, top: float, step: float, tooltip: str, tell: Tell) -> Control:
    """Return a slider from 0 to ``top``, or, where ``step`` is 1, of whole numbers from 1."""
    whole = step == 1
    kind = widgets.IntSlider if whole else widgets.FloatSlider
    made = kind(
        min=1 if whole else 0.0,
        max=top,
        step=step,
        description=label,
        description_allow_html=True,
        tooltip=tooltip,
        continuous_update=False,
        readout_format="d" if whole else ".2f",
        style={"description_width": LABEL},
        layout={"width": "auto"},
    )
    return Control(made, tell)


def number(label: str, tooltip: str, tell: Tell, *, width: str, whole: bool = False, **limits: float) -> Control:
    """Return a field for a number; with ``limits``, ``min`` and ``max``, it stays within them."""
    kinds = {
        (False, False): widgets.FloatText,
        (False, True): widgets.BoundedFloatText,
        (True, True): widgets.BoundedIntText,
    }
    made = kinds[whole, bool(limits)](
        description=label,
        tooltip=tooltip,
        style={"description_width": "auto" if label else "0"},
        layout={"width": width, "flex": "0 0 auto"},
        **limits,
    )
    return Control(made, tell)


def html(text: str = "", name: str = "") -> widgets.HTML:
    """Return a widget for text; ``name`` is a class for the style sheet."""
    made = widgets.HTML(text, layout={"width": "auto", "margin": "0"})
    if name:
        made.add_class(name)
    return made


def heading(text: str) -> widgets.HTML:
    """Return a small heading."""
    return html(f'<div class="ali-heading" role="heading" aria-level="3">{text}</div>')


def row(*children: widgets.Widget, name: str = "ali-row") -> widgets.HBox:
    """Return controls beside each other; they wrap where there is no room."""
    made = widgets.HBox(children)
    made.add_class(name)
    return made


def box(*children: widgets.Widget, name: str = "ali-column") -> widgets.VBox:
    """Return controls below each other."""
    made = widgets.VBox(children)
    made.add_class(name)
    return made


def dot(colour: str) -> str:
    """Return a dot in a colour, as HTML."""
    return f'<span class="ali-dot" style="background:{colour}"></span>'


def difference(value: float, digits: int) -> str:
    """Return a difference as an arrow, a sign and its amount, such as ``▼ −0.12``; a dash where there is none."""
    if value != value:  # noqa: PLR0124  # NaN
        return "–"
    if round(abs(value), digits) == 0.0:
        return f"= {0.0:.{digits}f}"
    return f"{'▲ +' if value > 0.0 else '▼ −'}{abs(value):.{digits}f}"


def close_all(widget: widgets.Widget) -> None:
    """Close ``widget`` and all widgets in it."""
    for child in getattr(widget, "children", ()):
        close_all(child)
    for name in ("layout", "style"):
        part = getattr(widget, name, None)
        if isinstance(part, widgets.Widget):
            part.close()
    widget.close()
