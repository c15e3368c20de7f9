"""Image files into RGB arrays, without trusting them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from ali_core.errors import AliError

__all__ = ["IMAGE_SUFFIXES", "MAX_PIXELS", "White", "cut", "decode_image", "resize_image"]

White = float | Literal["range"] | None
"""What becomes white of a picture with more than 8 bits: a value, or the brightest (and black the darkest) of each."""

#: Files with more pixels are refused before they are decoded.
MAX_PIXELS = 50_000_000
IMAGE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
#: A picture whose brightest value, of 255, is below this is nearly black.
DARK = 64
# Only these decoders are tried, whatever a file calls itself; others (EPS, for one) start foreign programs.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")


def decode_image(
    path: Path, px: int, *, white: White = None, boxes: Sequence[Sequence[int]] | None = None
) -> NDArray[np.uint8]:
    """Return the image in ``path`` as RGB of shape (px, px, 3).

    The orientation stored by a camera is applied, transparent parts become white, grey values are repeated, and of
    animations the first frame is taken. Resizing is as in :func:`resize_image`.

    Parameters
    ----------
    path
        The file.
    px
        Height and width wanted.
    white
        How grey values of more than 8 bits become 8: the value that is white, such as 4095 for a 12-bit camera (black
        is 0), or ``range``: the darkest and brightest value of each picture become black and white. None takes 65535
        for 16 bits.
    boxes
        n parts of the image instead of all of it, each as x0, y0, x1, y1 in pixels, the last two exclusive; what lies
        outside of the image is cut off. The result has the shape (n, px, px, 3) then.

    Raises
    ------
    AliError
        When the file cannot be opened or decoded, holds more than :data:`MAX_PIXELS` pixels, a box lies outside of it;
        without ``white``, when it has 32 bits a pixel, or 16 of which so few are used that it would be nearly black.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            _check_size(path, image.size)
            wide = _has_wide_channels(image)
            rgb = _as_rgb(ImageOps.exif_transpose(image), path, white)
            if wide and white is None:
                _check_not_black(rgb, path)
            if boxes is None:
                return np.asarray(resize_image(rgb, px))
            return np.stack([np.asarray(resize_image(cut(rgb, box, path), px)) for box in boxes])
    except UnidentifiedImageError:
        raise AliError(
            f"{path} is not an image ({', '.join(FORMATS)}): replace it, or remove it from the collection"
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise AliError(_too_large(path)) from None
    except FileNotFoundError:
        raise AliError(f"{path} is missing: restore it, or remove it from the collection") from None
    except AliError:
        raise
    except Exception as error:  # Pillow raises what its parsers meet: IndexError, struct.error, MemoryError, …
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise AliError(
            f"{path} is damaged ({reason}): copy or export it again, or remove it from the collection"
        ) from None


def resize_image(image: Image.Image, px: int) -> Image.Image:
    """Return the middle square of ``image`` at ``px`` × ``px``, bilinear with antialiasing."""
    if image.size == (px, px):
        return image
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return image.resize((px, px), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))


def _too_large(path: Path) -> str:
    return f"{path} has more than {MAX_PIXELS // 10**6} megapixels: cut single cells out of it first"


def _check_size(path: Path, size: tuple[int, int]) -> None:
    if size[0] * size[1] > MAX_PIXELS:
        raise AliError(_too_large(path))


def cut(image: Image.Image, box: Sequence[int], source: object) -> Image.Image:
    """Return the part x0, y0, x1, y1 of ``image``; AliError when none of it lies inside."""
    x0, y0, x1, y1 = box
    width, height = image.size
    inside = (max(x0, 0), max(y0, 0), min(x1, width), min(y1, height))
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        raise AliError(f"{source} has {width} × {height} pixels; the box {x0}, {y0}, {x1}, {y1} is outside: correct it")
    return image.crop(inside)


def _has_wide_channels(image: Image.Image) -> bool:
    """Whether a colour image has 16 bits a channel, of which PIL keeps the upper eight."""
    return image.mode in ("RGB", "RGBA") and any("16" in str(tile[3]) for tile in getattr(image, "tile", ()))


def _check_not_black(image: Image.Image, path: Path) -> None:
    if np.asarray(image).max(initial=0) < DARK:
        raise AliError(
            f"{path} uses few of its 16 bits a channel and is nearly black: save it as 8-bit RGB, or give white=65535 "
            "(--white 65535) if it is dark"
        )


def _as_rgb(image: Image.Image, path: Path, white: White) -> Image.Image:
    """Convert every mode to RGB."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return Image.fromarray(_as_bytes(np.asarray(image), path, white)).convert("RGB")
    if image.mode != "RGB" and image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")


def _as_bytes(values: NDArray[np.generic], path: Path, white: White) -> NDArray[np.uint8]:
    """Scale grey values of more than 8 bits to 8."""
    if white is None and values.dtype.itemsize > 2:
        raise AliError(
            f"{path} has 32 bits a pixel, whose scale is unknown: say what is white (white=, --white VALUE or "
            "range), or save it as 8-bit RGB"
        )
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise AliError(f"{path} holds NaN or infinity: export it again, or remove it from the collection")
    darkest, brightest = float(numbers.min()), float(numbers.max())
    if white is None:
        if brightest < 257 * DARK:
            raise AliError(
                f"{path} uses {int(brightest):,} of 65,535 grey values and would be nearly black: say what is white, "
                "as white=4095 (--white 4095) for a 12-bit camera, white='range' for the brightest of each picture, or "
                "white=65535 if it is dark"
            )
        return (values.astype(np.int64) // 257).astype(np.uint8)
    black, top = (darkest, brightest) if white == "range" else (0.0, float(white))
    return np.clip((numbers - black) * (255.0 / max(top - black, 1e-300)), 0.0, 255.0).astype(np.uint8)
