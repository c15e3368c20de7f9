"""The picture of each sample, found by its id and by nothing else."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ali_core.data import CellImages, from_ids, open_images
from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_viz.views.sources import Images

__all__ = ["ImageSource"]

Picture = NDArray[np.uint8]

MOST_DECODED = 256


class ImageSource:
    """Pictures of the samples of an embedding.

    Parameters
    ----------
    images
        :class:`~ali_core.data.CellImages`; a folder in which the ids are paths; or a path that
        :func:`~ali_core.data.open_images` reads.
    embedding
        Whose ids name the images. Samples without an image, and images without a sample, may be among them.

    Raises
    ------
    AliError
        When the images cannot be opened, or no id names an image.

    Notes
    -----
    A row number never leads to an image, so no order, filter or subset can show the wrong one. Files are read when
    they are looked at; the last 256 pictures are kept.
    """

    def __init__(self, images: Images, embedding: LabelledEmbedding) -> None:
        if embedding.ids is None:
            raise AliError(
                "this embedding has no ids to find pictures by; give each sample the id of its image (ids=, or a "
                "column id in its file)"
            )
        opened = images if isinstance(images, CellImages) else _opened(Path(images), embedding.ids.tolist())
        wanted = set(embedding.ids.tolist())
        self._images = opened
        self._rows = {name: row for row, name in enumerate(opened.ids.tolist()) if name in wanted}
        if not self._rows:
            raise AliError(
                f"no id of the embedding names an image: samples are called {str(embedding.ids[0])!r}, …; images "
                f"{str(opened.ids[0])!r}; give both the same ids"
            )
        self.columns = self._known(embedding.ids.tolist())
        """What the table of the images says of each sample (N,), by column; missing where it says nothing."""
        self._decoded: Callable[[str, int], Picture | None] = lru_cache(maxsize=MOST_DECODED)(self._decode)

    def _known(self, names: list[str]) -> dict[str, NDArray[Any]]:
        table = self._images.metadata
        if table is None:
            return {}
        rows = [self._rows.get(name, -1) for name in names]
        known = table.reset_index(drop=True).reindex(rows)
        return {str(column): known[column].to_numpy() for column in known}

    def __len__(self) -> int:
        """Return the number of samples with a picture."""
        return len(self._rows)

    def __contains__(self, name: str) -> bool:
        return name in self._rows

    def picture(self, name: str, px: int) -> Picture | None:
        """Return the picture of the sample called ``name``, uint8 of shape (px, px, 3), read-only.

        None when there is none, or its file cannot be read.
        """
        return self._decoded(name, px) if name in self._rows else None

    def _decode(self, name: str, px: int) -> Picture | None:
        try:
            picture: Picture = self._images.load([self._rows[name]], px)[0]
        except AliError:
            return None
        picture.flags.writeable = False
        return picture


def _opened(path: Path, ids: list[str]) -> CellImages:
    """Return the images that the ids name as paths in a folder; else those of the collection at ``path``."""
    try:
        return from_ids(path, ids)
    except AliError:  # they are no paths: a table may say which image they name
        return open_images(path, skip_unreadable=True)
