"""A page of thumbnails as one picture, and which of them is at a place of it."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

__all__ = ["COLUMNS", "PER_PAGE", "TILE_PX", "Tile", "as_png", "draw_sheet", "tile_at"]

COLUMNS, PER_PAGE = 4, 24
TILE_PX, FRAME, STRIP, GAP = 60, 2, 13, 4
WIDTH, HEIGHT = TILE_PX + 2 * FRAME, TILE_PX + FRAME + STRIP
FONT_PX, RING = 11, 5
BLANK, FAINT = "#d0d3d9", "#444a55"


@dataclass(frozen=True, kw_only=True, eq=False)
class Tile:
    """One thumbnail.

    Parameters
    ----------
    picture
        Shape (60, 60, 3), uint8; None when there is none, and the tile says so.
    colour
        Of the class, ``#rrggbb``: the frame.
    number
        Written below the picture.
    marked
        Whether a ring is drawn around the picture, white in black.
    """

    picture: NDArray[np.uint8] | None
    colour: str
    number: int
    marked: bool = False


def draw_sheet(tiles: Sequence[Tile]) -> bytes:
    """Return the tiles, four in a row, as a PNG on transparent ground; nothing for no tile."""
    if not tiles:
        return b""
    n_rows = -(-len(tiles) // COLUMNS)
    columns = min(len(tiles), COLUMNS)
    sheet = Image.new("RGBA", (columns * (WIDTH + GAP) - GAP, n_rows * (HEIGHT + GAP) - GAP), (0, 0, 0, 0))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=FONT_PX)
    for place, tile in enumerate(tiles):
        left, top = _corner(place)
        pen.rectangle((left, top, left + WIDTH - 1, top + HEIGHT - 1), fill=tile.colour)
        box = (left + FRAME, top + FRAME, left + FRAME + TILE_PX - 1, top + FRAME + TILE_PX - 1)
        if tile.picture is None:
            pen.rectangle(box, fill=BLANK)
            middle = (left + WIDTH // 2, top + FRAME + TILE_PX // 2)
            pen.text(middle, "no picture", fill=FAINT, font=font, anchor="mm")
        else:
            sheet.paste(Image.fromarray(tile.picture), (left + FRAME, top + FRAME))
        if tile.marked:
            pen.rectangle(box, outline="#000000", width=RING)
            pen.rectangle([box[0] + 1, box[1] + 1, box[2] - 1, box[3] - 1], outline="#ffffff", width=RING - 2)
        below = (left + WIDTH // 2, top + FRAME + TILE_PX + STRIP // 2)
        pen.text(below, str(tile.number), fill=_ink(tile.colour), font=font, anchor="mm")
    return _png(sheet)


def tile_at(x: float, y: float, n_tiles: int) -> int | None:
    """Return the place of the tile at pixel (x, y) of a sheet of ``n_tiles``, from 0; None between or beside them."""
    column, row = int(x // (WIDTH + GAP)), int(y // (HEIGHT + GAP))
    place = row * COLUMNS + column
    inside = x - column * (WIDTH + GAP) < WIDTH and y - row * (HEIGHT + GAP) < HEIGHT
    return place if inside and 0 <= column < COLUMNS and 0 <= place < n_tiles else None


def as_png(picture: NDArray[np.uint8]) -> bytes:
    """Return a picture of shape (H, W, 3) as a PNG."""
    return _png(Image.fromarray(picture))


def _corner(place: int) -> tuple[int, int]:
    row, column = divmod(place, COLUMNS)
    return column * (WIDTH + GAP), row * (HEIGHT + GAP)


def _ink(colour: str) -> str:
    """Return black or white, whichever stands out better from ``colour`` (relative luminance of WCAG 2)."""
    channels = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255.0
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ np.array([0.2126, 0.7152, 0.0722]))
    return "#000000" if (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) else "#ffffff"


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()
