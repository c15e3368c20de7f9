"""Numbers at the classes overlap neither each other nor a small class, and stay in the axes."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg

from ali_core import LabelledEmbedding
from ali_viz.panels import draw_states, state_table
from ali_viz.panels.class_numbers import DIGIT_PT, HEIGHT_PT, MOST_NUMBERS, class_numbers, place_numbers
from ali_viz.panels.class_scatter import class_columns

SIZE = (150.0, 120.0)
points = st.tuples(st.floats(-20, 170), st.floats(-20, 140))


def boxes(places, n_digits):
    """Left, bottom, right, top of each number."""
    half = np.array([[DIGIT_PT * digits / 2, HEIGHT_PT / 2] for digits in n_digits])
    return np.hstack([places - half, places + half])


def overlap(one, other):
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@given(st.lists(points, min_size=1, max_size=15))
def test_no_two_numbers_overlap_and_none_leaves_the_axes(anchors):
    n_digits = [1 + (index > 8) for index in range(len(anchors))]
    found = boxes(place_numbers(np.array(anchors), n_digits, SIZE, clear=np.zeros(len(anchors))), n_digits)
    assert not any(overlap(one, other) for one, other in itertools.combinations(found, 2))
    assert (found[:, :2] >= 0).all()
    assert (found[:, 2:] <= SIZE).all()


def test_a_number_with_room_stands_at_its_anchor_and_the_next_one_beside_it():
    anchors = np.array([[50.0, 50.0], [100.0, 50.0], [50.0, 50.0]])
    places = place_numbers(anchors, [1, 1, 1], SIZE, clear=np.zeros(3))
    np.testing.assert_array_equal(places[:2], anchors[:2])
    assert HEIGHT_PT < np.linalg.norm(places[2] - anchors[2]) < 2 * HEIGHT_PT


def test_a_small_class_is_not_covered():
    anchors = np.array([[50.0, 50.0], [51.0, 50.0]])
    found = boxes(place_numbers(anchors, [1, 1], SIZE, clear=np.array([4.0, 0.0])), [1, 1])
    assert not any(overlap(box, (46.0, 46.0, 54.0, 54.0)) for box in found)


def test_a_crowded_plot_still_has_all_its_numbers():
    assert place_numbers(np.tile([6.0, 5.0], (9, 1)), [1] * 9, (12.0, 10.0), clear=np.zeros(9)).shape == (9, 2)


def classes(n_classes):
    rng = np.random.default_rng(2)
    labels = np.repeat(np.arange(n_classes), 5)
    vectors = 10.0 * rng.normal(size=(n_classes, 2))[labels] + rng.normal(size=(len(labels), 2))
    return LabelledEmbedding(vectors, labels, tuple(f"class {i}" for i in range(n_classes)))


def test_numbers_follow_the_legend_until_they_are_too_many():
    names = ("an own kind", "blast", "platelet")
    table = class_columns(LabelledEmbedding(np.eye(3), np.arange(3), names))
    assert class_numbers(table) == {"blast": 1, "platelet": 2, "an own kind": 3}
    assert len(class_numbers(class_columns(classes(MOST_NUMBERS)))) == MOST_NUMBERS
    assert class_numbers(class_columns(classes(MOST_NUMBERS + 1))) == {}


@pytest.mark.parametrize("width", ["single", "double"])
def test_each_number_stands_by_its_class_in_the_picture(width):
    embedding = classes(8)
    figure = draw_states(state_table({"Before": embedding, "After": embedding}, ["dims"]), width=width)
    FigureCanvasAgg(figure).draw()
    for axes in figure.axes:
        texts = {text.get_text(): text.get_window_extent() for text in axes.texts}
        assert list(texts) == [str(number) for number in range(1, 9)]
        assert not any(one.overlaps(other) for one, other in itertools.combinations(texts.values(), 2))
        for code in range(8):
            median = axes.transData.transform(np.median(embedding.vectors[embedding.labels == code], axis=0))
            box = texts[str(code + 1)]
            distance = np.hypot(*(np.array([(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2]) - median))
            assert distance < 20.0 * figure.dpi / 72.0
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        f"{code + 1} Class {code} (5)" for code in range(8)
    ]
