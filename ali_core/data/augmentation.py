"""Batches of images as networks take them, turned, shifted and with pixels dropped at random, or plain.

Synopsis::

    augment = Augmentation()
    generator = torch.Generator().manual_seed(seed)
    inputs = augment(batch, generator)              # training: float32 (B, 3, px, px), on the device of the batch
    inputs = plain(batch)                           # evaluation
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from ali_core.errors import AliError

__all__ = ["Augmentation", "plain", "rotate_and_shift"]

LEVELS = 2**16


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """Random crop, rotation and pixel dropout: the augmentations of Sec. III-F of the paper.

    Parameters
    ----------
    dropout
        Probability with which a pixel, all of its channels together, becomes 0 (black); in [0, 1), resolved to 2⁻¹⁶.
    crop_offset
        By how much the image is shifted at most along each axis, in parts of its width; in [0, 0.5]. The shift is
        uniform and not rounded to pixels. The default is 11 pixels at 224.
    rotation
        Whether each image is rotated by an angle uniform in [0, 2π).

    Raises
    ------
    AliError
        When a number lies outside its range.

    Notes
    -----
    "Dropout p = 0.05" of the paper stands among its augmentations and is therefore read as dropout of pixels, as in
    ``PixelDropout`` of albumentations, not as a layer of the network. What a rotation or shift brings in from beyond
    the edge is the mirror image of what lies within, so that no black corners appear; the paper does not say what it
    fills in.
    """

    dropout: float = 0.05
    crop_offset: float = 11 / 224
    rotation: bool = True

    def __post_init__(self) -> None:
        if not 0.0 <= self.dropout < 1.0:
            raise AliError(f"dropout must lie in [0, 1); got {self.dropout}: the paper takes 0.05")
        if not 0.0 <= self.crop_offset <= 0.5:
            raise AliError(f"crop_offset must lie in [0, 0.5]; got {self.crop_offset}: the paper takes 11/224")

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return the images of ``batch`` augmented, each in its own way.

        Parameters
        ----------
        batch
            uint8 of shape (B, px, px, 3), or floating point in [0, 1] of shape (B, 3, px, px), on any device.
        generator
            On the CPU. Everything is drawn there and then moved, so that its state alone decides the result and every
            device sees the same augmentation.

        Returns
        -------
        torch.Tensor
            float32 in [0, 1], shape (B, 3, px, px), channels last in memory, on the device of ``batch``.

        Raises
        ------
        AliError
            When ``batch`` has another shape or type.
        """
        pixels = plain(batch)
        n_images, _, px, _ = pixels.shape
        turns, *shifts = torch.rand(3, n_images, generator=generator)
        if self.rotation or self.crop_offset:
            angles = turns * (2.0 * math.pi * self.rotation)
            offsets = (2.0 * torch.stack(shifts, dim=1) - 1.0) * (self.crop_offset * px)
            pixels = rotate_and_shift(pixels, angles, offsets)
        if self.dropout:
            kept = _kept(self.dropout, n_images * px * px, generator).view(n_images, 1, px, px)
            pixels = pixels * kept.to(pixels.device)
        return pixels.contiguous(memory_format=torch.channels_last)


def plain(batch: Tensor) -> Tensor:
    """Return the images of ``batch`` as networks take them, unchanged.

    Parameters
    ----------
    batch
        uint8 of shape (B, px, px, 3), or floating point in [0, 1] of shape (B, 3, px, px), on any device.

    Returns
    -------
    torch.Tensor
        float32 in [0, 1], shape (B, 3, px, px), channels last in memory, on the device of ``batch``.

    Raises
    ------
    AliError
        When ``batch`` has another shape or type.
    """
    if batch.dtype == torch.uint8 and batch.ndim == 4 and batch.shape[3] == 3 and batch.shape[1] == batch.shape[2]:
        pixels = batch.permute(0, 3, 1, 2).float().div_(255.0)
    elif batch.is_floating_point() and batch.ndim == 4 and batch.shape[1] == 3 and batch.shape[2] == batch.shape[3]:
        pixels = batch.float()
    else:
        raise AliError(
            "a batch of images must be uint8 (B, px, px, 3) or floating point (B, 3, px, px); "
            f"got {batch.dtype} {tuple(batch.shape)}: load images by CellImages.load or PixelSource"
        )
    return pixels.contiguous(memory_format=torch.channels_last)


def rotate_and_shift(pixels: Tensor, angles: Tensor, offsets: Tensor) -> Tensor:
    r"""Rotate each image about its middle and move the window that looks at it, in one bilinear resampling.

    .. math:: y(p) = x(R_\phi p + t), \qquad
        R_\phi = \begin{pmatrix} \cos\phi & -\sin\phi \\ \sin\phi & \cos\phi \end{pmatrix}

    with p = (column, row) from the middle of the image; beyond the edge x is mirrored.

    Parameters
    ----------
    pixels
        float32 in [0, 1], shape (B, C, px, px).
    angles
        φ in radians, shape (B,), counter-clockwise as one sees it.
    offsets
        t in pixels, shape (B, 2): columns to the right, rows down. ``angles`` and ``offsets`` may lie on the CPU.

    Returns
    -------
    torch.Tensor
        Of the shape and type of ``pixels``.
    """
    px = pixels.shape[-1]
    middles = (2.0 * torch.arange(px) + 1.0) / px - 1.0
    cosines, sines = angles.cos()[:, None] * middles, angles.sin()[:, None] * middles
    columns = torch.stack([cosines, sines], dim=2) + (offsets * (2.0 / px))[:, None]
    rows = torch.stack([-sines, cosines], dim=2)
    grid = columns.to(pixels.device)[:, None] + rows.to(pixels.device)[:, :, None]
    sampled = grid_sample(pixels, grid.to(pixels.dtype), padding_mode="reflection", align_corners=False)
    return sampled.clamp_(0.0, 1.0)


def _kept(probability: float, size: int, generator: torch.Generator) -> Tensor:
    """Return ``size`` booleans, each false with ``probability``; four are made of one draw of 64 bits."""
    words = torch.empty(-(-size // 4), dtype=torch.int64).random_(-(2**63), None, generator=generator)
    threshold = min(round(probability * LEVELS), LEVELS - 1) - LEVELS // 2
    return words.view(torch.int16)[:size] >= threshold
