"""Every entry of the table names things that exist, and trains."""

from dataclasses import replace
from pkgutil import resolve_name

import pytest

from ali_core.errors import AliError
from ali_core.training import METHODS, epochs, train
from ali_core.training.interveners import Intervener
from ali_core.training.methods import BASES, SPECS
from ali_core.training.objectives import Objective, Pull
from tests.ali_core.training.samples import features, small


@pytest.mark.parametrize("name", METHODS)
def test_an_entry_names_classes_of_the_right_kind(name):
    spec = SPECS[name]
    assert issubclass(resolve_name(BASES[spec.base]), Objective)
    if spec.intervenes:
        assert issubclass(resolve_name(spec.pull), Pull)
        assert issubclass(resolve_name(spec.intervener), Intervener)
        assert 0.0 < spec.weight <= 1.0


@pytest.mark.parametrize("name", [name for name in METHODS if not SPECS[name].recorded])
def test_every_method_trains_and_tells_the_classes_apart(name):
    """Clouds far apart: any of them is to find them."""
    result = train(features(gap=6.0), small(method=name, max_epochs=2))
    assert result.scores.test.macro_f1 > 0.9


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"method": "alli"}, "method 'alli' is none of tml | ali"),
        ({"base": "cross"}, "base 'cross' is none of tml | ce"),
        ({"method": "ce", "base": "tml"}, "ce has no interventions, and is a base loss itself"),
        ({"long_tail": "24"}, "long_tail is LARGEST:SMALLEST"),
        ({"long_tail": "24:500"}, "long_tail is LARGEST:SMALLEST"),
    ],
)
def test_contradictions_are_refused_in_words(values, words):
    with pytest.raises(AliError, match=words.replace("|", "\\|")):
        small(**values)


def test_before_interventions_set_in_the_run_is_that_of_the_base_loss():
    """Two epochs of ali on ce without interventions are two epochs of ce, then the ways part."""
    data, plain = features(), small(method="ce", evaluate_every=1)
    alone = train(data, plain).table
    late = train(data, small(method="ali", base="ce", intervene_from=2, evaluate_every=1)).table
    assert late["loss"][1:3].tolist() == alone["loss"][1:3].tolist()
    assert late["loss"][3] != alone["loss"][3]
    assert late["n_steps"].isna().tolist() == [True, True, True, False, False]


def test_the_training_fold_is_embedded_only_when_somebody_needs_it():
    with epochs(features(), small(method="ce", evaluate_every=2, max_epochs=3)) as training:
        states = list(training)
    embedded = training.run.history.timing()["embed"].notna()
    assert embedded.tolist() == [True, False, True, True]  # scores are due at 0, 2 and the end
    assert len(states[2].embedding) == len(training.run.split.train)
    with pytest.raises(AliError, match="the embedding of epoch 1 was not needed and is gone"):
        _ = states[1].embedding


def test_a_long_tail_tests_on_all_that_is_left_out():
    data = features(n_per_class=(60, 50, 40, 30))
    with epochs(data, small(long_tail="30:10", fold=3)) as training:
        state = next(training)
        sizes = len(training.run.split.train), len(training.run.split.validation)
    assert sum(sizes) == 30 + 21 + 14 + 10
    assert state.scores.test.confusion.sum() == len(state.scores.test_predicted) == 180 - 75


def test_a_long_tail_does_not_test_on_the_groups_it_trains_on():
    data = replace(features(), groups=[str(number // 4) for number in range(112)])
    with pytest.raises(AliError, match="long_tail tests on the samples left out, which come from the groups"):
        train(data, small(long_tail="20:10"))
    assert train(data, small(long_tail="20:10", groups="ignore", max_epochs=0)).epoch == 0
