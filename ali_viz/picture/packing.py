"""A scene as a page takes it: words and numbers as JSON, one table, and arrays that are sent once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ali_core.projection import Places
from ali_viz.picture.scene import Pane, PictureScene

__all__ = ["Packed", "Sent", "packed"]

Kind = Literal["points", "bytes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An array for the page: its number there, what its numbers are, and what it was made of."""

    number: int
    kind: Kind
    data: memoryview
    source: object
    """Held, so that no other object can get its identity."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Cloud:
    """Which samples are drawn: ``rows`` (n,) class after class, those without one last, and how many of each (C,)."""

    number: int
    source: tuple[NDArray[np.int64], NDArray[np.int64]]
    rows: NDArray[np.int64]
    counts: NDArray[np.int64]

    def place_of(self, row: int) -> tuple[int, int] | None:
        """Return class code and place within the class of a sample; None when it is not drawn."""
        found = np.flatnonzero(self.rows == row)
        if not len(found):
            return None
        ends = np.cumsum(self.counts)
        code = int(np.searchsorted(ends, found[0], side="right"))
        return code, int(found[0] - ends[code] + self.counts[code])


@dataclass(frozen=True, kw_only=True, eq=False)
class Packed:
    """A packed scene.

    Attributes
    ----------
    scene
        All but arrays, as JSON takes it.
    table
        What moves the points of each class of each layer: rows of factor, x and y (k, 3), float64.
    arrays
        By what they were made of: a kind of use, an identity, and the number of the cloud.
    cloud
        Whose points they are.
    """

    scene: dict[str, Any]
    table: NDArray[np.float64]
    arrays: dict[tuple[str, int, int], Sent]
    cloud: Cloud


def packed(scene: PictureScene, before: Packed | None) -> Packed:
    """Pack ``scene``; what it shares with the scene ``before`` keeps its numbers."""
    packing = _Packing(before)
    cloud = packing.cloud(scene)
    (left, right), (bottom, top) = scene.limits
    n_classes = len(cloud.counts)
    chosen = tint = palette = bar = None
    if scene.lassoed is not None:
        lassoed = scene.lassoed
        chosen = packing.number("chosen", lassoed, "bytes", lambda: np.isin(cloud.rows, lassoed).view(np.uint8), cloud)
    if (colouring := scene.colouring) is not None:
        tint = packing.number("tint", colouring, "bytes", lambda: colouring.tints[cloud.rows], cloud)
        palette = packing.number("palette", colouring, "bytes", lambda: colouring.palette)
        bar = {"title": colouring.title, "range": colouring.range}
    content = {
        "panes": [packing.pane(pane, n_classes) for pane in scene.panes],
        "limits": [left, right, bottom, top],
        "equalUnits": scene.equal_units,
        "axisNames": list(scene.axis_names),
        "selected": sorted(int(code) for code in scene.selected),
        "chosen": chosen,
        "tint": tint,
        "palette": palette,
        "bar": bar,
        "marked": None if scene.marked is None else cloud.place_of(scene.marked),
        "names": scene.names,
        "cloud": {"id": cloud.number, "counts": cloud.counts.tolist()},
    }
    table = np.concatenate(packing.rows) if packing.rows else np.empty((0, 3))
    return Packed(scene=content, table=table, arrays=packing.arrays, cloud=cloud)


class _Packing:
    """Collects arrays and rows of the table while one scene is packed."""

    def __init__(self, before: Packed | None) -> None:
        self.before = before
        self.known = {} if before is None else before.arrays
        self.next = 1 + max((sent.number for sent in self.known.values()), default=0)
        self.arrays: dict[tuple[str, int, int], Sent] = {}
        self.rows: list[NDArray[np.float64]] = []

    def cloud(self, scene: PictureScene) -> Cloud:
        """Return the cloud of ``scene``, the one before when it has the same samples."""
        n_classes = max((len(pane.places.parts) for pane in scene.panes), default=0)
        if self.before is not None:
            old = self.before.cloud
            same = zip(old.source, (scene.rows, scene.labels), strict=True)
            if len(old.counts) == n_classes and all(a is b or np.array_equal(a, b) for a, b in same):
                return old
        codes = scene.labels % n_classes
        order = np.argsort(codes, kind="stable")
        return Cloud(
            number=1 if self.before is None else self.before.cloud.number + 1,
            source=(scene.rows, scene.labels),
            rows=scene.rows[order],
            counts=np.bincount(codes, minlength=n_classes),
        )

    def pane(self, pane: Pane, n_classes: int) -> dict[str, Any]:
        arrows = [[arrow.code, *arrow.tail, *arrow.head, int(arrow.planned)] for arrow in pane.arrows]
        rings = [[code, *place] for code, place in pane.rings.items()]
        return {
            "title": pane.title,
            "now": self.layer(pane.places, range(n_classes)),
            "old": None if pane.old is None else self.layer(pane.old, pane.old_codes),
            "planned": None if pane.planned is None else self.layer(pane.planned, pane.planned_codes),
            "arrows": [[float(value) for value in arrow] for arrow in arrows if np.isfinite(arrow).all()],
            "rings": [[int(ring[0]), float(ring[1]), float(ring[2])] for ring in rings if np.isfinite(ring).all()],
        }

    def layer(self, places: Places, codes: Iterable[int]) -> dict[str, Any]:
        there = [(int(code), part) for code in codes if (part := places.parts[code]) is not None]
        at = sum(map(len, self.rows))
        self.rows.append(places.table[[code for code, _ in there]])
        parts = [self.number("part", part, "points", partial(getattr, part, "points")) for _, part in there]
        return {"codes": [code for code, _ in there], "parts": parts, "at": at}

    def number(
        self,
        use: str,
        source: object,
        kind: Kind,
        make: Callable[[], NDArray[Any]],
        cloud: Cloud | None = None,
    ) -> int:
        """Return the number of the array made of ``source``; it is made when the page does not hold it yet."""
        key = (use, id(source), 0 if cloud is None else cloud.number)
        if key not in self.arrays:
            known = self.known.get(key)
            if known is None:
                data = np.ascontiguousarray(make()).data.cast("B")
                known = Sent(number=self.next, kind=kind, data=data, source=source)
                self.next += 1
            self.arrays[key] = known
        return self.arrays[key].number
