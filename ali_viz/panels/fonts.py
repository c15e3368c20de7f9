"""Fonts for names in any script: the print font where it has the letters, an installed one where it has not."""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.text import Text

__all__ = ["FontWarning", "boxes_allowed", "families_for", "fit_fonts"]

PRINT = "DejaVu Sans"
"""Comes with matplotlib: the same glyphs and the same bytes on every machine."""

PREFERRED = ("Noto Sans", "Source Han Sans", "WenQuanYi", "Microsoft YaHei", "PingFang", "Hiragino Sans")
"""Beginnings of the names of fonts that are taken first."""
UNREADABLE = ("Last Resort", "Unifont", "Noto Color Emoji")
"""Fonts that draw boxes, pixels or pictures."""
ADVICE = "install a font that has them, such as Noto Sans CJK (package fonts-noto-cjk), and start Python again"


class FontWarning(UserWarning):
    """No installed font has some letters of a figure."""


@lru_cache(maxsize=4096)
def families_for(text: str) -> tuple[str, ...]:
    """Return the fonts that together have all letters of ``text``, as far as any has: the print font first."""
    families, left = [PRINT], _lacking(text, _path(PRINT))
    while left:
        best = max(_others(), key=lambda name: len(left) - len(_lacking(left, _path(name))), default=None)
        rest = left if best is None else _lacking(left, _path(best))
        if best is None or len(rest) == len(left):
            break
        families, left = [*families, best], rest
    return tuple(families)


def fit_fonts(figure: Figure) -> None:
    """Give every text of a figure the fonts that have its letters; warn once of letters that no font has.

    Warns
    -----
    FontWarning
        Which letters are drawn as boxes, and what to install.
    """
    lacking: set[str] = set()
    for artist in figure.findobj(Text):
        text = artist.get_text()
        families = families_for(text)
        if len(families) > 1:
            artist.set_fontfamily(list(families))
        left = text
        for name in families:
            left = _lacking(left, _path(name))
        lacking |= set(left)
    if lacking:
        some = "".join(sorted(lacking)[:12])
        warnings.warn(f"no installed font has {len(lacking)} letters of this figure ({some}); {ADVICE}", FontWarning, 3)


@contextmanager
def boxes_allowed() -> Iterator[None]:
    """Keep matplotlib from warning of each letter; :func:`fit_fonts` says it once."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font", category=UserWarning)
        yield


def _lacking(text: Iterable[str], path: str) -> str:
    known = _letters(path)
    return "".join(letter for letter in text if not letter.isspace() and ord(letter) not in known)


@lru_cache(maxsize=64)
def _letters(path: str) -> frozenset[int]:
    return frozenset(font_manager.get_font(path).get_charmap())


def _path(name: str) -> str:
    return _files()[name]


@lru_cache(maxsize=1)
def _files() -> dict[str, str]:
    """Return the file of each upright font by its name, of the usual weight where there are several."""
    entries = [entry for entry in font_manager.fontManager.ttflist if entry.style == "normal"]
    entries.sort(key=lambda entry: entry.weight in (400, "normal", "regular"))
    return {entry.name: entry.fname for entry in entries}


@lru_cache(maxsize=1)
def _others() -> tuple[str, ...]:
    usable = [name for name in _files() if not name.startswith(UNREADABLE) and name != PRINT]
    return tuple(sorted(usable, key=lambda name: (not name.startswith(PREFERRED), name)))
