"""The widget of the picture: sends what is to be seen, tells what a person did.

Synopsis::

    picture = Picture(class_styles(names), order=range(len(names)), on_point=print)
    picture.show(PictureScene(rows=rows, labels=labels, panes=(Pane(title="Now", places=places),), limits=limits))
    picture                                   # in a notebook cell
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import anywidget
import numpy as np
import traitlets
from numpy.typing import NDArray

from ali_viz.limits import Limits
from ali_viz.picture.modules import as_one_module
from ali_viz.picture.packing import Packed, packed
from ali_viz.picture.scene import PictureScene
from ali_viz.theme import UNLABELLED, ClassStyle, is_faint

__all__ = ["Details", "How", "Picture"]

How = Literal["replace", "add", "remove"]
Tool = Literal["lasso", "box", "pan", "zoom"]

FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Details:
    """What a tip tells of a sample beside its class.

    Attributes
    ----------
    lines
        Names and values, such as its id and its metadata.
    png
        Its picture as the bytes of a PNG file, if there is one.
    """

    lines: tuple[tuple[str, str], ...] = ()
    png: bytes | None = None


def _nothing(*_: object) -> None:
    """Do nothing."""


class Picture(anywidget.AnyWidget):
    """States of labelled samples side by side, drawn by the graphics card.

    Parameters
    ----------
    styles
        Of each class, by class code; where some samples have none, theirs is the last,
        :data:`~ali_viz.theme.UNLABELLED`. No name stands beside these.
    order
        Codes of the classes in which they are drawn; later ones lie on top.
    on_lasso
        Told the rows of the samples in a lasso or box (sorted), and how they change a selection.
    on_point
        Told the row of a sample that was clicked, and how.
    on_name
        Told the code of a class whose name was clicked, and how.
    on_clear
        Told of Escape and of a double click.
    on_drag
        Told the code of a class and where its ring was dropped, in data.
    on_hover
        Told the row of the sample under the mouse when it rests, None when there is none.
    details
        Asked for what the tip of a sample says, by its row.

    Attributes
    ----------
    camera
        (left, right, bottom, top) of what every pane shows at least; None for the limits of the scene.
    tool
        What the left button does on the plane: ``lasso``, ``box``, ``pan``, ``zoom``.
    motion
        Whether points glide to new places; never when the browser prefers reduced motion.
    problem
        What the browser cannot do; empty when all is well.

    Notes
    -----
    A scene is sent as one message: tables of three numbers a class, and those arrays that the browser does not hold
    yet. Which it holds is known by identity, so the same :class:`~ali_core.projection.Part` is sent once. A page
    opened later asks for everything by itself. :meth:`show` may be called in any thread.
    """

    _esm = as_one_module(FOLDER / "picture.js")
    _css = (FOLDER / "picture.css").read_text(encoding="utf-8")

    _classes: Any = traitlets.List().tag(sync=True)
    _order: Any = traitlets.List().tag(sync=True)
    camera = traitlets.Tuple(*[traitlets.Float()] * 4, allow_none=True, default_value=None).tag(sync=True)
    tool = traitlets.Enum(get_args(Tool), default_value="lasso").tag(sync=True)
    motion = traitlets.Bool(True).tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        styles: Sequence[ClassStyle],
        *,
        order: Iterable[int],
        on_lasso: Callable[[NDArray[np.int64], How], object] = _nothing,
        on_point: Callable[[int, How], object] = _nothing,
        on_name: Callable[[int, How], object] = _nothing,
        on_clear: Callable[[], object] = _nothing,
        on_drag: Callable[[int, tuple[float, float]], object] = _nothing,
        on_hover: Callable[[int | None], object] = _nothing,
        details: Callable[[int], Details] | None = None,
    ) -> None:
        classes = [
            {
                "label": style.label,
                "colour": style.colour,
                "shape": style.symbol.removesuffix("-open"),
                "filled": style.filled,
                "rimmed": is_faint(style.colour),
                "named": style is not UNLABELLED,
            }
            for style in styles
        ]
        layout = {"width": "100%", "height": "520px"}
        super().__init__(_classes=classes, _order=[int(code) for code in order], layout=layout)
        self._lock = threading.RLock()
        self._scene: PictureScene | None = None
        self._packed: Packed | None = None
        self._asked, self._version = False, 0
        self._details, self._on_hover = details, on_hover
        self._ears: dict[str, Callable[[dict[str, Any], list[memoryview]], object]] = {
            "lasso": lambda told, buffers: on_lasso(self._marked(buffers[0]), told["how"]),
            "point": lambda told, _: on_point(self._row(told["index"]), told["how"]),
            "name": lambda told, _: on_name(told["code"], told["how"]),
            "clear": lambda _told, _: on_clear(),
            "drag": lambda told, _: on_drag(told["code"], (float(told["place"][0]), float(told["place"][1]))),
            "hover": lambda told, _: self._hovered(told["index"]),
        }
        self.on_msg(self._heard)

    @property
    def limits(self) -> Limits:
        """What is shown now: (left, right), (bottom, top); where units are equal the browser may show more."""
        if self.camera is not None:
            left, right, bottom, top = self.camera
            return (left, right), (bottom, top)
        return ((0.0, 1.0), (0.0, 1.0)) if self._scene is None else self._scene.limits

    # From Python to the browser ------------------------------------------------------------------------------------

    def show(self, scene: PictureScene, *, moving: bool = True) -> None:
        """Show ``scene``; with ``moving``, points glide from where they are, if :attr:`motion` is on."""
        with self._lock:
            before, self._packed, self._scene = self._packed, packed(scene, self._packed), scene
            self._version += 1
            if self._asked:
                self._send_scene(before, moving=moving)

    def _send_scene(self, before: Packed | None, *, moving: bool) -> None:
        """Send the scene, without the arrays that came with ``before``."""
        now = self._packed
        if now is None:
            return
        held = set() if before is None else {sent.number for sent in before.arrays.values()}
        new = [sent for sent in now.arrays.values() if sent.number not in held]
        content = {
            "kind": "show",
            "version": self._version,
            "moving": moving,
            "scene": now.scene,
            "arrays": [{"id": sent.number, "kind": sent.kind} for sent in new],
            "kept": [sent.number for sent in now.arrays.values()],
        }
        self.send(content, [now.table.tobytes(), *(sent.data for sent in new)])

    # From the browser to Python ------------------------------------------------------------------------------------

    def _heard(self, _widget: object, told: dict[str, Any], buffers: list[memoryview]) -> None:
        """Tell what a person did; what concerns samples that are drawn no more is dropped."""
        if told["kind"] == "hello":
            with self._lock:
                self._asked = True
                self._send_scene(None, moving=False)
        elif self._packed is not None and told["cloud"] == self._packed.cloud.number:
            self._ears[told["kind"]](told, buffers)

    def _row(self, index: int) -> int:
        """Return the row of the drawn sample with this number."""
        assert self._packed is not None  # noqa: S101  # told of a scene
        return int(self._packed.cloud.rows[index])

    def _marked(self, bits: memoryview) -> NDArray[np.int64]:
        """Return the rows of the samples whose bits are set, sorted."""
        assert self._packed is not None  # noqa: S101  # told of a scene
        rows = self._packed.cloud.rows
        marks = np.unpackbits(np.frombuffer(bits, np.uint8), count=len(rows))
        return np.sort(rows[marks.astype(bool)])

    def _hovered(self, index: int | None) -> None:
        self._on_hover(None if index is None else self._row(index))
        if index is None or self._details is None or self._packed is None:
            return
        found = self._details(self._row(index))
        key = f"{self._packed.cloud.number} {index}"
        content = {"kind": "details", "key": key, "lines": [list(line) for line in found.lines]}
        self.send(content, [] if found.png is None else [found.png])
