"""The arithmetic of camera.js, asked in the browser."""

from itertools import pairwise

import numpy as np
import pytest

pytestmark = pytest.mark.browser

SIZE = {"width": 400, "height": 300}
WIDE, TALL = {"width": 900, "height": 400}, {"width": 250, "height": 900}


@pytest.fixture
def boxes(rng):
    """Twenty boxes of every size and place."""
    low, extent = rng.normal(size=(20, 2)) * 10.0 ** rng.integers(-3, 5, size=(20, 1)), rng.uniform(0.1, 9, (20, 2))
    return [[x, x + w, y, y + h] for (x, y), (w, h) in zip(low.tolist(), extent.tolist(), strict=True)]


def test_a_pixel_and_its_place_are_inverse(page, module, boxes, rng):
    pixels = (rng.uniform(size=(20, 2)) * [400, 300]).tolist()
    for box, pixel in zip(boxes, pixels, strict=True):
        place = module("camera", "toData", box, SIZE, pixel)
        np.testing.assert_allclose(module("camera", "toPixel", box, SIZE, place), pixel, atol=1e-6)
    left, right, bottom, top = boxes[0]
    assert module("camera", "toPixel", boxes[0], SIZE, [left, top]) == [0, 0]
    assert module("camera", "toPixel", boxes[0], SIZE, [right, bottom]) == pytest.approx([400, 300])


def test_equal_units_widen_and_never_cut(module, boxes):
    for box in boxes:
        left, right, bottom, top = module("camera", "visibleBox", box, SIZE, True)
        assert (right - left) / 400 == pytest.approx((top - bottom) / 300)
        slack = 1e-9 * max(map(abs, box))
        assert left <= box[0] + slack
        assert right >= box[1] - slack
        assert bottom <= box[2] + slack
        assert top >= box[3] - slack
        assert module("camera", "visibleBox", box, SIZE, False) == box


def test_a_zoom_leaves_the_place_under_the_cursor(module, boxes, rng):
    for box in boxes:
        pixel = (rng.uniform(size=2) * [400, 300]).tolist()
        fixed = module("camera", "toData", box, SIZE, pixel)
        nearer = module("camera", "zoomedBox", box, 1.7, fixed)
        np.testing.assert_allclose(module("camera", "toPixel", nearer, SIZE, fixed), pixel, atol=1e-6)
        assert nearer[1] - nearer[0] == pytest.approx((box[1] - box[0]) / 1.7)
        np.testing.assert_allclose(module("camera", "zoomedBox", nearer, 1 / 1.7, fixed), box)


def test_a_pan_moves_what_is_seen_with_the_hand(module, boxes):
    for box in boxes:
        place = [box[0] + 0.3, box[2] + 0.2]
        before = np.array(module("camera", "toPixel", box, SIZE, place))
        moved = module("camera", "pannedBox", box, SIZE, [30, -20])
        np.testing.assert_allclose(module("camera", "toPixel", moved, SIZE, place) - before, [30, -20], atol=1e-6)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-7.3, 12.9), (1e-4, 3e-4), (-2e6, 5e6), (3, 3.0004)])
def test_ticks_are_round_and_inside(module, low, high):
    found = module("camera", "ticks", low, high, 6)
    assert 2 <= len(found) <= 7
    assert all(low <= tick <= high for tick in found)
    steps = np.diff(found)
    np.testing.assert_allclose(steps, steps[0])
    assert f"{steps[0]:.6e}"[0] in "125"
    words = [module("camera", "tickText", tick, float(steps[0])) for tick in found]
    assert len(set(words)) == len(words)


def test_a_box_that_cannot_be_drawn_is_told(module):
    assert module("camera", "isDrawable", [0, 1, 0, 1])
    assert not module("camera", "isDrawable", [0, 0, 0, 1])
    assert not module("camera", "isDrawable", [1e20, 1e20 + 1, 0, 1])


def test_panes_share_the_room_and_do_not_overlap(module):
    for count in (1, 2, 3):
        for size, labelled in ((WIDE, [True, True]), (TALL, [False, False])):
            areas = module("camera", "paneAreas", count, size, labelled, {"width": 3, "height": 2}, [])
            assert len(areas) == count
            assert len({(area["width"], area["height"]) for area in areas}) == 1
            for one in areas:
                assert 0 <= one["x"] <= one["x"] + one["width"] <= size["width"] + 1e-9
                assert 0 <= one["y"] <= one["y"] + one["height"] <= size["height"] + 1e-9
            for a, b in pairwise(areas):
                assert b["x"] >= a["x"] + a["width"] or b["y"] >= a["y"] + a["height"]


@pytest.mark.parametrize(
    ("count", "size", "box", "before", "rows"),
    [
        (2, (900, 600), (1, 1), [], 1),  # 446 beside each other, 296 in two rows
        (2, (900, 600), (3, 1), [], 2),  # 149 beside each other, 296 in two rows
        (3, (900, 600), (1, 0.7), [], 2),  # 295 beside each other, 423 in two rows, 274 in three
        (3, (400, 900), (1, 1), [], 3),
        (2, (900, 600), (1.6, 1), [0, 0], 1),  # 279 beside each other, 296 in two rows
        (2, (900, 600), (1.6, 1), [0, 304], 2),
        (2, (900, 600), (1.4, 1), [0, 304], 2),  # 319 beside each other, 296 in two rows
        (2, (900, 600), (1, 1), [0, 304], 1),
        (3, (900, 600), (1.6, 1), [0, 304], 2),  # two panes until now
    ],
)
def test_panes_stand_so_that_what_they_hold_is_large(module, count, size, box, before, rows):
    width, height = size
    held = {"width": box[0], "height": box[1]}
    were = [{"y": y} for y in before]
    areas = module("camera", "paneAreas", count, {"width": width, "height": height}, [False, False], held, were)
    assert len({area["y"] for area in areas}) == rows
