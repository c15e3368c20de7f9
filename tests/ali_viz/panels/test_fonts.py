"""Names in other scripts: a font that has the letters, or one line that says what to install."""

import warnings

import pandas as pd
import pytest
from matplotlib.figure import Figure

from ali_viz.panels import fonts
from ali_viz.panels.fonts import PRINT, FontWarning, families_for
from ali_viz.panels.panel import save_panel


def figure_with(text: str) -> Figure:
    figure = Figure(figsize=(2, 1))
    figure.text(0.1, 0.5, text)
    return figure


def test_latin_and_greek_names_keep_the_print_font():
    assert families_for("Promyelocyte, λ = 0.5, Größe") == (PRINT,)


def test_letters_that_the_print_font_lacks_come_from_an_installed_one():
    """STIX comes with matplotlib as well, and has a letter that DejaVu Sans has not."""
    letters = fonts._letters(fonts._path("STIXGeneral")) - fonts._letters(fonts._path(PRINT))
    letter = chr(min(letters))
    families = families_for(f"a{letter}")
    assert families[0] == PRINT
    assert ord(letter) in set().union(*(fonts._letters(fonts._path(name)) for name in families))


@pytest.mark.parametrize("installed", [False, True])
def test_one_line_says_what_is_missing(tmp_path, monkeypatch, installed):
    """A letter of a private area, which hardly any font has, stands for a script without a font."""
    letter = "a" if installed else "\U0010fffd"
    families_for.cache_clear()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        save_panel(figure_with(f"class {letter}"), pd.DataFrame({"x": [1]}), tmp_path, "fig", caption="")
    told = [one for one in seen if issubclass(one.category, FontWarning)]
    assert len(told) == (0 if installed else 1)
    assert not [one for one in seen if "missing from font" in str(one.message)]
    if told:
        assert "1 letters of this figure" in str(told[0].message)
        assert "fonts-noto-cjk" in str(told[0].message)
