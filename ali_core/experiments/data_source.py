"""The data of an experiment: opened and prepared once, then again by each process that trains on it."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from ali_core.columns import Columns
from ali_core.data import CellImages
from ali_core.data import long_tail as thinned
from ali_core.data.decoding import White
from ali_core.errors import AliError
from ali_core.interventions.settings import Record
from ali_core.samples import Samples, open_samples

__all__ = ["Data", "DataSource", "ImageTable", "LongTail", "Preparation"]

Data = Samples


class LongTail(Record):
    """Thinning of the classes; see :func:`ali_core.data.long_tail`.

    Parameters
    ----------
    largest, smallest
        Sizes of the most and the least frequent class.
    seed
        Of the draw.
    """

    largest: Annotated[int, Field(ge=1)] = 500
    smallest: Annotated[int, Field(ge=1)] = 24
    seed: Annotated[int, Field(ge=0)] = 0


class ImageTable(Record):
    """How a table of images is read, in older words; :class:`~ali_core.columns.Columns` names any data.

    Parameters
    ----------
    path_column, label_column, group_column, id_column
        Names of columns; None for those that the reader expects.
    where
        Column and value of the rows that are kept.
    """

    path_column: str | None = None
    label_column: str | None = None
    group_column: str | None = None
    id_column: str | None = None
    where: tuple[str, str] | None = None

    @property
    def columns(self) -> Columns:
        """The same in the words that all data is named by."""
        given: dict[str, Any] = self.model_dump(exclude_none=True)
        return Columns(**{name.removesuffix("_column"): value for name, value in given.items()})


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """How data becomes the samples of an experiment.

    Parameters
    ----------
    exclude, columns, long_tail, white
        As in :class:`~ali_core.experiments.experiment.Experiment`.
    skip_unreadable
        Whether images that are missing are left out.
    """

    exclude: tuple[str, ...] = ()
    columns: Columns = Columns()  # noqa: RUF009  # it cannot be changed
    long_tail: LongTail | None = None
    skip_unreadable: bool = False
    white: White = None

    def __call__(self, data: Data | Path) -> Data:
        """Return the samples: opened, without the excluded classes, and thinned.

        Raises
        ------
        AliError
            For data that cannot be read, and classes that are not there.
        """
        if isinstance(data, Path):
            data = open_samples(data, self.columns, skip_unreadable=self.skip_unreadable, white=self.white)
        if self.exclude:
            data = data.without_classes(self.exclude)
        if self.long_tail is None:
            return data
        # One type variable holds either kind, but not their union.
        if isinstance(data, CellImages):
            return thinned(data, **self.long_tail.model_dump())
        return thinned(data, **self.long_tail.model_dump())


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """Where a process finds data, so that it need not be sent there.

    Parameters
    ----------
    path
        The file or folder.
    preparation
        What is done with it.
    fingerprint
        Of what is expected there, prepared.
    """

    path: Path
    preparation: Preparation
    fingerprint: str

    def open(self) -> Data:
        """Return the data, read once a process; AliError when it is not what it was."""
        return _kept(self)


@lru_cache(maxsize=1)
def _kept(source: DataSource) -> Data:
    data = source.preparation(source.path)
    if data.fingerprint != source.fingerprint:
        raise AliError(f"{source.path} holds other data here than where the experiment was started")
    return data
