"""Settings say what contradicts, and survive a file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ali_core import AliError, InterventionSettings
from ali_core.training import METHODS, TrainSettings
from tests.ali_core.training.samples import small


@given(
    method=st.sampled_from([name for name in METHODS if name != "pli"]),
    weights=st.booleans(),
    weight=st.none() | st.floats(0, 1),
    rate=st.floats(1e-8, 10),
    own=st.none() | st.builds(InterventionSettings, shift=st.floats(0, 9), n_neighbours=st.integers(1, 15)),
)
def test_a_file_gives_the_same_settings_back(tmp_path_factory, method, weights, weight, rate, own):
    path = tmp_path_factory.mktemp("settings") / "settings.toml"
    chosen = TrainSettings(
        method=method, class_weights=weights, intervention_weight=weight, learning_rate=rate, interventions=own
    )
    assert TrainSettings.read(chosen.write(path)) == chosen


def test_changes_win_over_the_file(tmp_path):
    path = small(fold=1, seed=5).write(tmp_path / "settings.toml")
    assert TrainSettings.read(path, fold=2) == small(fold=2, seed=5)


@pytest.mark.parametrize(
    ("method", "control", "given_weight", "weight"),
    [
        ("ali", False, None, 0.8),
        ("pali", False, None, 0.9),
        ("ali", False, 1.0, 1.0),
        ("ali", True, 0.7, 0.0),
        ("tml", False, None, 0.0),
        ("ce", False, 0.5, 0.0),
    ],
)
def test_the_weight_is_that_of_the_paper_unless_given(method, control, given_weight, weight):
    assert TrainSettings(method=method, control=control, intervention_weight=given_weight).weight == weight


def test_interventions_follow_the_space_and_the_seed():
    flat = TrainSettings(method="pali", preset="c,s", seed=7).intervention_settings()
    deep = TrainSettings(method="ali", preset="c,s", seed=7).intervention_settings()
    assert (flat.n_iterations, flat.shift, flat.criterion) == (48, 1.0, "mean-std")  # Table I, 2-D
    assert (deep.n_iterations, deep.shift, deep.criterion) == (25, 4.0, "product")  # Table I, D dimensions
    assert flat.seed == deep.seed == 7


def test_the_criterion_stands_above_that_of_the_preset_and_of_own_strengths():
    own = InterventionSettings(criterion="closest", shift=2.0)
    assert small(criterion="mean-all").intervention_settings().criterion == "mean-all"
    assert small(criterion="mean-all", interventions=own).intervention_settings() == own.changed(criterion="mean-all")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"preset": "c,x"}, "preset 'c,x' is none of"),
        ({"fold": 6}, "fold must lie below n_folds = 6; got 6"),
        ({"method": "tml", "control": True}, "^tml has no interventions; control goes with ali, pali, pli$"),
        ({"method": "pli"}, "give the session file with steps"),
        ({"method": "ali", "steps": "x.json"}, "replayed by pli only"),
        ({"sampler": "m-per-class", "batch_size": 7, "samples_per_class": 4}, "must hold two classes"),
        ({"method": "ce", "criterion": "product"}, "^ce plans no interventions; criterion goes with ali, pali$"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"method": "magic"}, "method"),
        ({"bach_size": 3}, "there is no setting 'bach_size'; did you mean batch_size[?]"),
    ],
)
def test_what_cannot_be_is_refused_in_words(values, words):
    with pytest.raises(AliError, match=words):
        TrainSettings(**values)


@pytest.mark.parametrize("content", ["method = ", 'method = "tml"\nfold = 99\n', "\x00"])
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "mine.toml"
    path.write_text(content)
    with pytest.raises(AliError, match=r"mine\.toml"):
        TrainSettings.read(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AliError, match="no settings file"):
        TrainSettings.read(tmp_path / "mine.toml")
