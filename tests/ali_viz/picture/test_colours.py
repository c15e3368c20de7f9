"""Colours by a column of the metadata."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib import colormaps

from ali_core.errors import AliError
from ali_viz.picture import colouring, tells_groups
from tests.ali_viz.test_theme import oklab


def colour_of(found, row):
    return found.palette[found.tints[row], :3].tolist()


def test_numbers_run_from_dark_to_bright_and_missing_ones_are_grey():
    found = colouring("age", [20.0, np.nan, 80.0, 50.0])
    assert found.range == (20.0, 80.0)
    for row, share in ((0, 0.0), (2, 1.0), (3, 0.5)):
        np.testing.assert_allclose(colour_of(found, row), 255 * np.array(colormaps["viridis"](share)[:3]), atol=2)
    assert found.entries == (("missing", "#9a9a9a"),)
    assert colour_of(found, 1) == [0x9A] * 3


def test_categories_get_a_colour_each_in_natural_order():
    found = colouring("site", ["b", "a", "b", "", None, "b", "a", "c"])
    assert [words for words, _ in found.entries] == ["a", "b", "c", "missing"]
    assert found.range is None
    colours = dict(found.entries)
    for row, word in enumerate(["b", "a", "b"]):
        assert colour_of(found, row) == list(bytes.fromhex(colours[word][1:]))
    assert found.tints[3] == found.tints[4] == 255


def test_both_ends_of_the_scale_get_a_rim_and_its_middle_none():
    rims = colouring("age", [20.0, 80.0, 50.0]).palette[[0, 127, 254], 3]  # dark violet, teal, yellow
    assert rims.tolist() == [255, 0, 255]


def test_names_of_files_colour_nothing():
    assert tells_groups(["a", "b", "a"])
    assert tells_groups([0.1, 0.2])
    assert tells_groups([3, 3, 4])
    assert not tells_groups(["a.png", "b.png", None, ""])
    assert not tells_groups([1, 2, 3])
    assert not tells_groups([1.0, 2.0, np.nan, np.nan])  # numbers of files, two unknown
    assert tells_groups([1.0, 2.0, np.nan, 2.0])


def test_forty_categories_have_forty_colours_that_differ_visibly():
    found = colouring("patient", [*(f"patient {k % 40}" for k in range(80)), None])
    seen = [oklab(colour, "normal") for _, colour in found.entries]
    assert len(seen) == 41  # the last is what is missing
    assert min(np.linalg.norm(one - other) for one, other in combinations(seen, 2)) > 0.09
    assert not found.palette[:40, 3].any()  # on white and on black, without a rim


def test_of_many_categories_the_rarest_share_a_colour():
    column = [f"patient {k % 60}" for k in range(60)] + [f"patient {k}" for k in range(30)]
    found = colouring("patient", column)
    assert len(found.entries) == 41
    assert found.entries[-1][0] == "20 others"
    assert colour_of(found, 45) == colour_of(found, 59) != colour_of(found, 0)


def test_a_column_of_one_number_is_one_category_and_a_table_is_refused():
    assert colouring("batch", [3, 3, 3]).entries == (("3", "#3061d8"),)
    with pytest.raises(AliError, match="one value a sample; got shape"):
        colouring("batch", np.zeros((2, 2)))
