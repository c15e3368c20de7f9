"""2-D layouts of an embedding, aligned between states: one table of them, and how each is computed.

`ParametricTSNE` is looked up when first used, so that importing this package does not import torch.
"""

from typing import TYPE_CHECKING, Any

from ali_core.projection.alignment import RigidMotion, aligned, rigid_motion, stayed
from ali_core.projection.layouts import Layout, layout, project
from ali_core.projection.linear import PlaneFrame, plane_through, principal_plane
from ali_core.projection.places import FoldedPlane, Part, Places
from ali_core.projection.pull_back import pull_back
from ali_core.projection.specs import LAYOUTS, VIEW_WORDS, VIEWS, LayoutSpec, View, is_map, uses_labels
from ali_core.projection.supervision import weaken_between_classes

if TYPE_CHECKING:
    from ali_core.projection.parametric import ParametricTSNE

__all__ = [
    "LAYOUTS",
    "VIEWS",
    "VIEW_WORDS",
    "FoldedPlane",
    "Layout",
    "LayoutSpec",
    "ParametricTSNE",
    "Part",
    "Places",
    "PlaneFrame",
    "RigidMotion",
    "View",
    "aligned",
    "is_map",
    "layout",
    "plane_through",
    "principal_plane",
    "project",
    "pull_back",
    "rigid_motion",
    "stayed",
    "uses_labels",
    "weaken_between_classes",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401  # a class
    if name != "ParametricTSNE":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ali_core.projection.parametric import ParametricTSNE  # noqa: PLC0415  # torch is slow to import

    return ParametricTSNE
