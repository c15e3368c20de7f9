"""Image files into RGB arrays, without trusting them."""

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from ali_core.errors import AliError

__all__ = ["IMAGE_SUFFIXES", "MAX_PIXELS", "decode_image", "resize_image"]

#: Files with more pixels are refused before they are decoded.
MAX_PIXELS = 50_000_000
IMAGE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
# Only these decoders are tried, whatever a file calls itself; others (EPS, for one) start foreign programs.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")


def decode_image(path: Path, px: int) -> NDArray[np.uint8]:
    """Return the image in ``path`` as RGB of shape (px, px, 3).

    The orientation stored by a camera is applied, transparent parts become white, grey values are repeated, 16-bit
    grey is divided by 257, and of animations the first frame is taken. Resizing is as in :func:`resize_image`.

    Raises
    ------
    AliError
        When the file cannot be opened or decoded, holds more than :data:`MAX_PIXELS` pixels, or has 32 bits a pixel.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            _check_size(path, image.size)
            return np.asarray(resize_image(_as_rgb(ImageOps.exif_transpose(image), path), px))
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
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error) as error:
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


def _as_rgb(image: Image.Image, path: Path) -> Image.Image:
    """Convert every mode to RGB."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) // 257).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise AliError(f"{path} has 32 bits a pixel, whose scale is unknown: save it as 8-bit RGB")
    if image.mode != "RGB" and image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")
