"""Two confusion matrices: the numbers in them, their order, and what is said of the bound."""

import re
from unittest.mock import Mock

import numpy as np

from ali_core.evaluation import ClassificationScores
from ali_core.experiments.session_scorer import BOUND_WORDS, SessionScores
from ali_viz.theme import class_styles
from ali_viz.views.confusion import FAINTEST, STRONGEST, ConfusionView, f1_html, matrix_html
from tests.ali_viz.views.told import scene

NAMES = ("monocyte", "<b>x</b>", "blast")
STYLES = class_styles(NAMES)
COUNTS = np.array([[8, 2, 0], [0, 5, 15], [1, 0, 0]])


def rows_of(html):
    """Return the texts of all rows of a table, headings included."""
    rows = re.findall(r"<tr>.*?</tr>", html)
    return [[re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<t[dh].*?</t[dh]>", row)] for row in rows]


def scores_of(*confusions):
    kinds = [ClassificationScores(confusion=np.asarray(confusion)) for confusion in confusions]
    return SessionScores(
        untouched=kinds[0],
        transfer=kinds[1],
        oracle=kinds[2],
        class_names=NAMES,
        n_steps=1,
        n_train=9,
        n_validation=31,
        words=("a <word>",),
    )


def test_counts_stand_in_the_order_given_with_true_classes_in_rows():
    order = (2, 0, 1)
    rows = rows_of(matrix_html(COUNTS, STYLES, order, "title"))
    assert rows[:2] == [["", "predicted class"], ["", "1", "2", "3"]]
    assert rows[2][0] == "true class"
    expected = [[str(count or "") for count in row] for row in COUNTS[np.ix_(order, order)]]
    assert [row[-3:] for row in rows[2:]] == expected


def test_shade_is_the_share_of_the_row_and_errors_are_told_apart():
    html = matrix_html(COUNTS, STYLES, range(3), "title")
    found = re.findall(r'<td class="ali-(\w+)" style="--share:([\d.]+)" title="([^"]+)">(\d+)</td>', html)
    shades = {(kind, int(count)): float(share) for kind, share, _, count in found}
    span = STRONGEST - FAINTEST
    assert shades == {
        ("right", 8): round(FAINTEST + 0.8 * span, 2),
        ("wrong", 2): round(FAINTEST + 0.2 * span, 2),
        ("right", 5): round(FAINTEST + 0.25 * span, 2),
        ("wrong", 15): round(FAINTEST + 0.75 * span, 2),
        ("wrong", 1): round(STRONGEST, 2),
    }
    tips = {int(count): tip for _, _, tip, count in found}
    assert tips[8] == "Monocyte: 8 of 10 (80 %) recognised"
    assert tips[1] == "Blast: 1 of 1 (100 %) taken for Monocyte"
    assert "<b>" not in html


def test_classes_of_equal_label_are_not_taken_for_each_other():
    styles = class_styles(("plasma_cell", "plasma cell"))
    html = matrix_html(np.array([[0, 3], [0, 4]]), styles, range(2), "title")
    assert re.findall(r'class="ali-(\w+)" style="[^"]+" title="[^"]+">(\d)', html) == [("wrong", "3"), ("right", "4")]


def test_the_key_tells_the_f1_of_each_class_before_and_after():
    before, after = np.array([0.5, 0.25, np.nan]), np.array([0.75, 0.25, 0.5])
    rows = rows_of(f1_html(before, after, np.array([10, 1200, 0]), STYLES, (2, 0, 1)))
    assert rows[1:] == [
        ["1", "Blast", "0", "– → 0.50", "–"],
        ["2", "Monocyte", "10", "0.50 → 0.75", "▲ +0.25"],
        ["3", "&lt;b&gt;x&lt;/b&gt;", "1,200", "0.25 → 0.25", "= 0.00"],
    ]


def test_the_view_shows_the_prediction_and_on_request_the_bound_with_its_badge():
    actions = Mock()
    view = ConfusionView(actions, STYLES, range(3))
    assert "has not been scored" in view.picture.value
    view.score.click()
    actions.score.click.assert_called_once_with()
    oracle = np.diag([10, 20, 1])
    view.update(scene(scores=scores_of(COUNTS, COUNTS.T, oracle)))
    tables = view.picture.value.split("</table>")
    assert [row[-3:] for row in rows_of(tables[1])[2:]] == [[str(n or "") for n in row] for row in COUNTS.T]
    assert "Predicted after 1 step," in tables[1]
    assert BOUND_WORDS not in view.picture.value
    view.after.widget.value = "oracle"
    tables = view.picture.value.split("</table>")
    assert [row[-3:] for row in rows_of(tables[1])[2:]] == [[str(n or "") for n in row] for row in oracle]
    assert BOUND_WORDS in tables[1]
    assert "a &lt;word&gt;" in view.picture.value
    view.update(scene())
    assert "has not been scored" in view.picture.value


def test_sixty_classes_stay_a_message_of_moderate_size():
    styles = class_styles(tuple(f"class {code}" for code in range(60)))
    counts = np.random.default_rng(0).integers(0, 2, size=(60, 60))
    assert len(matrix_html(counts, styles, range(60), "title")) < 500_000
