"""Printed tables against readers of other libraries, and numbers written by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ali_core.experiments.table_files import as_latex, as_markdown, latex_text, markdown_text

TEXTS = st.text("ab1 |*_`[]()<>~$&#%{}^\\\"'±–-+!.:\n", max_size=12)
TABLE = pd.DataFrame(
    {
        "name_": ["a|b", None],
        "score": [0.61234567, 1.0],
        "p": [0.00002, 0.5],
        "n": [3, 12],
        "percent": [68.912, np.nan],
        "strength": [0.5, 4.0],
        "seconds": [12345.67, 0.2],
        "count": [7.0, np.nan],
        "limit": [-np.inf, -0.25],
        "here": [True, False],
    }
)


def read(markdown):
    """The texts of a caption and of a table's cells, row by row, as CommonMark with GitHub's tables has them."""
    texts, row, caption = [], None, None
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown):
        if token.type == "tr_open":
            row = []
            texts.append(row)
        elif token.type == "inline":
            assert {child.type for child in token.children} <= {"text", "text_special"}
            text = "".join(child.content for child in token.children)
            caption = text if row is None else caption
            if row is not None:
                row.append(text)
    return caption, texts


@given(TEXTS, st.lists(st.lists(TEXTS, min_size=2, max_size=2), max_size=3))
def test_markdown_is_read_as_it_was_meant(caption, rows):
    table = pd.DataFrame(rows, columns=["a|b", "c_d_"], dtype=object)
    found, cells = read(as_markdown(table, caption="A table: " + caption))
    plain = [[" ".join(text.split()) for text in row] for row in rows]
    assert found == "A table: " + " ".join(caption.split()) or not caption.split()
    assert cells == [["a|b", "c_d_"], *plain]


@given(st.text("ab1 &%$#_{}*`[]()-+!.:'\n", max_size=12))
def test_latex_is_escaped_as_pandas_does(text):
    found = pd.DataFrame([["x" + " ".join(text.split())]]).to_latex(escape=True, header=False, index=False)
    assert "\nx" + latex_text(text) + " \\\\\n" in found


def test_marks_that_are_others_in_latex():
    assert latex_text('a<b>c|"±–') == r"a\textless{}b\textgreater{}c\textbar{}\textquotedbl{}$\pm$--"
    assert latex_text("\\~^") == r"\textbackslash{}\textasciitilde{}\textasciicircum{}"
    assert markdown_text("a\n b") == "a b"


def test_numbers_have_the_digits_that_their_column_needs():
    _, (heads, first, second) = read(as_markdown(TABLE, caption="x"))
    assert heads == list(TABLE)
    assert first == ["a|b", "0.612", "2.0e-05", "3", "68.91", "0.5", "12346", "7", "-inf", "True"]
    assert second == ["–", "1.000", "0.5000", "12", "–", "4.0", "2.0e-01", "–", "-0.25", "False"]


def test_latex_is_whole():
    text = as_latex(TABLE, caption="50 % of A_B")
    assert text.splitlines() == [
        *(r"\begin{table}", r"\centering", r"\caption{50 \% of A\_B}", r"\begin{tabular}{lrrrrrrrrl}", r"\toprule"),
        r"name\_ & score & p & n & percent & strength & seconds & count & limit & here \\",
        r"\midrule",
        r"a\textbar{}b & $0.612$ & $2.0 \cdot 10^{-5}$ & $3$ & $68.91$ & $0.5$ & $12346$ & $7$ & $-\infty$ & True \\",
        r"-- & $1.000$ & $0.5000$ & $12$ & -- & $4.0$ & $2.0 \cdot 10^{-1}$ & -- & $-0.25$ & False \\",
        *(r"\bottomrule", r"\end{tabular}", r"\end{table}"),
    ]


@pytest.mark.parametrize("write", [as_markdown, as_latex])
def test_a_table_without_rows_has_its_heads(write):
    assert "method" in write(TABLE.iloc[:0].rename(columns={"score": "method"}), caption="none")


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5))
def test_a_number_is_off_by_half_of_its_last_place_at_most(values):
    _, (_, *rows) = read(as_markdown(pd.DataFrame({"x": values}), caption="x"))
    largest = max(1.0, *map(abs, values))
    for (text,), value in zip(rows, values, strict=True):
        assert abs(float(text) - value) <= (0.051 * abs(value) if "e" in text else 0.00051 * largest)
