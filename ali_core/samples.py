"""Open whatever samples a path holds, an embedding or images, by one set of names."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ali_core.columns import Columns
from ali_core.data import CellImages, holds_images, open_images
from ali_core.data.decoding import White
from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError

__all__ = ["Samples", "open_samples", "stand_in"]

Samples = LabelledEmbedding | CellImages


def open_samples(path: Path, columns: Columns, *, skip_unreadable: bool = False, white: White = None) -> Samples:
    """Return the embedding or the images that ``path`` holds.

    Parameters
    ----------
    path
        Embedding file; or a folder, table or archive of images. With a path column, a table is one of images.
    columns
        What is what in it.
    skip_unreadable
        Whether images that are missing are left out; those that cannot be read are met when they are read.
    white
        How images of more than 8 bits are scaled: see :func:`~ali_core.data.decoding.decode_image`.

    Raises
    ------
    AliError
        When there is nothing, or it cannot be read as named.
    """
    if not path.exists():
        raise AliError(f"there is no data at {path}; say where it is")
    if columns.path is None and not holds_images(path):
        return LabelledEmbedding.load(path, **columns.given)
    return open_images(path, **columns.given, skip_unreadable=skip_unreadable, white=white)


def stand_in(samples: Samples) -> LabelledEmbedding:
    """Return an embedding in one dimension, all zero, with everything else that is known of the samples.

    Its vectors are put in by :meth:`~ali_core.embedding.LabelledEmbedding.with_vectors`.
    """
    vectors = np.zeros((len(samples), 1), dtype=np.float32)
    if isinstance(samples, LabelledEmbedding):
        return replace(samples, vectors=vectors, description="", source=None, read_as="")
    return LabelledEmbedding(
        vectors=vectors,
        labels=samples.labels,
        class_names=samples.class_names,
        ids=samples.ids,
        groups=samples.groups,
        split=samples.split,
        metadata=samples.metadata,
        colours=samples.colours,
        unlabelled="keep" if (samples.labels < 0).any() else "refuse",
    )
