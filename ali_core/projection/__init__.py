"""What is drawn in 2-D: first dimensions, PCA, t-SNE, supervised t-SNE, aligned between states."""

from ali_core.projection.alignment import RigidMotion, aligned, rigid_motion, stayed
from ali_core.projection.layouts import VIEWS, Layout, View, layout, project, uses_labels
from ali_core.projection.linear import PlaneFrame, plane_through, principal_plane
from ali_core.projection.supervision import weaken_between_classes

__all__ = [
    "VIEWS",
    "Layout",
    "PlaneFrame",
    "RigidMotion",
    "View",
    "aligned",
    "layout",
    "plane_through",
    "principal_plane",
    "project",
    "rigid_motion",
    "stayed",
    "uses_labels",
    "weaken_between_classes",
]
