"""Batches of features or images for a network, in training and in evaluation."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ali_core.data import Augmentation, CellImages, PixelSource
from ali_core.data.augmentation import plain
from ali_core.embedding import LabelledEmbedding
from ali_core.samples import stand_in
from ali_core.training.settings import TrainSettings

__all__ = ["FeatureInputs", "ImageInputs", "open_inputs"]

Rows = NDArray[np.int64]

CROP_OFFSET = 11 / 224
"""The paper crops with an offset of 11 px at 224 px; it scales with the image size."""


class FeatureInputs:
    """Features of another network, kept on the device; they are not augmented.

    Parameters
    ----------
    data
        N samples of F features each.
    device
        Where batches are wanted.
    """

    def __init__(self, data: LabelledEmbedding, device: torch.device) -> None:
        self.labels, self.class_names, self.ids, self.groups = data.labels, data.class_names, data.ids, data.groups
        self.samples = stand_in(data)
        self.fingerprint = data.fingerprint
        self.skipped: tuple[tuple[str, str], ...] = ()
        self.features = torch.tensor(data.vectors, dtype=torch.float32, device=device)

    def training_batches(
        self,
        order: NDArray[np.int64],
        batch_size: int,
        generator: torch.Generator,  # noqa: ARG002  # nothing is drawn
    ) -> Iterator[Tensor]:
        """Yield the features of ``batch_size`` rows of ``order`` at a time, shape (B, F)."""
        return self.plain_batches(order, batch_size)

    def plain_batches(self, order: Rows, batch_size: int) -> Iterator[Tensor]:
        """Yield the features of ``batch_size`` rows of ``order`` at a time, shape (B, F)."""
        rows = torch.as_tensor(order, device=self.features.device)
        yield from (self.features[rows[at : at + batch_size]] for at in range(0, len(rows), batch_size))

    def close(self) -> None:
        """Return at once: features are in memory, and nothing is open."""


class ImageInputs:
    """Images, decoded by a pool of threads and augmented on the device.

    Parameters
    ----------
    images
        N labelled images; those that cannot be read are left out if ``settings`` allow it.
    settings
        Of the run: px, dropout, workers, skip_unreadable.
    device
        Where batches are wanted.
    """

    def __init__(self, images: CellImages, settings: TrainSettings, device: torch.device) -> None:
        self.source = PixelSource.open(
            images,
            settings.px,
            skip_unreadable=settings.skip_unreadable,
            workers=settings.workers or None,
        )
        kept = self.source.images
        self.labels, self.class_names, self.ids, self.groups = kept.labels, kept.class_names, kept.ids, kept.groups
        self.samples = stand_in(kept)
        self.fingerprint, self.device, self.skipped = kept.fingerprint, device, self.source.skipped
        self.augmentation = Augmentation(dropout=settings.dropout, crop_offset=CROP_OFFSET)

    def training_batches(
        self, order: NDArray[np.int64], batch_size: int, generator: torch.Generator
    ) -> Iterator[Tensor]:
        """Yield augmented images, ``batch_size`` rows of ``order`` at a time: float32 in [0, 1], (B, 3, px, px)."""
        for pixels in self._pixels(order, batch_size):
            yield self.augmentation(pixels, generator)

    def plain_batches(self, order: Rows, batch_size: int) -> Iterator[Tensor]:
        """Yield the images, ``batch_size`` rows of ``order`` at a time: float32 in [0, 1], (B, 3, px, px)."""
        for pixels in self._pixels(order, batch_size):
            yield plain(pixels)

    def _pixels(self, order: Rows, batch_size: int) -> Iterator[Tensor]:
        for _, pixels in self.source.batches(order, batch_size):
            yield torch.as_tensor(pixels).to(self.device, non_blocking=True)

    def close(self) -> None:
        """End the threads that read."""
        self.source.close()


def open_inputs(
    data: LabelledEmbedding | CellImages, settings: TrainSettings, device: torch.device
) -> FeatureInputs | ImageInputs:
    """Return the batches of a feature file or of a collection of images."""
    if isinstance(data, LabelledEmbedding):
        return FeatureInputs(data, device)
    return ImageInputs(data, settings, device)
