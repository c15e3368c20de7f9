"""Scores of a session, against the dry run's own folds, scikit-learn's answers, and what must not be looked at."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from ali_core import AliError, LabelledEmbedding, ManualStep, Session
from ali_core.experiments import folds_of_embedding
from ali_core.experiments.fold_scorer import FoldScorer
from ali_core.experiments.session_scorer import SessionScorer
from ali_core.experiments.session_split import split_for_session
from tests.ali_core.experiments.dry_run_samples import clouds, literal_scores

COUNTS = (40, 34, 28, 20)


def embedding_of(counts=COUNTS, seed=0, groups=None):
    vectors, labels = clouds(counts, seed=seed)
    return LabelledEmbedding(vectors, labels, tuple("abcdefgh"[: len(counts)]), groups=groups)


def stepped(embedding, n_steps=4):
    session = Session(embedding)
    session.run(n_steps)
    session.apply(ManualStep(classes=("b",), contract=0.5, shift=1.0))
    return session


@pytest.fixture(scope="module")
def session():
    return stepped(embedding_of())


@pytest.fixture(scope="module")
def scorer(session):
    return SessionScorer(session.embedding)


@pytest.fixture(scope="module")
def scores(scorer, session):
    return scorer.scores(session)


def test_the_scores_are_those_of_the_steps_replayed_on_the_training_part_of_the_dry_run(session, scores):
    fold = folds_of_embedding(session.embedding)[0]
    train = Session(LabelledEmbedding(fold.train_vectors, fold.train_labels, session.embedding.class_names))
    train.replay(session.steps)
    split = split_for_session(session.embedding)
    tuning = session.embedding.subset(split.tuning)
    expected = FoldScorer.of(fold, tuning=(tuning.vectors, tuning.labels))
    assert (scores.n_train, scores.n_validation) == (len(fold.train_labels), len(fold.validation_labels))
    found = scores.oracle.macro_f1, scores.transfer.macro_f1
    assert found == pytest.approx(literal_scores(expected, train.transforms), abs=1e-12)
    assert scores.untouched.macro_f1 == pytest.approx(expected.untouched[0], abs=1e-12)
    assert found != pytest.approx(expected.untouched, abs=1e-3)


def test_every_validation_sample_is_counted_once_in_each_way(session, scores):
    fold = folds_of_embedding(session.embedding)[0]
    for kind in (scores.untouched, scores.transfer, scores.oracle):
        assert kind.confusion.sum(axis=1).tolist() == np.bincount(fold.validation_labels, minlength=4).tolist()
    table = scores.table().set_index("class")
    assert table["n_validation"].tolist() == np.bincount(fold.validation_labels, minlength=4).tolist()
    assert table.loc["c", "transfer"] == scores.transfer.class_f1[2]


def test_without_steps_all_three_are_the_same(scorer, session, scores):
    for start in (Session(session.embedding), stepped(session.embedding)):
        start.reset()
        found = scorer.scores(start)
        assert found.n_steps == 0
        for kind in (found.transfer, found.oracle):
            np.testing.assert_array_equal(kind.confusion, scores.untouched.confusion)


def test_the_answers_of_the_prediction_do_not_depend_on_validation_labels(session, scores):
    """With the next label for every validation sample, each class gets the answers of the one before; not so oracle."""
    known, other = SessionScorer(session.embedding), SessionScorer(session.embedding)
    known.scores(session)
    scorer, split, untouched = known._prepared
    labels = (scorer.data.validation_labels + 1) % 4
    other._prepared = replace(scorer, data=replace(scorer.data, validation_labels=labels)), split, untouched
    found = other.scores(session)
    np.testing.assert_array_equal(found.transfer.confusion, np.roll(scores.transfer.confusion, 1, axis=0))
    assert not np.array_equal(found.oracle.confusion, np.roll(scores.oracle.confusion, 1, axis=0))


def test_noise_is_classified_at_chance():
    """Neither parameters nor maps have seen the labels that are scored: of three equal classes a third is right."""
    untouched, transfer = [], []
    for seed in range(20):
        vectors = np.random.default_rng(seed).normal(size=(120, 5))
        session = Session(LabelledEmbedding(vectors, np.repeat(np.arange(3), 40)))
        session.run(3)
        found = SessionScorer(session.embedding).scores(session)
        untouched.append(found.untouched.macro_f1)
        transfer.append(found.transfer.macro_f1)
    for values in (untouched, transfer):
        assert np.mean(values) == pytest.approx(1 / 3, abs=3 * np.std(values, ddof=1) / np.sqrt(len(values)))


def test_where_validation_samples_are_does_not_change_the_maps(session, monkeypatch):
    """Only the training part is moved by what was learnt from it."""
    seen = []
    plain = FoldScorer.classified

    def watched(self, transforms):
        seen.append(transforms)
        return plain(self, transforms)

    monkeypatch.setattr(FoldScorer, "classified", watched)
    embedding = session.embedding
    vectors = embedding.vectors.copy()
    vectors[split_for_session(embedding).validation] += 10.0
    far = Session(embedding.with_vectors(vectors))
    far.replay(session.steps)
    for one in (session, far):
        SessionScorer(one.embedding).scores(one)
    for name in ("offsets", "scales"):
        np.testing.assert_array_equal(getattr(seen[1], name), getattr(seen[3], name))


def test_the_same_steps_are_scored_once_and_skipped_ones_do_not_count(scorer, session, scores):
    told = []
    again = stepped(session.embedding)
    assert scorer.scores(again, progress=lambda *part: told.append(part)) is scores
    assert scorer.known(again) is scores
    again.step()
    assert scorer.known(again) is None
    again.toggle(again.cursor)
    assert scorer.scores(again, progress=lambda *part: told.append(part)) is scores
    assert told == []


def test_progress_is_told_and_what_it_raises_ends_the_work(session):
    scorer, told = SessionScorer(session.embedding), []

    class CancelledError(Exception):
        pass

    def cancel(done, total, what):
        told.append((done, total))
        if done == 1:
            raise CancelledError

    with pytest.raises(CancelledError):
        scorer.scores(session, progress=cancel)
    with pytest.raises(AliError, match="stopped"):
        scorer.scores(session, stopped=lambda: True)
    assert scorer.known(session) is None
    scorer.scores(session, progress=lambda done, total, what: told.append((done, total)))
    assert told == [(0, 4), (1, 4), (0, 4), (1, 4), (2, 4), (3, 4)]


def test_two_threads_get_the_same_answer_from_one_computation(session):
    scorer, found = SessionScorer(session.embedding), []
    threads = [threading.Thread(target=lambda: found.append(scorer.scores(session))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(found) == 2
    assert found[0] is found[1]


def test_a_session_on_another_embedding_is_refused(scorer):
    with pytest.raises(AliError, match="another embedding"):
        scorer.scores(Session(embedding_of(seed=1)))


def test_no_group_is_in_both_parts_where_groups_can_be_kept_whole():
    groups = np.array([f"p{row % 9}" for row in range(sum(COUNTS))])
    split = split_for_session(embedding_of(groups=groups))
    parts = [set(groups[rows]) for rows in (split.train, split.validation, split.tuning)]
    assert len(set.union(*parts)) == sum(map(len, parts)) == 9
    assert "No group of the 9 is in training and validation" in split.words[0]


def test_groups_that_cannot_be_kept_whole_are_told():
    few = np.array([f"p{row % 2}" for row in range(sum(COUNTS))])
    assert "there are only 2" in split_for_session(embedding_of(groups=few)).words[0]
    _, labels = clouds(COUNTS)
    own = np.where(labels == 1, "one patient", np.array([f"p{row % 7}" for row in range(len(labels))]))
    split = split_for_session(embedding_of(groups=own))
    assert "some class is in too few of the 8" in split.words[0]
    assert set(labels[split.train]) == {0, 1, 2, 3}
    assert "No groups are known" in split_for_session(embedding_of()).words[0]


def test_rare_classes_train_and_are_not_scored():
    embedding = embedding_of((30, 24, 1, 3))
    split = split_for_session(embedding)
    assert {2, 3} <= set(embedding.labels[split.train])
    assert np.sum(np.isin(embedding.labels[split.train], (2, 3))) == 4
    assert set(embedding.labels[split.validation]) == {0, 1}
    assert split.words[-1].endswith("no F1 of their own: c, d.")
    scores = SessionScorer(embedding).scores(stepped(embedding))
    assert scores.n_validation == len(split.validation)


def test_a_large_embedding_is_drawn_by_class_and_says_so():
    embedding = embedding_of((300, 100, 13, 2))
    split = split_for_session(embedding, max_samples=100)
    used = np.bincount(embedding.labels[np.concatenate([split.train, split.validation])], minlength=4)
    assert "of 415 samples were drawn by class" in split.words[0]
    # Shares of 72, 24 and 12 samples, less the test part of the fold; both samples of the rare class.
    assert used.tolist() == [pytest.approx(72 * 5 / 6, abs=1), pytest.approx(24 * 5 / 6, abs=1), 10, 2]
    again = split_for_session(embedding, max_samples=100)
    np.testing.assert_array_equal(again.train, split.train)
    assert not np.array_equal(split_for_session(embedding, max_samples=100, seed=1).train, split.train)


@pytest.mark.parametrize(
    ("counts", "options", "message"),
    [
        ((30, 5), {}, "two classes of 6 samples or more.*30, 5"),
        (COUNTS, {"fold": 6}, "fold must be from 0 to 5; got 6"),
    ],
)
def test_what_cannot_be_divided_is_refused(counts, options, message):
    with pytest.raises(AliError, match=message):
        split_for_session(embedding_of(counts), **options)


def test_the_words_say_what_the_numbers_are(scores):
    words = " ".join(scores.words)
    assert "chosen on samples that neither train it nor are scored" in words
    assert "chosen with the labels of all samples" in words
    assert "samples the network may have seen" in words
