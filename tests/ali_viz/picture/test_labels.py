"""Names stay in their pane, clear of each other and of what they must not cover."""

import numpy as np
import pytest

from tests.ali_viz.picture.conftest import ADDRESS

pytestmark = pytest.mark.browser

ROOM = {"width": 420, "height": 360}


def apart(a, b):
    return 2 * abs(a["x"] - b["x"]) >= a["width"] + b["width"] - 1e-9 or (
        2 * abs(a["y"] - b["y"]) >= a["height"] + b["height"] - 1e-9
    )


@pytest.mark.parametrize("count", [1, 11, 30])
def test_names_are_inside_and_apart(module, rng, count):
    for spread in (0.02, 0.3, 1.0):
        anchors = (rng.uniform(0.5 - spread / 2, 0.5 + spread / 2, (count, 2)) * [420, 360]).tolist()
        labels = [{"anchor": anchor, "width": float(rng.uniform(30, 170)), "height": 15} for anchor in anchors]
        obstacles = [{"x": 60, "y": 14, "width": 120, "height": 28}, {"x": 210, "y": 180, "width": 22, "height": 22}]
        places = module("labels", "labelPlaces", labels, ROOM, obstacles)
        assert len(places) == count
        there = [place for place in places if place is not None]
        assert len(there) >= min(count, 8)
        for place, (x, y) in ((one, at) for one, at in zip(places, anchors, strict=True) if one is not None):
            gap = [max(abs(place["x"] - x) - place["width"] / 2, 0), max(abs(place["y"] - y) - place["height"] / 2, 0)]
            assert np.hypot(*gap) <= 60
            assert place["width"] / 2 - 1e-9 <= place["x"] <= 420 - place["width"] / 2 + 1e-9
            assert place["height"] / 2 - 1e-9 <= place["y"] <= 360 - place["height"] / 2 + 1e-9
        boxes = obstacles + there
        assert all(apart(a, b) for k, a in enumerate(boxes) for b in boxes[k + 1 :] if b in there)


def test_a_name_alone_stands_where_its_class_is(module):
    label = {"anchor": [200.0, 100.0], "width": 50, "height": 15}
    assert module("labels", "labelPlaces", [label], ROOM, []) == [{"x": 200, "y": 100, "width": 50, "height": 15}]
    too_wide = module("labels", "labelPlaces", [label | {"width": 500}], ROOM, [])
    assert too_wide == [None]


def test_a_long_name_keeps_both_ends(page):
    script = (
        "async ([address, text, most]) => (await import(`${address}labels.js`)).shortened(text, most, t => t.length)"
    )
    name = "Hematogone in the bone marrow of a patient with a long history, type 12b"
    short = page.evaluate(script, [ADDRESS, name, 20])
    assert 18 <= len(short) <= 20
    assert short.startswith("Hematogon")
    assert short.endswith("type 12b")
    assert page.evaluate(script, [ADDRESS, "Blast", 20]) == "Blast"
