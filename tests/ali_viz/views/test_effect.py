"""The table of effects and the line of scores: what stands in them, and that nothing is told back."""

import re

import numpy as np
import pytest

from ali_core.evaluation import ClassificationScores
from ali_core.experiments.session_scorer import BOUND_WORDS, SessionScores
from ali_core.interventions import ClassStatistics
from ali_core.interventions.class_distances import effect_table
from ali_viz.theme import class_styles
from ali_viz.views.effect import EffectView, change_words, effect_html, scores_html
from tests.ali_viz.views.told import Told, scene

STYLES = class_styles(("monocyte", "<b>x</b>", "blast"))
LABELS = np.array([0, 0, 1, 1, 2, 2])


def state(spread, far, scale=1.0):
    """Three classes on a line: 0 at the origin, 1 at ``far``, 2 at 20; class 0 with this spread, the others with 1."""
    vectors = scale * np.array([-spread, spread, far - 1.0, far + 1.0, 19.0, 21.0])[:, None]
    return ClassStatistics.from_samples(vectors, LABELS, 3)


def scores_of(right, n_steps=3):
    """Scores of ten samples of each of two classes, of which so many are recognised each time."""
    kinds = [ClassificationScores(confusion=np.array([[n, 10 - n, 0], [0, 10, 0], [0, 0, 0]])) for n in right]
    return SessionScores(
        untouched=kinds[0],
        transfer=kinds[1],
        oracle=kinds[2],
        class_names=("monocyte", "<b>x</b>", "blast"),
        n_steps=n_steps,
        n_train=40,
        n_validation=20,
        words=("seen <by> the network",),
    )


def cells_of(html, label):
    """Return the texts of the row of a class."""
    row = next(row for row in html.split("<tr") if label in row)
    return [re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", row)]


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (4.0, 3.0, "▼ −25 %"),
        (4.0, 6.0, "▲ +50 %"),
        (4.0, 4.001, "= 0 %"),
        (0.0, 1.0, ""),
        (np.nan, 1.0, ""),
        (np.inf, 2.0, ""),
        (1.0, np.inf, ""),
    ],
)
def test_a_change_is_told_by_arrow_and_sign(before, now, words):
    assert change_words(before, now) == words


def test_each_class_has_what_was_before_promised_and_happened():
    table = effect_table(state(1.0, 5.0), state(0.5, 10.0), state(1.0, 10.0))
    shown = {
        "spread": ["1.00", "0.500 ▼ −50 %", "1.00 = 0 %", "67 %"],
        "distance": ["5.00", "10.0 ▲ +100 %", "10.0 ▲ +100 %", "67 %"],
        "overlap": ["0.200", "0.0500 ▼ −75 %", "0.100 ▼ −50 %", "67 %"],
    }
    for measure, cells in shown.items():
        assert cells_of(effect_html(table, STYLES, (2, 0, 1), measure, "absolute"), "Monocyte") == cells
    html = effect_html(table, STYLES, (2, 0, 1), "overlap", "absolute")
    assert html.index("Blast") < html.index("Monocyte") < html.index("&lt;b&gt;x&lt;/b&gt;")
    assert "<b>x</b>" not in html


def test_better_and_worse_are_said_in_words():
    table = effect_table(state(1.0, 5.0), state(2.0, 10.0))
    tips = []
    for measure in ("spread", "distance", "overlap"):
        html = effect_html(table, STYLES, (0,), measure, "absolute")
        tips += re.findall(r'<td[^>]*title="(\w+) than before"', html)
    assert tips == ["worse", "better"]  # a wider class, further away; the overlap is what it was


def test_without_an_epoch_nothing_is_said_of_one():
    html = effect_html(effect_table(state(1.0, 5.0), state(0.5, 10.0)), STYLES, range(3), "overlap", "absolute")
    assert "happened" not in html
    assert "kept" not in html
    assert len(cells_of(html, "Monocyte")) == 2


def test_relative_values_are_free_of_the_norm():
    """An epoch that only made everything three times as large has changed nothing."""
    view = EffectView(Told(), STYLES, range(3))
    view.update(scene(effect=effect_table(state(1.0, 5.0), state(0.5, 10.0), state(1.0, 5.0, scale=3.0))))
    assert "keep the norm" in view.table.value
    view.measure.widget.value = "spread"
    assert "+200 %" in view.table.value
    view.units.widget.value = "relative"
    for measure in ("spread", "distance", "overlap"):
        view.measure.widget.value = measure
        assert cells_of(view.table.value, "Monocyte")[2].split()[1:] == ["=", "0", "%"]


def test_a_class_without_samples_is_left_out():
    labels = np.array([0, 0, 1, 1])
    some = ClassStatistics.from_samples(np.array([[0.0], [1.0], [5.0], [6.0]]), labels, 3)
    assert "Blast" not in effect_html(effect_table(some, some), STYLES, range(3), "overlap", "absolute")


def test_the_line_of_scores_names_the_prediction_and_the_bound():
    """Of two classes of ten, one always recognised: with n of the other right, F1 are 2n / (n + 10), 20 / (30 - n)."""
    expected = [(2 * n / (n + 10) + 20 / (30 - n)) / 2 for n in (4, 6, 10)]
    html = scores_html(scores_of((4, 6, 10)), epoch_f1=0.75)
    assert [float(value) for value in re.findall(r"<b>([\d.]+)</b>", html)] == pytest.approx(
        [*expected, 0.75], abs=5e-4
    )
    assert f"▲ +{expected[1] - expected[0]:.3f}" in html
    assert html.index("bound") < html.index(BOUND_WORDS) < html.index("after the epoch")
    assert "predicted after 3 steps" in html
    assert "seen &lt;by&gt; the network" in html
    assert "own validation samples" in html


def test_a_lower_prediction_points_down_and_an_unscored_state_says_so():
    assert "▼ −" in scores_html(scores_of((6, 4, 10)))
    assert "= 0.000" in scores_html(scores_of((6, 6, 6), n_steps=1))
    assert "after 1 step <" in scores_html(scores_of((6, 6, 6), n_steps=1))
    assert "not been scored" in scores_html(None)
    assert "0.250" in scores_html(None, 0.25)


def test_the_button_tells_and_showing_does_not():
    told = Told()
    view = EffectView(told, STYLES, range(3))
    view.update(scene(effect=effect_table(state(1.0, 5.0), state(0.5, 10.0)), scores=scores_of((4, 6, 10))))
    assert told.calls == []
    view.score.click()
    assert told.calls == [("score",)]
