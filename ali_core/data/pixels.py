"""How a training reads its images: decoded once when they fit into memory, else ahead of the network.

Synopsis::

    with PixelSource.open(images, 224, skip_unreadable=True) as source:
        images = source.images                              # those that can be read
        for rows, pixels in source.batches(order, 64):      # int64 (64,), uint8 (64, 224, 224, 3)
            ...
"""

import logging
import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ali_core.data.images import CellImages
from ali_core.data.reading import Progress, Readers, Reading
from ali_core.errors import AliError

__all__ = ["PixelSource", "available_memory", "check_readable"]

Pixels = NDArray[np.uint8]
Rows = NDArray[np.int64]

#: Batches that are read while the caller computes.
AHEAD = 2
MAX_WORKERS = 16
NAMED_IN_MESSAGE = 3

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, kw_only=True)
class PixelSource:
    """The readable images of a collection at one size; made by :meth:`open`, and closed when done.

    Attributes
    ----------
    images
        The M images that can be read. All rows below count in it.
    px
        Height and width.
    kept
        Which images of the opened collection these are, ascending, shape (M,).
    skipped
        Id and reason of each image that was left out, because its file is missing or damaged.
    array
        All images, uint8 of shape (M, px, px, 3), read-only; None when they are read on demand.
    """

    images: CellImages
    px: int
    kept: Rows = field(repr=False)
    skipped: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    array: Pixels | None = field(default=None, repr=False)
    _readers: Readers | None = field(default=None, repr=False)

    @classmethod
    def open(
        cls,
        images: CellImages,
        px: int,
        *,
        memory_limit_bytes: int | None = None,
        skip_unreadable: bool = False,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Decode all images once, and keep them if they fit.

        Parameters
        ----------
        images
            N images.
        px
            Height and width at which they are wanted.
        memory_limit_bytes
            The images are kept when N · px² · 3 is not above it. By default a quarter of the memory that is free;
            the memory limits of containers and batch systems are not known here, so give one there.
        skip_unreadable
            Whether to leave out images that cannot be read; all of them, also those that were missing when the
            collection was opened, are named in a warning of the log.
        workers
            Threads that decode; by default one per processor, at most 16.
        progress
            Called with the images done and in all; an exception raised in it cancels the opening.

        Raises
        ------
        AliError
            When images cannot be read (after all were tried: it counts them and names the first, the log all) and
            ``skip_unreadable`` is false or none is left; when ``px``, ``workers`` or the limit is out of range.

        Notes
        -----
        Images that do not fit are decoded once at opening all the same, and dropped: an epoch must not end half-way
        over a damaged file. That costs as much as one epoch of reading.
        """
        workers = min(os.cpu_count() or 1, MAX_WORKERS) if workers is None else workers
        limit = available_memory() // 4 if memory_limit_bytes is None else memory_limit_bytes
        _check(px=px, workers=workers, limit=limit)
        everything = np.arange(len(images))
        if images.pixels is not None and images.pixels.shape[1:3] == (px, px):
            return cls(images=images, px=px, kept=everything, array=images.pixels)
        fits = len(images) * px * px * 3 <= limit
        array = np.empty((len(images), px, px, 3), dtype=np.uint8) if fits else None
        with closing(Readers(workers)) as readers:
            failures = readers.scan(images, px, array, progress)
        skipped = _report_if_any(images, failures, skip=skip_unreadable)
        kept = np.setdiff1d(everything, list(failures))
        return cls(
            images=images.subset(kept) if failures else images,
            px=px,
            kept=kept,
            skipped=skipped,
            array=None if array is None else _compacted(array, kept),
            _readers=Readers(workers) if array is None else None,
        )

    def __len__(self) -> int:
        return len(self.images)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the threads; what is not read yet is given up. Kept images remain readable."""
        if self._readers is not None:
            self._readers.close()

    def take(self, rows: ArrayLike | Sequence[int]) -> Pixels:
        """Return the images ``rows``, a new array of shape (n, px, px, 3).

        Raises
        ------
        AliError
            When a row does not exist, a file that was readable at opening no longer is, or the source is closed.
        """
        if self._readers is None:
            return self._memory.load(_as_rows(rows), self.px)
        return self._readers.start(self.images, self.px, _as_rows(rows)).result()

    def batches(self, order: ArrayLike | Sequence[int], batch_size: int) -> Iterator[tuple[Rows, Pixels]]:
        """Yield rows and images, ``batch_size`` at a time in the given order; the last batch may be smaller.

        While the caller computes on one batch, the next two are read, unless all images are in memory.

        Raises
        ------
        AliError
            When ``batch_size`` is not positive; otherwise as :meth:`take`, when the batch is due.
        """
        if batch_size < 1:
            raise AliError(f"batch_size must be at least 1; got {batch_size}")
        rows = _as_rows(order)
        return self._batches([rows[at : at + batch_size] for at in range(0, len(rows), batch_size)])

    def _batches(self, parts: list[Rows]) -> Iterator[tuple[Rows, Pixels]]:
        if self._readers is None:
            yield from ((rows, self.take(rows)) for rows in parts)
            return
        ahead: deque[tuple[Rows, Reading]] = deque()
        try:
            for rows in parts:
                ahead.append((rows, self._readers.start(self.images, self.px, rows)))
                if len(ahead) > AHEAD:
                    due, reading = ahead.popleft()
                    yield due, reading.result()
            while ahead:
                due, reading = ahead.popleft()
                yield due, reading.result()
        finally:
            for _, reading in ahead:
                reading.cancel()

    @cached_property
    def _memory(self) -> CellImages:
        return replace(self.images, paths=None, pixels=self.array)


def check_readable(images: CellImages, px: int, *, progress: Progress | None = None) -> None:
    """Decode all images once.

    Raises
    ------
    AliError
        When some cannot be read, or were missing when the collection was opened: it counts them and names the first;
        the log names all.
    """
    with closing(Readers(min(os.cpu_count() or 1, MAX_WORKERS))) as readers:
        failures = readers.scan(images, px, None, progress)
    _report_if_any(images, failures, skip=False)


def available_memory() -> int:
    """Return the bytes of memory that programs can still take; where the system does not tell, half of all, or 4 GB."""
    with suppress(OSError):  # only Linux has this file
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return 4 * 10**9


def _check(*, px: int, workers: int, limit: int) -> None:
    for name, value, least in (("px", px, 1), ("workers", workers, 1), ("memory_limit_bytes", limit, 0)):
        if value < least:
            raise AliError(f"{name} must be at least {least}; got {value}")


def _as_rows(rows: ArrayLike | Sequence[int]) -> Rows:
    array = np.atleast_1d(np.asarray(rows))
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise AliError(f"rows must be whole numbers in one dimension; got {array.dtype} of shape {array.shape}")
    return array.astype(np.int64)


def _report_if_any(images: CellImages, failures: dict[int, str], *, skip: bool) -> tuple[tuple[str, str], ...]:
    """Return id and reason of all images that are missing or damaged; see :func:`_report`."""
    skipped = (*images.missing, *((str(images.ids[row]), reason) for row, reason in failures.items()))
    if skipped:
        _report(skipped, len(failures), len(images), skip=skip)
    return skipped


def _report(skipped: Sequence[tuple[str, str]], n_unreadable: int, n_images: int, *, skip: bool) -> None:
    """Raise the error that says what to do and names the first images, or log the warning that all are left out.

    When there are more, the log names all that are missing or damaged. Dark ones need one option, not their names.
    """
    n_missing = len(skipped) - n_unreadable
    count = f"{len(skipped):,} of {n_images + n_missing:,} images cannot be read"
    # Each reason ends in a remedy of its own, behind the last colon; here one remedy stands for all.
    named = [
        reason.rpartition(": ")[0] or f"{name} {reason}" if name not in reason else reason.rpartition(": ")[0] or reason
        for name, reason in skipped
    ]
    if skip and n_unreadable < n_images:
        _LOG.warning("%s and are left out: %s", count, "; ".join(named))
        return
    broken = [words for words, (_, reason) in zip(named, skipped, strict=True) if "white=" not in reason]
    remedies = ["say what is white with white= (--white 4095)"] if len(broken) < len(named) else []
    remedies += ["replace the files"] if broken else []
    remedies += [] if skip else ["leave them out with skip_unreadable (--skip-unreadable)"]
    first = "; ".join(named[:NAMED_IN_MESSAGE])
    if len(named) > NAMED_IN_MESSAGE:
        first += f"; and {len(named) - NAMED_IN_MESSAGE:,} more"
        if broken:
            _LOG.warning("%s: %s", count, "; ".join(broken))
    raise AliError(f"{count}: {', or '.join(remedies)}. The first: {first}")


def _compacted(array: Pixels, kept: Rows) -> Pixels:
    """Move the rows ``kept`` of ``array`` to its start, in place, and return these as a read-only view."""
    for to, row in enumerate(kept.tolist()):
        if to != row:
            array[to] = array[row]
    view = array[: len(kept)]
    view.flags.writeable = False
    return view
