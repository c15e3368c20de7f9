"""What is drawn of a scene, in which order and how."""

import numpy as np
import pytest

from ali_viz.theme import MARKERS
from tests.ali_viz.picture.conftest import ADDRESS

pytestmark = pytest.mark.browser

BATCHES = """async ([address, selected, chosen, before]) => {
  const { batchesOf } = await import(`${address}looks.js`);
  const part = n => Float32Array.from({length: 2 * n}, () => 0);
  const layer = parts => ({parts, table: Float64Array.from([2, 10, 20, 1, 0, 0, NaN, NaN, NaN])});
  const now = layer([part(5), part(3), null]), old = layer([part(5), null, null]);
  const scene = {panes: [{now, old, planned: layer([null, part(3), null])}], cloud: {counts: [5, 3, 0]},
    selected: new Set(selected), chosen: chosen ? [part(5), part(3), part(0)] : null, tint: null};
  const classes = ['#ff0000', '#00ff00', '#0000ff'].map(colour => ({colour, shape: 'square', filled: true}));
  const earlier = before === null ? null : {now: layer(before.map(n => n === null ? null : part(n)))};
  return batchesOf(scene, 0, [0, 40, 0, 80], earlier, {classes, order: [1, 0, 2]}).map(batch =>
    ({...batch, moves: batch.from !== batch.to, from: null, to: batch.to.length / 2, chosen: batch.chosen !== null}));
}"""


def batches(page, selected=(), chosen=False, before=None):
    return page.evaluate(BATCHES, [ADDRESS, list(selected), chosen, before])


def test_old_places_lie_below_and_the_preview_above(page):
    old, first, second, planned = batches(page)
    assert [one["to"] for one in (old, first, second, planned)] == [5, 3, 5, 3]
    assert [one["hollow"] for one in (old, first, second, planned)] == [True, False, False, True]
    assert first["colour"][:3] == planned["colour"][:3] == [0, 1, 0]
    assert second["toMap"] == [2 * 2 / 40, 2 * 2 / 80, 2 * 10 / 40 - 1, 2 * 20 / 80 - 1]
    assert not any(one["moves"] for one in (old, first, second, planned))


def test_a_selected_class_stands_out_and_lies_on_top(page):
    _, faint, strong, _ = batches(page, selected=[1])
    assert faint["colour"] == [1, 0, 0, 0.12]
    assert strong["colour"][:3] == [0, 1, 0]
    assert strong["colour"][3] > 0.9
    assert strong["size"] == faint["size"] + 1
    assert [one["chosen"] for one in batches(page, chosen=True)] == [False, True, True, False]


def test_what_was_there_before_moves_and_what_has_another_size_jumps(page):
    assert [one["moves"] for one in batches(page, before=[5, 4, None])] == [False, False, True, False]


def test_every_marker_of_the_theme_has_a_shape_within_its_cell(page):
    shapes = page.evaluate("async address => (await import(`${address}shapes.js`)).SHAPES", ADDRESS)
    assert list(shapes) == list(MARKERS)
    for name, corners in shapes.items():
        if name != "circle":
            points = np.array(corners)
            assert np.abs(points).max() <= 1.42
            assert len(points) >= 3


def test_the_more_points_the_smaller(module):
    sizes = [module("looks", "pointSize", count) for count in (10, 5000, 20_000, 100_000, 1_000_000)]
    assert sizes == sorted(set(sizes), reverse=True)
