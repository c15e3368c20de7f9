"""The picture of the Studio: points in one WebGL2 canvas, names and arrows in SVG above it; no build, no network."""

from ali_viz.picture.colours import Colouring, colour_columns, colouring, tells_groups
from ali_viz.picture.picture import Details, How, Picture
from ali_viz.picture.scene import Arrow, Pane, PictureScene

__all__ = [
    "Arrow",
    "Colouring",
    "Details",
    "How",
    "Pane",
    "Picture",
    "PictureScene",
    "colour_columns",
    "colouring",
    "tells_groups",
]
