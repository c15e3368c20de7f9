"""Strengths of the four transforms, number of neighbours, and the presets that fill them."""

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from ali_core.interventions import PRESETS, InterventionSettings, preset
from ali_viz.views.appearance import heading, quiet, wide

__all__ = ["CUSTOM", "StrengthsView", "preset_of"]

CUSTOM = "custom"
SLIDERS: dict[str, tuple[str, float, float, str]] = {
    "contract": (
        "contract λ<sub>c</sub>",
        1.0,
        0.01,
        "λ_c: the share of the way to its class center that each sample goes; 0 leaves it, 1 puts it on the center",
    ),
    "rotate": (
        "rotate λ<sub>r</sub>",
        1.0,
        0.01,
        "λ_r: how far the class is turned about the origin away from its neighbours; 1 is the opposite side",
    ),
    "shift": (
        "shift λ<sub>s</sub>",
        8.0,
        0.05,
        "λ_s: how far the class is shifted away from its neighbours, in units of its own spread",
    ),
    "shift_mix": (
        "mix γ",
        1.0,
        0.05,
        "γ: direction of the shift; 1 straight away from the neighbours, 0 at right angles to the lines between them",
    ),
}
UNITS = "λ<sub>c</sub>, γ: shares; λ<sub>r</sub>: share of a half turn; λ<sub>s</sub>: spreads of the class"
PRESET_HELP = """Strengths, n and number of steps of the paper's Table I, for this dimension
c: contract
c,s: contract, and shift straight away from the neighbours
c,r: contract and rotate
c,s,os: contract, and shift partly at right angles to the neighbours (ortho-shift)
c,s,r: contract, shift straight and rotate
all: contract, shift, ortho-shift and rotate
custom: what the sliders say, when that is none of these"""
PRESET_FIELDS = ("contract", "rotate", "shift", "shift_mix", "n_neighbours")


def preset_of(settings: InterventionSettings, dim: int) -> str:
    """Return the name of the preset with these strengths and neighbours, or ``custom``."""
    for name in PRESETS:
        known = preset(name, dim)
        if all(getattr(settings, field) == getattr(known, field) for field in PRESET_FIELDS):
            return name
    return CUSTOM


class StrengthsView:
    """Sliders for λ_c, λ_r, λ_s, γ and n, and a list of presets.

    Parameters
    ----------
    dim
        Dimensions of the embedding; presets differ between 2 and more.
    n_others
        Most neighbours there are: the classes with samples, less one.
    on_change
        Called with the settings that change, by name.
    """

    def __init__(self, *, dim: int, n_others: int, on_change: Callable[[dict[str, Any]], None]) -> None:
        self._dim, self._tell, self._quiet = dim, on_change, quiet()
        self.preset = widgets.Dropdown(
            options=[*PRESETS, CUSTOM],
            description="preset",
            tooltip=PRESET_HELP,
            style={"description_width": "82px"},
            layout=wide(),
        )
        self.sliders = {name: _slider(*parts) for name, parts in SLIDERS.items()}
        self.n_neighbours = widgets.IntSlider(
            min=1,
            max=max(n_others, 1),
            description="nearest n",
            tooltip="How many nearest classes a class moves away from",
            continuous_update=False,
            style={"description_width": "82px"},
            layout=wide(),
        )
        self.preset.observe(self._preset_chosen, "value")
        for name, slider in (*self.sliders.items(), ("n_neighbours", self.n_neighbours)):
            slider.observe(lambda change, name=name: self._moved(name, change["new"]), "value")
        units = widgets.HTML(f'<div class="ali-muted ali-small">{UNITS}</div>', layout=wide())
        self.widget = widgets.VBox(
            [heading("Strengths"), self.preset, *self.sliders.values(), self.n_neighbours, units]
        )

    @property
    def fields(self) -> dict[str, Any]:
        """The controls, by what they set; they rest while steps cannot be taken."""
        return {"preset": self.preset, **self.sliders, "n_neighbours": self.n_neighbours}

    def update(self, settings: InterventionSettings) -> None:
        """Show ``settings``; a value beyond a slider lengthens the slider."""
        with self._quiet:
            self.preset.value = preset_of(settings, self._dim)
            for name, slider in self.sliders.items():
                value = getattr(settings, name)
                slider.max = max(slider.max, value)
                slider.value = value
            self.n_neighbours.value = min(settings.n_neighbours, self.n_neighbours.max)

    def _moved(self, name: str, value: float) -> None:
        if not self._quiet.active:
            self._tell({name: value})

    def _preset_chosen(self, change: dict[str, Any]) -> None:
        if self._quiet.active or change["new"] == CUSTOM:
            return
        known = preset(change["new"], self._dim)
        self._tell({field: getattr(known, field) for field in (*PRESET_FIELDS, "n_iterations")})


def _slider(label: str, top: float, step: float, tooltip: str) -> widgets.FloatSlider:
    return widgets.FloatSlider(
        min=0.0,
        max=top,
        step=step,
        description=label,
        description_allow_html=True,
        tooltip=tooltip,
        continuous_update=False,
        readout_format=".2f",
        style={"description_width": "82px"},
        layout=wide(),
    )
