r"""What lies in a folder of images: its files, and which level of sub-folders are the classes.

Synopsis::

    found = walk_images(Path("raabin"))                       # Train/Basophil/1.png, TestA/Basophil/1.png, …
    classes, parts = classes_of(found.names, "raabin")        # Basophil, …; Train, TestA, …
    Locator(root).locate("C:\\data\\NGS\\1.png")              # NGS/1.png, if that is where it lies
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
from numpy.typing import NDArray

from ali_core.columns import split_parts
from ali_core.data.decoding import IMAGE_SUFFIXES
from ali_core.errors import AliError

__all__ = ["FoundImages", "Locator", "classes_of", "walk_images"]

#: Folders that archives and systems leave behind; hidden ones are passed over anyhow.
NO_DATA = frozenset({"__MACOSX", "__pycache__"})
#: Names of folders that cut a class into handy pieces, and are no classes: 0001-1000, batch_2.
PIECE = re.compile(r"\d+\s*[-–_]\s*\d+|(?:batch|chunk|page|part)[\W_]*\d+", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class FoundImages:
    """Image files below a folder.

    Parameters
    ----------
    names
        Paths relative to the folder, with ``/``, sorted.
    gone
        Links to files that are not there, likewise.
    """

    names: tuple[str, ...]
    gone: tuple[str, ...]


def walk_images(folder: Path) -> FoundImages:
    """Find the images at any depth below ``folder``, also behind links; hidden files and folders are passed over."""
    names: list[str] = []
    gone: list[str] = []
    for place, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if _is_data(name) and not _is_loop(place, name))
        inside = Path(place).relative_to(folder)
        for name in files:
            if _is_data(name) and name.lower().endswith(IMAGE_SUFFIXES):
                there = gone if not (Path(place) / name).is_file() else names
                there.append((inside / name).as_posix())
    return FoundImages(names=tuple(_sorted(names)), gone=tuple(_sorted(gone)))


def _sorted(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: PurePosixPath(name).parts)


def _is_data(name: str) -> bool:
    return not name.startswith(".") and name not in NO_DATA


def _is_loop(place: str, name: str) -> bool:
    """Whether a folder is a link to one that it lies in."""
    target = Path(place) / name
    return target.is_symlink() and Path(place).resolve().is_relative_to(target.resolve())


def classes_of(names: Sequence[str], source: str) -> tuple[list[str], NDArray[np.str_] | None]:
    """Say which folder of each path is its class, and which part of a split it is in.

    Parameters
    ----------
    names
        Relative paths of images, each in a folder.
    source
        What the folder is called in messages.

    Returns
    -------
    tuple
        Class of each image; and its part (``train``, ``validation``, ``test``, or a fold number), None without a split.

    Raises
    ------
    AliError
        When the folders are parts of a split, or pieces of a larger folder, and no classes.

    Notes
    -----
    A single outer folder, as archives unpack it, is passed. Folders called train, test and so on, or fold_0, fold_1, …,
    are a split when class folders lie in them. Folders such as 0001-1000 within a class belong to it.
    """
    folders = [PurePosixPath(name).parts[:-1] for name in names]
    level, split = 0, None
    while True:
        here = sorted({path[level] for path in folders})
        deeper = all(len(path) > level + 1 for path in folders)
        below = {path[level + 1] for path in folders} if deeper else set()
        if split is None and _are_parts(here, folders, level, deeper=deeper):
            split, level = level, level + 1
        elif len(here) == 1 and deeper and not all(PIECE.fullmatch(name) for name in below):
            level += 1
        else:
            break
    parts = [name for name in here if _part(name) in ("train", "test")]
    pieces = [name for name in here if re.fullmatch(r"\d+\s*[-–]\s*\d+", name)]
    if parts or len(pieces) == len(here):
        raise AliError(
            f"{source}: the folder {(parts or pieces)[0]!r} is no class but a {'part of a split' if parts else 'range'}"
            ", and holds no folder for each class; name the classes in a table (--table FILE)"
        )
    if split is None and deeper and all(_part(name) is not None for name in below):
        split = level + 1
    cut = None if split is None else np.array([path[split] for path in folders])
    given = None if cut is None or cut[0].lower().startswith("part") else split_parts(cut)
    return [path[level] for path in folders], given


def _part(name: str) -> str | None:
    """Return the part of a split that a folder is called after, if it is."""
    parts = split_parts(np.array([name]))
    return None if parts is None or parts[0].isdecimal() else str(parts[0])


def _are_parts(here: list[str], folders: Sequence[tuple[str, ...]], level: int, *, deeper: bool) -> bool:
    """Whether the folders at a level are parts of a split, each with folders for the classes."""
    if not deeper or (len(here) == 1 and _part(here[0]) is None):
        return False
    inside = defaultdict(set)
    for path in folders:
        inside[path[level]].add(path[level + 1])
    shared = set.intersection(*inside.values())
    alike = len(shared) > 1 and not all(PIECE.fullmatch(name) for name in shared)
    named = [_part(name) is not None for name in here]
    numbered = split_parts(np.array(here)) is not None
    return all(named) or (any(named) and alike) or (numbered and alike)


class Locator:
    """Finds the files that a table names, however it writes their paths, within one folder and never outside of it.

    Parameters
    ----------
    root
        The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def locate(self, written: str) -> str | None:
        """Return the path relative to the folder, with ``/``; None when there is no such file.

        Raises
        ------
        AliError
            When the path leaves the folder, or fits several files in it.
        """
        plain = PurePosixPath(written.replace("\\", "/"))
        windows = PureWindowsPath(written)
        if ".." in plain.parts:
            raise self._leaves(written)
        if not plain.is_absolute() and not windows.anchor:
            for name in (written, str(plain)):
                if (self.root / name).is_file():
                    return PurePosixPath(name).as_posix()
        elif plain.is_absolute():
            for root in (self.root.absolute(), self.root.resolve()):
                if plain.is_relative_to(root.as_posix()) and Path(plain).is_file():
                    return plain.relative_to(root.as_posix()).as_posix()
        found = self._by_its_end(plain)
        if found is None and (plain.is_absolute() or windows.anchor):
            raise self._leaves(written)
        return found

    def _leaves(self, written: str) -> AliError:
        return AliError(f"the path {written!r} leaves the folder {self.root}; use paths relative to it without ..")

    def _by_its_end(self, plain: PurePosixPath) -> str | None:
        """Return the one file whose path ends as the written one, or that the written one ends with."""
        end = plain.name if plain.suffix.lower() in IMAGE_SUFFIXES else f"{plain.name}."
        folders = [part for part in plain.parts[:-1] if part != "/" and not part.endswith(":")]
        rooted = len(folders) < len(plain.parts) - 1
        found = []
        for name in self._files.get(end.lower(), ()):
            own = list(PurePosixPath(name).parts[:-1])
            shorter = min(len(own), len(folders))
            agree = own[len(own) - shorter :] == folders[len(folders) - shorter :]
            if agree and (len(own) <= len(folders) if rooted else len(own) >= len(folders) or own):
                found.append(name)
        if len(found) > 1:
            raise AliError(
                f"{str(plain)!r} is the name of {len(found)} files ({', '.join(found[:3])}); write their paths "
                f"relative to {self.root}"
            )
        return found[0] if found else None

    @cached_property
    def _files(self) -> dict[str, list[str]]:
        """Files by name, and by name without suffix."""
        files = defaultdict(list)
        for name in walk_images(self.root).names:
            path = PurePosixPath(name)
            files[path.name.lower()].append(name)
            files[f"{path.stem}.".lower()].append(name)
        return files
