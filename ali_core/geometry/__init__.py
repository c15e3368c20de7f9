"""Affine maps and plane rotations: no classes, no networks."""

from ali_core.geometry.affine import AffineMap
from ali_core.geometry.rotation import PlaneRotation, SpanRotation, plane_rotation, rotation_away, rotations_away

__all__ = ["AffineMap", "PlaneRotation", "SpanRotation", "plane_rotation", "rotation_away", "rotations_away"]
