"""The loop: what it yields, what an epoch follows, when it stops, how it goes back."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from ali_core import AliError, LabelledEmbedding, ManualStep, Session
from ali_core.interventions import ClassStatistics, plan
from ali_core.training import EpochState, TrainSettings, epochs, train
from ali_core.training.inputs import FeatureInputs
from tests.ali_core.training.samples import NAMES, features, small

DATA = features()


def states_of(settings, **options):
    with epochs(DATA, settings, **options) as training:
        return list(training), training.result


def test_one_state_before_the_first_epoch_and_one_after_each():
    states, result = states_of(small(max_epochs=3))
    assert [state.epoch for state in states] == [0, 1, 2, 3]
    assert all(isinstance(state, EpochState) for state in states)
    assert [bool(state.finished) for state in states] == [False, False, False, True]
    assert [state.session is None for state in states] == [False, False, False, True]
    assert [state.scores is not None for state in states] == [True, False, True, True]  # every second, and the last
    assert result.table.epoch.tolist() == [0, 1, 2, 3]


def test_each_epoch_has_an_order_and_draws_of_its_own(monkeypatch):
    seen, plain = [], FeatureInputs.training_batches

    def remembered(inputs, order, batch_size, generator):
        seen.append((tuple(order.tolist()), generator.initial_seed()))
        return plain(inputs, order, batch_size, generator)

    monkeypatch.setattr(FeatureInputs, "training_batches", remembered)
    states_of(small(method="ce", max_epochs=3))
    orders, augmentation = zip(*seen, strict=True)
    assert len(set(orders)) == len(set(augmentation)) == 3
    assert len({len(order) for order in orders}) == 1


def test_the_session_is_the_plan_for_the_embedding_of_that_moment():
    settings = small()
    for state in states_of(settings)[0][:-1]:
        vectors, labels = state.embedding.vectors, state.embedding.labels
        statistics = ClassStatistics.from_samples(vectors, labels, len(NAMES))
        planned = plan(statistics, settings.intervention_settings())
        assert state.session.embedding is state.embedding
        assert state.session.steps == planned.steps
        np.testing.assert_array_equal(state.session.transforms.offsets, planned.transforms.offsets)


def narrowest(statistics):
    return 1.0 / statistics.spreads


def test_ones_own_criterion_chooses_in_every_epoch_and_is_named_in_the_folder(tmp_path):
    states, _ = states_of(small(), criterion=narrowest, out=tmp_path / "run")
    for state in states[:-1]:
        vectors, labels = state.embedding.vectors, state.embedding.labels
        spreads = [vectors[labels == code].var(axis=0).sum() for code in range(len(NAMES))]
        assert state.session.steps[0].classes == (int(np.argmin(spreads)),)
        assert state.session.steps[0].criterion == "narrowest"
    assert TrainSettings.read(tmp_path / "run" / "settings.toml") == small(criterion="narrowest")


def test_a_run_with_ones_own_criterion_goes_on_with_it_alone(tmp_path):
    whole, _ = states_of(small(), criterion=narrowest)
    with epochs(DATA, small(), criterion=narrowest, out=tmp_path) as training:
        next(training), next(training)
    with pytest.raises(AliError, match=r"criterion 'narrowest' is not known; .* give your function as criterion="):
        epochs(DATA, small(criterion="narrowest"), out=tmp_path, resume=True)
    states, _ = states_of(small(), criterion=narrowest, out=tmp_path, resume=True)
    np.testing.assert_array_equal(states[-1].embedding.vectors, whole[-1].embedding.vectors)


@pytest.mark.parametrize("method", ["ali", "pali"])
def test_confusion_looks_at_the_embedding_of_each_epoch(method):
    for state in states_of(small(method=method, criterion="confusion", max_epochs=2))[0][:-1]:
        seen = state.session.embedding
        now = ClassStatistics.from_samples(seen.vectors, seen.labels, len(NAMES))
        neighbours = KNeighborsClassifier(10)
        predicted = cross_val_predict(neighbours, seen.vectors, seen.labels, cv=LeaveOneOut())
        errors = np.array([np.mean(predicted[seen.labels == code] != code) for code in range(len(NAMES))])
        np.testing.assert_allclose(state.session.steps[0].scores, errors * now.spreads / now.nearest)


def test_confusion_is_refused_where_processes_share_the_samples(tmp_path):
    with pytest.raises(AliError, match=r"looks at samples.* on one device"):
        epochs(DATA, small(criterion="confusion", devices=2), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_embeddings_are_normalised_where_loss_and_interventions_see_them():
    state = states_of(small(max_epochs=0))[0][0]
    np.testing.assert_allclose(np.linalg.norm(state.embedding.vectors, axis=1), 1.0, rtol=1e-5)
    raw = states_of(small(max_epochs=0, normalise=False))[0][0]
    assert np.ptp(np.linalg.norm(raw.embedding.vectors, axis=1)) > 0.1


def test_without_weight_ali_is_tml_and_so_is_its_control():
    """The same seed gives the same starting weights and batches, whatever the method."""
    tml = train(DATA, small(method="tml"))
    for same in (small(intervention_weight=0.0), small(control=True)):
        other = train(DATA, same)
        assert other.table.base_loss.equals(tml.table.base_loss)
        assert np.array_equal(other.embedding.vectors, tml.embedding.vectors)
    moved = train(DATA, small())
    assert not np.array_equal(moved.embedding.vectors, tml.embedding.vectors)


def test_the_same_seed_gives_the_same_run_and_another_does_not():
    first, again, other = (train(DATA, small(seed=seed)) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first.table, again.table)
    assert np.array_equal(first.embedding.vectors, again.embedding.vectors)
    assert not np.array_equal(first.embedding.vectors, other.embedding.vectors)


def test_the_global_generator_is_left_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(DATA, small(max_epochs=1))
    assert torch.equal(torch.rand(3), expected)


def test_an_epoch_follows_what_the_driver_left_in_force():
    def final(change):
        with epochs(DATA, small(max_epochs=2, intervention_weight=1.0)) as training:
            for state in training:
                if state.epoch == 1 and state.session is not None:
                    change(state.session)
        return training.result

    def to_the_start(session):
        session.reset()

    left, undone = final(lambda session: None), final(to_the_start)
    assert left.table.n_steps.tolist()[1:] == [25, 25]
    assert undone.table.n_steps.tolist()[1] == 25
    assert np.isnan(undone.table.n_steps.tolist()[2])  # nothing in force: nothing moved
    assert undone.table.intervention_loss.tolist()[2] == pytest.approx(0.0, abs=1e-7)  # identity targets
    assert left.table.intervention_loss.tolist()[2] > 0.01


def test_manual_and_automatic_steps_mix():
    with epochs(DATA, small(max_epochs=1)) as training:
        state = next(training)
        state.session.reset()
        state.session.apply(ManualStep(classes=("band",), contract=0.5))
        last = next(training)
    assert last.history.rows[1]["moved_classes"] == "band"
    assert last.history.rows[1]["n_steps"] == 1


def test_it_stops_when_the_validation_score_no_longer_rises():
    result = train(DATA, small(max_epochs=50, patience=4, learning_rate=1e-6))
    rows = result.table
    assert result.epoch == 0  # such a small rate changes no score
    assert rows.epoch.iloc[-1] == 4
    assert rows.validation_f1.dropna().nunique() == 1


def test_a_control_does_not_stop_early():
    result = train(DATA, small(control=True, max_epochs=8, patience=4, learning_rate=1e-6))
    assert result.table.epoch.iloc[-1] == 8


def test_the_best_epoch_is_the_first_of_the_highest_validation_score_and_its_network_is_told():
    states, result = states_of(small(max_epochs=8, evaluate_every=1, learning_rate=3e-2))
    scored = result.table.set_index("epoch").validation_f1
    assert result.epoch == scored.idxmax()
    assert result.scores.validation.macro_f1 == pytest.approx(scored.max())
    assert result.scores.test.macro_f1 == pytest.approx(result.table.test_f1[result.epoch])
    best = states[result.epoch].embedding
    rows = [np.flatnonzero(result.embedding.sample_names == name)[0] for name in best.sample_names]
    np.testing.assert_allclose(result.embedding.vectors[rows], best.vectors, atol=1e-6)


@pytest.mark.parametrize("method", ["tml", "ali", "ce", "supcon", "proxyanchor"])
def test_every_method_learns(method):
    """Clouds that overlap in 8 dimensions are told apart better than by features that were never trained."""
    data = features((60, 50, 40, 30), dim=40, seed=5, gap=0.35)
    result = train(data, small(method=method, max_epochs=12, class_weights=True, width=16))
    assert result.table.validation_f1.max() > result.table.validation_f1[0] + 0.03
    loss = result.table.loss.dropna()
    assert loss.iloc[-1] < loss.iloc[0]


def test_pali_moves_classes_in_the_plane_and_keeps_the_picture():
    states, result = states_of(small(method="pali", max_epochs=3))
    sessions = [state.session for state in states[:-1]]
    assert all(session.embedding.dim == 2 for session in sessions)
    assert all(state.embedding.dim == 6 for state in states)
    assert result.table.n_steps.tolist()[1:] == [48, 48, 48]
    first, second = (session.embedding.vectors for session in sessions[:2])
    size = np.sqrt(np.square(first - first.mean(axis=0)).sum(axis=1).mean())
    assert np.linalg.norm(second - first, axis=1).mean() < 0.5 * size


def recorded(tmp_path):
    """A session of two manual steps, in a plane of its own."""
    session = Session(LabelledEmbedding(np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 4, NAMES))
    session.apply(ManualStep(classes=("band",), away_from=("blast",), contract=0.3, shift=2.0))
    session.apply(ManualStep(classes=("monocyte",), contract=0.5))
    session.apply(ManualStep(classes=("platelet",), contract=0.5))
    session.undo()
    return session.save(tmp_path / "steps.json")


def test_pli_replays_the_recorded_steps_once_and_keeps_their_targets(tmp_path):
    states, result = states_of(small(method="pli", steps=recorded(tmp_path), max_epochs=3))
    sessions = [state.session for state in states[:-1]]
    assert [step.classes for step in sessions[0].steps] == [(1,), (2,)]  # the undone step is not replayed
    for session in sessions[1:]:
        assert np.array_equal(session.after.vectors, sessions[0].after.vectors)
    assert result.table.moved_classes.tolist()[1:] == ["band;monocyte"] * 3
    assert result.table.intervention_loss.notna().tolist() == [False, True, True, True]


def test_pli_refuses_steps_on_other_classes(tmp_path):
    path = recorded(tmp_path)
    data = features((40, 30, 24))
    with pytest.raises(AliError, match=r"^\S*steps\.json was recorded on other classes"):
        train(data, small(method="pli", steps=path), out=tmp_path / "run")
    assert not (tmp_path / "run" / "last.json").exists()
    train(DATA, small(method="pli", steps=path, max_epochs=1), out=tmp_path / "run")  # the folder is free still


@pytest.mark.parametrize("method", ["ali", "pali", "ce"])
def test_going_back_gives_the_same_future(tmp_path, method):
    settings = small(method=method, max_epochs=5, keep_checkpoints=True)
    straight = train(DATA, settings, out=tmp_path / "straight")
    with epochs(DATA, settings, out=tmp_path / "back") as training:
        seen = []
        for state in training:
            seen.append(state.epoch)
            if state.epoch == 4 and seen.count(4) == 1:
                training.rewind(2)
            if state.finished and seen.count(5) == 1:
                training.rewind(0)
    assert seen == [0, 1, 2, 3, 4, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]
    pd.testing.assert_frame_equal(training.result.table, straight.table)
    assert np.array_equal(training.result.embedding.vectors, straight.embedding.vectors)


def test_going_back_needs_the_state(tmp_path):
    with epochs(DATA, small(), out=tmp_path) as training:
        next(training), next(training)
        with pytest.raises(AliError, match=r"epoch 0 is not kept; kept are \[1\]"):
            training.rewind(0)
    with epochs(DATA, small()) as training, pytest.raises(AliError, match="keeps no earlier states"):
        training.rewind(0)


def test_progress_and_loggers_hear_of_it(tmp_path):
    class Logger:
        def __init__(self):
            self.heard = []

        def log_metrics(self, metrics, step):
            self.heard.append((step, metrics))

    logger, calls = Logger(), []
    result = train(DATA, small(max_epochs=2), loggers=[logger], progress=lambda done, of: calls.append((done, of)))
    n_train = int((len(DATA) * 1) / 3)
    assert calls == [(done, n_train // 16) for _ in range(2) for done in range(1, n_train // 16 + 1)]
    assert [step for step, _ in logger.heard] == [0, 1, 2]
    assert logger.heard[2][1]["validation_f1"] == result.table.validation_f1[2]


def test_a_start_is_taken_over_and_must_have_had_the_same_folds(tmp_path):
    before = train(DATA, small(method="tml"), out=tmp_path / "tml")
    after, _ = states_of(small(start=tmp_path / "tml", max_epochs=1))
    rows = [np.flatnonzero(before.embedding.sample_names == name)[0] for name in after[0].embedding.sample_names]
    np.testing.assert_allclose(after[0].embedding.vectors, before.embedding.vectors[rows], atol=1e-6)
    with pytest.raises(AliError, match="was trained with other fold, so it may have learnt"):
        train(DATA, small(start=tmp_path / "tml", fold=1))
    with pytest.raises(AliError, match="was trained with other data"):
        train(features(seed=9), small(start=tmp_path / "tml"))
    with pytest.raises(AliError, match=r"the network of .* is another one"):
        train(DATA, small(start=tmp_path / "tml", width=5))
    with pytest.raises(AliError, match="holds no run"):
        train(DATA, small(start=tmp_path / "nothing"))


def test_groups_are_kept_whole_or_refused_in_words():
    groups = np.array([f"region {number}" for number in np.arange(len(DATA)) % 9])
    data = LabelledEmbedding(DATA.vectors, DATA.labels, DATA.class_names, groups=groups)
    state = states_of_with(data, small(max_epochs=0))
    inside = set(state.embedding.groups.tolist())
    outside = set(groups.tolist()) - inside
    assert outside
    assert set(data.sample_names[np.isin(groups, list(inside))].tolist()) == set(state.embedding.sample_names.tolist())
    two = LabelledEmbedding(DATA.vectors, DATA.labels, DATA.class_names, groups=np.where(DATA.labels > 1, "A", "B"))
    with pytest.raises(AliError, match="2 groups cannot be kept whole in 3 folds; take finer groups"):
        train(two, small())
    assert states_of_with(two, small(max_epochs=0, groups="ignore")).finished


def states_of_with(data, settings):
    with epochs(data, settings) as training:
        return next(training)
