"""Settings refuse what makes no sense; presets are Table I."""

import pytest

from ali_core import AliError, InterventionSettings, preset
from ali_core.interventions.settings import check_dimension


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("contract", 1.5), ("contract", -0.1), ("rotate", 2), ("shift", -1), ("shift", float("inf")),
        ("shift_mix", 1.25), ("n_neighbours", 0), ("n_iterations", -1), ("selection", "random"),
        ("norm_keeping", "sum"), ("spread", "iqr"), ("seed", -1),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_its_field(field, value):
    with pytest.raises(AliError, match=f"{field}: .*got {value!r}"):
        InterventionSettings(**{field: value})


# Table I of the paper: λ_r, λ_s, γ, n, i in 2-D and in D dimensions.
TABLE_I = {
    "c": ((0, 0, 1, 15, 48), (0, 0, 1, 15, 33)),
    "c,s": ((0, 1, 1, 11, 48), (0, 4, 1, 2, 25)),
    "c,r": ((0.16, 0, 1, 11, 47), (0.32, 0, 1, 11, 15)),
    "c,s,os": ((0, 2, 0.75, 14, 46), (0, 4, 0.5, 2, 25)),
    "c,s,r": ((0.02, 1, 1, 15, 45), (0.32, 0.25, 1, 15, 15)),
    "all": ((0.02, 1, 0.25, 15, 43), (0.32, 1, 0.75, 15, 15)),
}


@pytest.mark.parametrize("name", TABLE_I)
@pytest.mark.parametrize(("dim", "column"), [(1, 0), (2, 0), (3, 1), (256, 1)])
def test_presets_are_the_table_of_the_paper(name, dim, column):
    found = preset(name, dim)
    values = (found.rotate, found.shift, found.shift_mix, found.n_neighbours, found.n_iterations)
    assert values == TABLE_I[name][column]
    assert found.contract == 0.5
    assert found.selection == "deterministic"
    assert found.criterion == ("mean-std" if dim <= 2 else "product")


def test_an_unknown_preset_lists_the_known_ones():
    with pytest.raises(AliError, match=r"c \| c,s \| c,r \| c,s,os \| c,s,r \| all"):
        preset("shift", 2)


def test_changed_checks_again():
    with pytest.raises(AliError, match="contract"):
        preset("c", 2).changed(contract=7)
    assert preset("c", 2).changed(contract=0.2).contract == 0.2


def test_a_name_that_does_not_exist_is_told_with_the_nearest_one():
    with pytest.raises(AliError, match=r"^there is no setting 'shift_mx'; did you mean shift_mix\?$"):
        InterventionSettings(shift_mx=1)


@pytest.mark.parametrize("name", ["c,s", "all", "c"])
@pytest.mark.parametrize(("made_for", "dim"), [(2, 8), (2, 3), (8, 2), (256, 1)])
def test_a_preset_for_another_dimension_is_refused(name, made_for, dim):
    settings = preset(name, made_for).changed(seed=5)
    with pytest.raises(AliError, match=rf"preset '{name}' for .* but the vectors have {dim}; take preset"):
        check_dimension(settings, dim)
    check_dimension(preset(name, dim), dim)
    check_dimension(preset(name, 3), 300)
    check_dimension(settings.changed(contract=0.4), dim)  # strengths of one's own fit everywhere
