"""Text is measured as it is drawn, and broken so that it fits."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg

from ali_viz.panels.print_style import add_axes_mm, new_figure, print_style, text_width_mm, wrapped


@pytest.mark.parametrize("text", ["Segmented neutrophil", "1,067", "ali c,s +cw 0.702"])
def test_the_width_is_that_of_drawn_text(text):
    with print_style():
        figure = new_figure(100, 20)
        figure.set_dpi(600)
        axes = add_axes_mm(figure, 0, 0, 100, 20)
        drawn = axes.text(0.1, 0.5, text)
        FigureCanvasAgg(figure).draw()
        pixels = drawn.get_window_extent().width
    assert text_width_mm(text) == pytest.approx(pixels / 600 * 25.4, rel=0.01)


def test_words_go_to_the_next_line_only_where_they_do_not_fit():
    width = text_width_mm("Segmented neutrophil")
    assert wrapped("Segmented neutrophil", width + 0.01) == "Segmented neutrophil"
    assert wrapped("Segmented neutrophil", width - 0.01) == "Segmented\nneutrophil"
    assert wrapped("", 10.0) == ""


@settings(max_examples=50)
@given(st.lists(st.text("abcdeWi", min_size=1, max_size=30), min_size=1, max_size=4), st.floats(3.0, 40.0))
def test_no_line_is_too_wide_and_no_letter_is_lost(words, width):
    lines = wrapped(" ".join(words), width).split("\n")
    assert max(text_width_mm(line) for line in lines) <= width
    assert "".join(lines).replace(" ", "") == "".join(words)
