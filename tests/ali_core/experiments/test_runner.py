"""An experiment gives what its runs give one by one: straight, interrupted, killed, in a pool and in a cluster."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import filelock
import numpy as np
import pandas as pd
import pytest

from ali_core import AliError, LabelledEmbedding
from ali_core.data import FoldWarning, long_tail
from ali_core.evaluation import compare_methods
from ali_core.experiments import runner
from ali_core.experiments.data_source import DataSource, Preparation
from ali_core.experiments.experiment import Experiment
from ali_core.experiments.planned_runs import planned_runs
from ali_core.experiments.run_results import RESULT_COLUMNS, STAGES, TIMING_COLUMNS
from ali_core.experiments.run_work import carry_out, state_of
from ali_core.experiments.runner import planned, run_experiment
from ali_core.training import TrainSettings, train
from tests.ali_core.experiments.cluster import cluster, require_dask
from tests.ali_core.experiments.small_experiment import AFTER, ALI, COMMON, DATA, TML, small
from tests.ali_core.experiments.tasks import carry_out_and_sign, carry_out_or_die
from tests.killing import run_killed

ROOT = Path(__file__).parents[3]
TIMES = [name for name in RESULT_COLUMNS if name.endswith("seconds")]


def numbers(out):
    """The text of results.csv without what the clock and the state of the source say."""
    return pd.read_csv(out / "results.csv", dtype=str, keep_default_na=False).drop(columns=[*TIMES, "commit"]).to_csv()


def run(experiment, out, data=DATA, **more):
    return run_experiment(experiment, data, out=out, **({"workers": 1} | more))


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """A finished experiment: its folder, and what was told while it ran."""
    out, told = tmp_path_factory.mktemp("straight"), []
    run(small(), out, progress=told.append)
    return out, told


def test_its_numbers_are_those_of_single_runs(straight):
    out, _ = straight
    results = pd.read_csv(out / "results.csv")
    assert list(results) == list(RESULT_COLUMNS)
    assert results[["method", "fold", "seed"]].to_numpy().tolist() == [
        [label, fold, 0] for label in ("tml", "ali c") for fold in range(3)
    ]
    for row in results.to_dict("records"):
        settings = TrainSettings(**COMMON, method=row["loss"], preset="c", n_folds=3, fold=row["fold"])
        alone = train(DATA, settings)
        assert row["macro_f1"] == alone.scores.test.macro_f1
        assert (row["validation_f1"], row["best_epoch"]) == (alone.scores.validation.macro_f1, alone.epoch)
        assert row["n_train"] + row["n_validation"] + row["n_test"] == len(DATA)
        assert row["n_test"] == alone.scores.test.confusion.sum()
        assert (row["n_epochs"], row["intervention_weight"]) == (2, 0.8 if row["loss"] == "ali" else 0.0)


def test_seconds_are_those_that_the_runs_wrote(straight):
    out, _ = straight
    results = pd.read_csv(out / "results.csv")
    times = pd.read_csv(out / "runs" / "ali_c" / "1-0" / "timing.csv").fillna(0.0)
    row = results[(results.method == "ali c") & (results.fold == 1)].iloc[0]
    for stage in STAGES:
        assert row[f"{stage}_seconds"] == pytest.approx((times[stage][1] + times[stage][2]) / 2)
    assert row.seconds == pytest.approx(
        sum(times[name].sum() for name in ("train", "embed", "intervene", "evaluate", "save"))
    )
    long = pd.read_csv(out / "timing.csv")
    assert tuple(long) == TIMING_COLUMNS
    assert len(long) == 6 * len(STAGES)
    for name, part in long.groupby("stage"):
        np.testing.assert_allclose(part.seconds, results[f"{name}_seconds"])
        assert part.method.tolist() == results.method.tolist()


def test_what_is_told_and_written(straight):
    out, told = straight
    assert (told[0].done, told[0].of, told[0].label) == (0, 6, "")
    assert [now.done for now in told] == list(range(7))
    assert [(now.fold, now.label) for now in told[1:]] == [(f, m) for f in range(3) for m in ("tml", "ali c")]
    assert {now.error for now in told} == {""}
    results = pd.read_csv(out / "results.csv")
    expected = compare_methods(results, baseline="tml", test_train_ratio=1.0)  # one fold tests, one trains
    found = pd.read_csv(out / "comparison.csv")
    pd.testing.assert_frame_equal(found.drop(columns="n_comparisons"), expected)
    assert found.n_comparisons.tolist() == [1]
    assert r"p\_holm is adjusted for the one comparison made here" in (out / "comparison.md").read_text()
    assert f"| ali c | {found['mean'][0]:.4f} |" in (out / "comparison.md").read_text()
    assert rf"ali c & ${found['mean'][0]:.4f}$ &" in (out / "comparison.tex").read_text()
    assert {path.name for path in out.iterdir()} == {
        *("experiment.toml", "data.json", "runs", "failures.csv", "results.csv", "timing.csv", "comparison.csv"),
        *("comparison.md", "comparison.tex", "table2.csv", "table2.md", "table2.tex"),
    }
    assert len(pd.read_csv(out / "failures.csv")) == 0
    assert Experiment.read(out / "experiment.toml") == small()
    assert not list(out.glob("runs/*/*/checkpoints"))


def test_a_second_call_trains_nothing(straight):
    out, _ = straight
    files = {path: path.stat().st_mtime_ns for path in out.glob("runs/*/*/*")}
    before = (out / "results.csv").read_bytes()
    told = []
    run(small(), out, progress=told.append)
    assert [(now.done, now.of) for now in told] == [(6, 6)]
    assert {path: path.stat().st_mtime_ns for path in out.glob("runs/*/*/*")} == files
    assert (out / "results.csv").read_bytes() == before


def test_interrupted_it_goes_on_to_the_same_numbers(straight, tmp_path):
    def stop(now):
        if now.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(small(), tmp_path, progress=stop)
    assert len(pd.read_csv(tmp_path / "results.csv")) == 3
    assert "over 2 of 3 folds, 1 seed, n = 2 where" in (tmp_path / "table2.md").read_text()
    assert "Unfinished: 3 of 6 runs." in (tmp_path / "table2.md").read_text()
    states = planned(small(), DATA, tmp_path).state.tolist()
    assert states == ["finished"] * 3 + ["to do"] * 3
    run(small(), tmp_path)
    assert numbers(tmp_path) == numbers(straight[0])


def test_a_plan_writes_nothing_and_estimates_from_what_is_there(straight, tmp_path):
    plan = planned(small(), DATA, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert plan.state.unique().tolist() == ["to do"]
    assert plan.seconds.isna().all()
    out, _ = straight
    more = small(TML, ALI, {"method": "ali", "preset": "c,s"}, seeds=(0, 1))
    plan = planned(more, DATA, out)
    took = pd.read_csv(out / "results.csv").groupby("method").seconds.mean()
    new = plan[plan.seed == 1].drop_duplicates("label").set_index("label").seconds
    assert new["tml"] == pytest.approx(took["tml"])
    assert new["ali c"] == pytest.approx(took["ali c"])
    assert np.isnan(new["ali c,s"])
    assert (plan.state == "finished").sum() == 6
    assert Experiment.read(out / "experiment.toml") == small()


def test_a_failure_is_told_and_stops_no_other(tmp_path):
    broken = {"method": "pli", "steps": tmp_path / "steps.json"}
    experiment = small(TML, broken, folds=(0, 1))
    told = []
    results = run(experiment, tmp_path / "out", progress=told.append)
    assert results.method.tolist() == ["tml", "tml"]
    failures = pd.read_csv(tmp_path / "out" / "failures.csv")
    assert failures[["method", "fold", "seed"]].to_numpy().tolist() == [["pli", 0, 0], ["pli", 1, 0]]
    assert failures.error.str.contains("steps.json").all()
    assert sum(bool(now.error) for now in told) == 2
    steps = tmp_path / "steps.json"
    from ali_core import ManualStep, Session

    session = Session(DATA)
    session.apply(ManualStep(classes=("band",), away_from=("blast",), shift=1.0))
    session.save(steps)
    results = run(experiment, tmp_path / "out")
    assert results.method.tolist() == ["tml", "tml", "pli", "pli"]
    assert len(pd.read_csv(tmp_path / "out" / "failures.csv")) == 0
    assert (tmp_path / "out" / "comparison.csv").is_file()


def test_a_run_may_start_from_another(tmp_path):
    experiment = small(TML, ALI, AFTER, folds=(1,))
    results = run(experiment, tmp_path, only=["tml, then*"])
    assert results.method.tolist() == ["tml", "tml, then ali c"]
    settings = TrainSettings(**COMMON, method="tml", n_folds=3, fold=1)
    train(DATA, settings, out=tmp_path / "alone")
    after = settings.changed(method="ali", preset="c", max_epochs=1, start=tmp_path / "alone")
    assert results.macro_f1.tolist()[1] == train(DATA, after).scores.test.macro_f1
    assert [path.parent.parent.name for path in tmp_path.glob("runs/*/*/checkpoints")] == ["tml"]


def test_a_start_whose_states_are_gone_is_trained_again(tmp_path):
    run(small(TML, ALI, folds=(0,)), tmp_path)
    assert not list(tmp_path.glob("runs/*/*/checkpoints"))
    before = numbers(tmp_path)
    results = run(small(TML, ALI, AFTER, folds=(0,)), tmp_path)
    assert results.method.tolist() == ["tml", "ali c", "tml, then ali c"]
    assert numbers(tmp_path).startswith(before)


def test_a_start_that_failed_fails_what_starts_from_it(tmp_path):
    broken = {"method": "pli", "steps": tmp_path / "steps.json"}
    experiment = small(TML, broken, ALI | {"start": "pli"}, folds=(0,))
    run(experiment, tmp_path / "out")
    failures = pd.read_csv(tmp_path / "out" / "failures.csv").set_index("method").error
    assert "which is not finished" in failures["pli, then ali c"]


def test_what_finished_runs_depend_on_may_not_change(straight, tmp_path):
    out, _ = straight
    before = (out / "experiment.toml").read_bytes()
    with pytest.raises(AliError, match=r"other settings \(margin was 0.5\)"):
        run(small(common=COMMON | {"margin": 0.1}), out)
    with pytest.raises(AliError, match="fold_seed was 0"):
        run(small(fold_seed=1), out)
    with pytest.raises(AliError, match="experiment on other data"):
        run(small(exclude=("monocyte",)), out)
    assert (out / "experiment.toml").read_bytes() == before


@pytest.mark.parametrize("epochs", [1, 3])
def test_another_number_of_epochs_is_refused_before_anything_is_written(tmp_path, epochs):
    run(small(TML, ALI, AFTER, folds=(0,)), tmp_path, only=["tml"])
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    other = small(TML, ALI, AFTER, folds=(0,), common=COMMON | {"max_epochs": epochs})
    for call in (run, lambda *given: planned(given[0], DATA, given[1])):
        with pytest.raises(AliError, match=r"tml/0-0 holds a run with other settings \(max_epochs was 2\); give these"):
            call(other, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files


def test_methods_folds_and_seeds_may_be_added(tmp_path):
    run(small(TML, folds=(0,)), tmp_path / "grown")
    bigger = small(TML, ALI, folds=(0, 2), seeds=(0, 1))
    run(bigger, tmp_path / "grown")
    run(bigger, tmp_path / "whole")
    assert numbers(tmp_path / "grown") == numbers(tmp_path / "whole")
    assert len(pd.read_csv(tmp_path / "whole" / "results.csv")) == 8


def test_data_is_opened_and_prepared_from_its_path(tmp_path):
    DATA.save(tmp_path / "cells.npz")
    experiment = small(TML, exclude=("monocyte",), long_tail={"largest": 20, "smallest": 15}, folds=(0,))
    results = run(experiment, tmp_path / "out", data=str(tmp_path / "cells.npz"))
    thinned = long_tail(DATA.without_classes(["monocyte"]), largest=20, smallest=15)
    alone = train(thinned, TrainSettings(**COMMON, method="tml", n_folds=3))
    assert results.macro_f1.tolist() == [alone.scores.test.macro_f1]
    assert results.n_train[0] + results.n_validation[0] + results.n_test[0] == 35
    with pytest.raises(AliError, match="there is no data at"):
        run(experiment, tmp_path / "out", data=tmp_path / "none.npz")


def test_a_process_that_finds_other_data_says_so(tmp_path):
    path = DATA.save(tmp_path / "cells.npz")
    source = DataSource(path=path, preparation=Preparation(), fingerprint=DATA.fingerprint)
    assert source.open().fingerprint == DATA.fingerprint
    assert source.open() is source.open()
    other = DataSource(path=path, preparation=Preparation(), fingerprint="other")
    (first,) = planned_runs(small(TML, folds=(0,)), tmp_path)
    assert "holds other data here" in carry_out(first, other).error


def test_rare_classes_are_told_once(tmp_path):
    keep = np.r_[np.flatnonzero(DATA.labels != 2), np.flatnonzero(DATA.labels == 2)[:2]]
    rare = DATA.subset(np.sort(keep))
    with pytest.warns(FoldWarning) as told, pytest.raises(AliError, match="has no sample of 'monocyte'"):
        run(small(TML, folds=(0,)), tmp_path, data=rare)
    assert len(told) == 1
    assert not list(tmp_path.iterdir())


def test_a_run_waits_for_the_process_that_has_its_folder(tmp_path):
    (first,) = planned_runs(small(TML, folds=(0,)), tmp_path)
    first.folder.parent.mkdir(parents=True)
    states = []
    waiting = threading.Thread(target=lambda: states.append(carry_out(first, DATA)))
    with filelock.FileLock(first.folder.with_name("0-0.lock")):
        waiting.start()
        time.sleep(0.5)
        assert not first.folder.exists()
    waiting.join(60)
    assert states[0].error == ""
    assert (first.folder / "result.json").is_file()


def test_a_call_keeps_what_another_finished_meanwhile(straight, tmp_path):
    def other(now):
        if now.done == 1:
            run(small(), tmp_path, only=["ali c"])

    results = run(small(), tmp_path, only=["tml"], progress=other)
    assert len(results) == 6
    assert numbers(tmp_path) == numbers(straight[0])


@pytest.mark.slow
def test_two_processes_at_the_same_time_share_a_folder(straight, tmp_path):
    script = ROOT / "tests" / "ali_core" / "experiments" / "same_time.py"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    both = [
        subprocess.Popen([sys.executable, script, tmp_path, *names], env=environment, stdout=subprocess.PIPE, text=True)
        for names in (("a", "b"), ("b", "a"))
    ]
    assert [one.communicate(timeout=120)[0] for one in both] == ["6\n", "6\n"]
    assert numbers(tmp_path / "out") == numbers(straight[0])


@pytest.mark.slow
def test_a_run_that_ends_its_process_fails_alone_and_a_pool_gives_the_same_numbers(straight, tmp_path, monkeypatch):
    experiment, told = small(TML, ALI, {"method": "ce", "start": "ali c"}), []
    monkeypatch.setattr(runner, "carry_out", carry_out_or_die)
    run(experiment, tmp_path, workers=2, progress=told.append)
    assert (tmp_path / "runs" / "tml" / "died").is_file()  # a process that dies once is no failure
    failures = pd.read_csv(tmp_path / "failures.csv").set_index(["method", "fold"]).error
    assert list(failures.index) == [("ali c", 1), ("ali c, then ce", 1)]
    assert failures["ali c", 1] == runner.DIED
    assert "which is not finished" in failures["ali c, then ce", 1]
    assert sorted(now.done for now in told) == list(range(10))
    found = pd.read_csv(tmp_path / "results.csv").set_index(["method", "fold"]).macro_f1
    assert len(found) == 7
    expected = pd.read_csv(straight[0] / "results.csv").set_index(["method", "fold"]).macro_f1.drop(("ali c", 1))
    pd.testing.assert_series_equal(found[expected.index], expected)
    monkeypatch.undo()
    run(small(), tmp_path, workers=2)
    assert numbers(tmp_path) == numbers(straight[0])


@pytest.mark.slow
def test_killed_at_random_moments_it_arrives_at_the_same_numbers(tmp_path):
    run_killed("experiments/kill_experiment.py", tmp_path, "1")
    assert numbers(tmp_path / "killed") == numbers(tmp_path / "straight")
    assert len(pd.read_csv(tmp_path / "killed" / "results.csv")) == 9
    assert (tmp_path / "killed" / "table2.md").read_text() == (tmp_path / "straight" / "table2.md").read_text()


def stopped_at_a_run(workers, runs, seconds=60.0):
    """Stop a worker in the middle of a run, after its first epoch; return the worker and the run."""
    by_pid, end = {str(worker.pid): worker for worker in workers}, time.monotonic() + seconds
    while time.monotonic() < end:
        for one in (one for one in runs if state_of(one) == "started"):
            with contextlib.suppress(FileNotFoundError):  # it has just ended
                signed = one.folder.with_name(f"{one.folder.name}.pid")
                worker = by_pid[signed.read_text()]
                worker.send_signal(signal.SIGSTOP)
                if signed.exists() and state_of(one) == "started":
                    return worker, one
                worker.send_signal(signal.SIGCONT)
        time.sleep(0.005)
    raise AssertionError("no worker came to a run")


@pytest.mark.slow
def test_a_cluster_whose_worker_is_killed_at_a_run_loses_nothing(tmp_path, monkeypatch):
    require_dask()
    experiment, killed = small(common=COMMON | {"max_epochs": 20}), []
    run(experiment, tmp_path / "alone")
    monkeypatch.setattr(runner, "carry_out", carry_out_and_sign)
    with cluster(tmp_path) as (address, workers, _):

        def kill_one(now):
            if now.done == 1:
                worker, at = stopped_at_a_run(workers, planned_runs(experiment, tmp_path / "out"))
                worker.kill()
                killed.append((worker.wait(), at.key, state_of(at)))

        run(experiment, tmp_path / "out", workers=None, scheduler=address, progress=kill_one)
    ((code, key, state),) = killed
    assert (code, state) == (-signal.SIGKILL, "started")
    results = pd.read_csv(tmp_path / "out" / "results.csv")
    assert key in list(results[["method", "fold", "seed"]].itertuples(index=False, name=None))
    assert numbers(tmp_path / "out") == numbers(tmp_path / "alone")
    assert len(pd.read_csv(tmp_path / "out" / "failures.csv")) == 0
    assert LabelledEmbedding.load(tmp_path / "out" / "data.npz").fingerprint == DATA.fingerprint
