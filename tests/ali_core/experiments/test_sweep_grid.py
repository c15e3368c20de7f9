"""What a dry run tries: counts by hand, and the paper's grid."""

import pytest

from ali_core import AliError, preset
from ali_core.experiments.sweep_grid import SweepGrid, configuration_name
from ali_core.interventions import PRESETS

COUNTS = {"c": 28, "c,s": 168, "c,r": 140, "c,s,os": 672, "c,s,r": 840, "all": 3360}
"""4 contractions, 7 choices, 6 shifts, 5 rotations, 4 mixes."""


@pytest.mark.parametrize("combination", PRESETS)
def test_every_combination_has_as_many_configurations_as_its_grid(combination):
    found = SweepGrid().configurations(combination)
    assert len(found) == COUNTS[combination]
    assert len({configuration_name(one) for one in found}) == len(found)
    parts = set(combination.split(",")) if combination != "all" else {"c", "s", "os", "r"}
    for one in found:
        used = {"c": one.contract > 0, "r": one.rotate > 0, "s": one.shift > 0, "os": one.shift_mix < 1}
        assert {name for name, is_used in used.items() if is_used} == parts
        assert one.n_neighbours == 15


@pytest.mark.parametrize("dim", [2, 256])
@pytest.mark.parametrize("combination", PRESETS)
def test_what_the_paper_found_best_is_in_its_grid(combination, dim):
    paper = preset(combination, dim)
    tried = [one.model_dump(exclude={"n_iterations"}) for one in SweepGrid().configurations(combination)]
    assert paper.changed(n_neighbours=15).model_dump(exclude={"n_iterations"}) in tried


def test_the_grid_is_the_powers_that_the_paper_names():
    grid = SweepGrid()
    assert grid.contract == tuple(2.0**x for x in range(-4, 0))
    assert grid.rotate == pytest.approx([0.01 * 2**x for x in range(1, 6)])
    assert grid.shift == tuple(2.0**x for x in range(-2, 4))
    assert (*grid.shift_mix, 1.0) == (0, 0.25, 0.5, 0.75, 1)
    assert {criterion for criterion, _ in grid.choices} == {"closest", "mean-std", "mean-all", "product"}


def test_those_that_differ_in_the_choice_alone_stand_side_by_side():
    grid = SweepGrid()
    found = grid.configurations("all")
    for start in range(0, len(found), len(grid.choices)):
        bundle = found[start : start + len(grid.choices)]
        assert len({(one.contract, one.rotate, one.shift, one.shift_mix) for one in bundle}) == 1
        assert [(one.criterion, one.selection) for one in bundle] == list(grid.choices)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"contract": []}, "contract"),
        ({"contract": [1.5]}, "1.5"),
        ({"rotate": [-0.1]}, "-0.1"),
        ({"shift": [float("inf")]}, "shift"),
        ({"shift_mix": [2]}, "shift_mix"),
        ({"choices": []}, "choices"),
        ({"choices": [["largest", "deterministic"]]}, "'largest' is not known"),
        ({"choices": [["product", "sometimes"]]}, "sometimes"),
        ({"n_neighbours": 0}, "n_neighbours"),
        ({"seed": -1}, "seed"),
        ({"contracts": [0.5]}, "did you mean contract"),
    ],
)
def test_bad_values_are_refused_in_one_line(values, message):
    with pytest.raises(AliError, match=message) as caught:
        SweepGrid(**values)
    assert "\n" not in str(caught.value)


def test_an_unknown_combination_is_refused_with_those_there_are():
    with pytest.raises(AliError, match=r"'c,o'; they are c | c,s"):
        SweepGrid().configurations("c,o")


@pytest.mark.parametrize(("n_classes", "most"), [(2, 1), (5, 4), (15, 14), (40, 15)])
def test_the_second_sweep_has_every_number_of_neighbours_that_there_can_be(n_classes, most):
    one = preset("c,s", 256)
    found = SweepGrid().neighbours(one, n_classes)
    assert [other.n_neighbours for other in found] == list(range(1, most + 1))
    assert {other.changed(n_neighbours=1).model_dump_json() for other in found} == {
        one.changed(n_neighbours=1).model_dump_json()
    }


def test_a_contraction_alone_has_no_second_sweep():
    one = preset("c", 256)
    assert SweepGrid().neighbours(one, 15) == (one,)


def test_names_tell_close_values_apart():
    one = preset("all", 2)
    values = [0.12345678, 0.12345679, 1e-7, 0.1, 1.0]
    names = [configuration_name(one.changed(**{field: value})) for field in ("contract", "shift") for value in values]
    assert len(set(names)) == len(names)
    assert configuration_name(one) == "c=0.5 r=0.02 s=1 mix=0.25 n=15 mean-std deterministic"
    assert configuration_name(preset("c", 256)) == "c=0.5 n=15 product deterministic"
