from itertools import combinations, pairwise

import numpy as np
import plotly.graph_objects as go
import pytest
from matplotlib.markers import MarkerStyle

from ali_viz.theme import UNLABELLED, class_label, class_styles, is_faint, lineage_order, sample_styles

MARROW = (
    "promyelocyte",
    "myelocyte",
    "metamyelocyte",
    "band_granulocyte",
    "segmented_granulocyte",
    "blast",
    "proerythroblast",
    "basophilic_erythroblast",
    "polychromatic_erythroblast",
    "orthochromatic_erythroblast",
    "basophilic_granulocyte",
    "eosinophilic_granulocyte",
    "promonocyte",
    "monocyte",
    "lymphocyte",
)
BLOOD = (
    "band_neutrophil",
    "basophil",
    "eosinophil",
    "erythroblast",
    "ig_unspecified",
    "lymphocyte",
    "metamyelocyte",
    "monocyte",
    "myelocyte",
    "neutrophil_unspecified",
    "platelet",
    "promyelocyte",
    "segmented_neutrophil",
)
UNKNOWN_10, UNKNOWN_60, UNKNOWN_200 = (tuple(f"class {i}" for i in range(n)) for n in (10, 60, 200))
ALL_LISTS = {
    "marrow": MARROW,
    "blood": BLOOD,
    "10 unknown": UNKNOWN_10,
    "60 unknown": UNKNOWN_60,
    "200 unknown": UNKNOWN_200,
    "mixed": (*MARROW, *UNKNOWN_60),
}

# Machado, Oliveira, Fernandes, "A physiologically-based model for simulation of color vision
# deficiency", IEEE TVCG 15 (2009), severity 1.0; for linear RGB.
SIGHTS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
# Ottosson, OKLab (2020): linear sRGB to cone responses, their cube roots to Lab.
TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear_rgb(colour):
    values = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def oklab(colour, sight):
    seen = np.clip(SIGHTS[sight] @ linear_rgb(colour), 0, 1)
    return TO_LAB @ np.cbrt(TO_CONES @ seen)


def luminance(colour):
    return float(np.array([0.2126, 0.7152, 0.0722]) @ linear_rgb(colour))


def contrast(one, two):
    dark, light = sorted((luminance(one), luminance(two)))
    return (light + 0.05) / (dark + 0.05)


def test_a_colour_is_faint_where_one_of_the_two_grounds_hides_it():
    greys = [f"#{value:02x}{value:02x}{value:02x}" for value in range(256)]
    for colour in [*greys, "#000080", "#ffff80", "#3061d8", "#d2042d"]:
        assert is_faint(colour) == (min(contrast(colour, "#ffffff"), contrast(colour, "#111111")) < 2.0), colour


def test_the_colour_space_of_these_tests_is_right():
    np.testing.assert_allclose(oklab("#ffffff", "normal"), [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(oklab("#ff0000", "normal"), [0.628, 0.225, 0.126], atol=1e-3)
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("names", ALL_LISTS.values(), ids=ALL_LISTS)
@pytest.mark.parametrize("sight", SIGHTS)
def test_every_pair_differs_in_marker_or_visibly_in_colour(names, sight):
    styles = class_styles(names)
    seen = [oklab(style.colour, sight) for style in styles]
    for one, two in combinations(range(len(styles)), 2):
        if styles[one].symbol == styles[two].symbol:
            distance = np.linalg.norm(seen[one] - seen[two])
            assert distance > 0.05, (styles[one], styles[two])


@pytest.mark.parametrize("names", ALL_LISTS.values(), ids=ALL_LISTS)
def test_neighbours_in_the_order_differ_in_marker(names):
    ordered = sorted(class_styles(names), key=lambda style: style.order)
    assert [style.order for style in ordered] == list(range(len(names)))
    for one, two in pairwise(ordered):
        assert one.symbol != two.symbol


@pytest.mark.parametrize("names", ALL_LISTS.values(), ids=ALL_LISTS)
def test_every_colour_shows_on_white_and_on_dark(names):
    for style in class_styles(names):
        assert contrast(style.colour, "#ffffff") >= 2.0, style
        assert contrast(style.colour, "#111111") >= 2.0, style


@pytest.mark.parametrize("names", ALL_LISTS.values(), ids=ALL_LISTS)
def test_markers_exist_in_matplotlib_and_in_plotly_webgl(names):
    styles = class_styles(names)
    for style in styles:
        assert MarkerStyle(style.marker).is_filled()
        assert style.filled != style.symbol.endswith("-open")
        assert "dot" not in style.symbol  # not drawn by scattergl
    symbols = [style.symbol for style in styles]
    assert list(go.Scattergl(marker={"symbol": symbols}).marker.symbol) == symbols


def test_marrow_is_ordered_by_lineage_and_maturity():
    names = sorted(MARROW)
    ordered = [names[index] for index in lineage_order(names)]
    assert ordered[0] == "blast"
    stages = ["promyelocyte", "myelocyte", "metamyelocyte", "band_granulocyte"]
    assert [name for name in ordered if name in stages] == stages
    erythroid = [name for name in ordered if name.endswith("erythroblast")]
    assert erythroid == list(MARROW[6:10])
    assert ordered.index("monocyte") == ordered.index("promonocyte") + 1


@pytest.mark.parametrize("lineage", [MARROW[:5], MARROW[6:10], ("promonocyte", "monocyte")])
def test_cells_get_lighter_as_they_mature(lineage):
    lightness = [oklab(style.colour, "normal")[0] for style in class_styles(lineage)]
    assert (np.diff(lightness) > 0.05).all()


def test_a_known_class_looks_the_same_in_every_data_set():
    marrow = {style.name: style for style in class_styles(MARROW)}
    blood = {style.name: style for style in class_styles(BLOOD)}
    for one, two in (
        ("monocyte", "monocyte"),
        ("eosinophilic_granulocyte", "eosinophil"),
        ("band_granulocyte", "band_neutrophil"),
    ):
        assert marrow[one].colour == blood[two].colour
        assert marrow[one].symbol == blood[two].symbol


def test_writing_does_not_matter():
    one, two = (class_styles([name])[0] for name in ("Band neutrophil", "band_neutrophil"))
    assert (one.colour, one.symbol, one.label) == (two.colour, two.symbol, two.label)


def test_two_names_for_one_cell_stay_apart():
    one, two = class_styles(["eosinophil", "eosinophilic_granulocyte"])
    assert (one.colour, one.symbol) != (two.colour, two.symbol)


def test_240_unknown_classes_have_240_looks_and_more_still_work():
    styles = class_styles([str(i) for i in range(300)])
    assert len({(style.colour, style.symbol) for style in styles[:240]}) == 240
    assert len(styles) == 300


def test_unknown_names_follow_and_an_order_that_somebody_chose_is_kept():
    assert lineage_order(["a", "b", "monocyte"]) == [2, 0, 1]
    assert lineage_order(["monocyte", "b", "blast"]) == [0, 1, 2]


@pytest.mark.parametrize(
    ("name", "label"),
    [("band_neutrophil", "Band neutrophil"), ("ig_unspecified", "IG unspecified"), ("7", "7")],
)
def test_labels_read_well(name, label):
    assert class_label(name) == label


def test_chosen_colours_stand_in_place_of_ours_and_markers_stay():
    ours, chosen = class_styles(MARROW), class_styles(MARROW, {"blast": "#123456"})
    for before, after in zip(ours, chosen, strict=True):
        assert after.colour == ("#123456" if after.name == "blast" else before.colour)
        assert after.marker == before.marker


def test_the_code_of_no_class_finds_the_grey_style():
    labels = np.array([0, -1, 1])
    styles = sample_styles(["a", "b"], labels)
    assert [styles[code].name for code in labels] == ["a", UNLABELLED.name, "b"]
    assert sample_styles(["a", "b"], labels[[0, 2]]) == class_styles(["a", "b"])
