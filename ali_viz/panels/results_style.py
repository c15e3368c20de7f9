"""Which bars stand side by side in the figure of the results, their colours and names."""

from dataclasses import dataclass

import pandas as pd
from matplotlib.colors import to_rgb

__all__ = ["Slot", "slots"]

COLOURS = {("pali", False): "#0072b2", ("ali", False): "#c23b22", ("ali", True): "#e69f00"}
"""By loss, and whether it has no triplet margin loss (w = 1), as in the paper."""
SPARE = ("#009e73", "#8a5aa8", "#56b4e9", "#6b6b2f", "#cc79a7")
"""For further weights."""
PALE = 0.42
"""Share of the colour that bars without class weights keep; the rest is white."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in every group of bars.

    Parameters
    ----------
    loss, weight, class_weights
        What its bars have in common.
    name
        Of the legend.
    colour
        Red, green and blue.
    """

    loss: str
    weight: float
    class_weights: bool
    name: str
    colour: tuple[float, float, float]

    def of(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return its rows of a table."""
        same_loss = (table["loss"] == self.loss) & (table["weight"] == self.weight)
        return table[same_loss & (table["class_weights"] == self.class_weights)]


def slots(bars: pd.DataFrame) -> list[Slot]:
    """Return the places that groups have: PALI, ALI, ALI without TML, each without and with class weights if used."""
    spare = iter(SPARE)
    taken: set[tuple[str, bool]] = set()
    shades = sorted(bars["class_weights"].unique())
    found = []
    for loss, weight in _series(bars):
        family = (loss, weight == 1.0)
        first = family not in taken and family in COLOURS
        taken.add(family)
        colour = to_rgb(COLOURS[family] if first else next(spare, "#555555"))
        several = sum((one, at == 1.0) == family for one, at in _series(bars)) > 1
        name = loss.upper() + (" without TML" if family[1] else f", w = {weight:g}" if several else "")
        for with_weights in shades:
            share = 1.0 if with_weights else PALE
            red, green, blue = (1.0 - share * (1.0 - part) for part in colour)
            text = f"{name}, class weights" if with_weights else name
            found.append(Slot(loss, weight, bool(with_weights), text, (red, green, blue)))
    return found


def _series(bars: pd.DataFrame) -> list[tuple[str, float]]:
    pairs = bars[["loss", "weight"]].drop_duplicates()
    return sorted(zip(pairs["loss"], pairs["weight"], strict=True), key=lambda pair: (pair[0] != "pali", pair))
