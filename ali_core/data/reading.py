"""Threads that decode images for someone who waits, or computes meanwhile."""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, as_completed

import numpy as np
from numpy.typing import NDArray

from ali_core.data.images import CellImages
from ali_core.errors import AliError

__all__ = ["Progress", "Readers", "Reading"]

Progress = Callable[[int, int], None]
"""Called with the images done and in all; an exception raised in it cancels the reading."""

#: Images that a thread takes at once, at most. Chunks are smaller when all threads can share a batch then.
CHUNK = 32

CLOSED = "the images are closed: open them again, and read within the with block"


class Reading:
    """A batch that threads are filling."""

    def __init__(self, out: NDArray[np.uint8], parts: list[Future[None]]) -> None:
        self._out, self._parts = out, parts

    def result(self) -> NDArray[np.uint8]:
        """Wait, and return the batch or raise what a thread raised."""
        try:
            for part in self._parts:
                part.result()
        except CancelledError:
            raise AliError(CLOSED) from None
        finally:
            self.cancel()
        return self._out

    def cancel(self) -> None:
        """Give up what no thread has begun."""
        for part in self._parts:
            part.cancel()


class Readers:
    """``workers`` threads; PIL lets go of the interpreter while it decodes, so that they work side by side."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="ali-images")

    def close(self) -> None:
        """End the threads; what none has begun is given up."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def start(self, images: CellImages, px: int, rows: NDArray[np.int64]) -> Reading:
        """Begin to read the images ``rows``.

        Raises
        ------
        AliError
            When the threads have ended.
        """
        out = np.empty((len(rows), px, px, 3), dtype=np.uint8)
        try:
            parts = [self._pool.submit(_fill, images, px, rows[part], out[part]) for part in self._chunks(len(rows))]
        except RuntimeError:
            raise AliError(CLOSED) from None
        return Reading(out, parts)

    def scan(
        self, images: CellImages, px: int, out: NDArray[np.uint8] | None, progress: Progress | None
    ) -> dict[int, str]:
        """Decode all images, into ``out`` if given, and return row and reason of those that cannot be read."""
        failures: dict[int, str] = {}
        parts = {self._pool.submit(_scan, images, px, part, out): part for part in self._chunks(len(images))}
        done = 0
        for finished in as_completed(parts):
            failures |= finished.result()
            done += parts[finished].stop - parts[finished].start
            if progress is not None:
                progress(done, len(images))
        return dict(sorted(failures.items()))

    def _chunks(self, size: int) -> list[slice]:
        length = min(max(size // (2 * self.workers), 1), CHUNK)
        return [slice(at, min(at + length, size)) for at in range(0, size, length)]


def _fill(images: CellImages, px: int, rows: NDArray[np.int64], out: NDArray[np.uint8]) -> None:
    out[:] = images.load(rows, px)


def _scan(images: CellImages, px: int, part: slice, out: NDArray[np.uint8] | None) -> dict[int, str]:
    failures = {}
    for row in range(part.start, part.stop):
        try:
            pixels = images.load([row], px)
        except AliError as error:
            failures[row] = str(error)
        else:
            if out is not None:
                out[row] = pixels[0]
    return failures
