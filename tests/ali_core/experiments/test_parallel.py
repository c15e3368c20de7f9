"""Tasks in this process, in a pool and in a cluster: all results, once, in any order; errors and ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ali_core import AliError
from ali_core.experiments import parallel
from ali_core.experiments.parallel import WorkerDiedError, in_parallel
from tests.ali_core.experiments.cluster import cluster, require_dask
from tests.ali_core.experiments.tasks import die, fail_at, last_first, note, square, threads

ROOT = Path(__file__).parents[3]


def alive(pid):
    """Whether a process runs; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def processes_of(folder):
    return {int(path.read_text()) for path in folder.iterdir() if path.read_text()}


def gone(pids, seconds=5.0):
    end = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    return not any(map(alive, pids))


@pytest.mark.parametrize("workers", [1, 2])
def test_every_result_comes_once(workers):
    assert sorted(in_parallel(square, [(number,) for number in range(7)], workers=workers)) == [
        number * number for number in range(7)
    ]
    assert list(in_parallel(square, [], workers=workers)) == []


def test_one_worker_is_this_process_and_works_only_when_asked(tmp_path):
    results = in_parallel(note, [(tmp_path, number, 0) for number in range(3)], workers=1)
    assert list(tmp_path.iterdir()) == []
    assert next(results) == 0
    assert processes_of(tmp_path) == {os.getpid()}
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.slow
def test_results_come_as_they_finish(tmp_path):
    assert list(in_parallel(last_first, [(tmp_path, number) for number in range(3)], workers=2)) == [1, 2, 0]


@pytest.mark.slow
def test_the_processes_of_a_pool_have_one_thread_and_end_with_it(tmp_path):
    assert os.environ.get("OMP_NUM_THREADS") != "3"
    before = dict(os.environ)
    os.environ["OMP_NUM_THREADS"] = "3"
    try:
        (counts,) = in_parallel(threads, [(0,)], workers=2)
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert len(counts) >= 4
    assert set(counts) == {1, "1"}
    assert list(in_parallel(note, [(tmp_path, 0, 0), (tmp_path, 1, 0)], workers=2))
    assert os.getpid() not in processes_of(tmp_path)
    assert all(map(alive, processes_of(tmp_path)))  # for the next call, which need not import everything again


def test_an_exception_stops_the_rest(tmp_path):
    with pytest.raises(ValueError, match="task 1 is bad"):
        list(in_parallel(fail_at, [(number, 1) for number in range(50)], workers=2))


@pytest.mark.slow
def test_closing_cancels_what_has_not_begun(tmp_path):
    results = in_parallel(note, [(tmp_path, number, 0.2) for number in range(40)], workers=2)
    next(results)
    results.close()
    begun = processes_of(tmp_path)
    assert len(list(tmp_path.iterdir())) < 10
    assert gone(begun)


@pytest.mark.slow
def test_a_process_that_dies_is_told():
    with pytest.raises(WorkerDiedError, match="a worker process died"):
        list(in_parallel(die, [(0,), (1,)], workers=2))


@pytest.mark.slow
def test_ctrl_c_leaves_no_process_behind(tmp_path):
    code = (
        "from ali_core.experiments.parallel import in_parallel\n"
        "from tests.ali_core.experiments.tasks import note\n"
        f"list(in_parallel(note, [({str(tmp_path)!r}, n, 30) for n in range(9)], workers=2))\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 60
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does: to all of its processes
    _, said = child.communicate(timeout=20)
    assert "KeyboardInterrupt" in said.splitlines()[-1]
    assert gone(processes_of(tmp_path))
    assert len(list(tmp_path.iterdir())) <= 4  # of 9: a process may take up one more before it is ended


def test_mistakes_are_told_at_once():
    with pytest.raises(AliError, match="workers must be at least 1; got 0"):
        in_parallel(square, [], workers=0)
    with pytest.raises(AliError, match="give one of the two"):
        in_parallel(square, [], workers=2, scheduler="tcp://localhost:1")


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(AliError, match=r"ali-interventions\[cluster\]"):
        next(in_parallel(square, [(1,)], scheduler="tcp://localhost:8786"))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x", "no address"])
def test_an_address_that_does_not_answer_is_told(monkeypatch, address):
    require_dask()
    monkeypatch.setattr(parallel, "ANSWER_SECONDS", 1)
    with pytest.raises(AliError, match="no Dask scheduler answers at"):
        next(in_parallel(square, [(1,)], scheduler=address))


@pytest.mark.slow
def test_a_cluster(tmp_path, monkeypatch):
    require_dask()
    (tmp_path / "notes").mkdir()
    with cluster(tmp_path) as (address, workers, scheduler):
        assert sorted(in_parallel(square, [(number,) for number in range(7)], scheduler=address)) == [
            number * number for number in range(7)
        ]
        (counts,) = in_parallel(threads, [(0,)], scheduler=address)
        assert set(counts) == {1, "1"}
        with pytest.raises(ValueError, match="task 1 is bad"):
            list(in_parallel(fail_at, [(number, 1) for number in range(50)], scheduler=address))
        results = in_parallel(note, [(tmp_path / "notes", number, 0.3) for number in range(40)], scheduler=address)
        for _ in range(8):
            next(results)
        assert processes_of(tmp_path / "notes") == {worker.pid for worker in workers}
        results.close()
        time.sleep(1.0)
        assert len(list((tmp_path / "notes").iterdir())) < 20
        results = in_parallel(note, [(tmp_path / "notes", number, 0.3) for number in range(40)], scheduler=address)
        next(results)
        scheduler.kill()
        with pytest.raises(AliError, match=f"the scheduler at {address} is gone"):
            list(results)


@pytest.mark.slow
def test_clusters_that_cannot_work_are_refused(tmp_path, monkeypatch):
    require_dask()
    with cluster(tmp_path, n_workers=1, n_threads=3) as (address, *_), pytest.raises(AliError, match="has 3 threads"):
        next(in_parallel(square, [(1,)], scheduler=address))
    monkeypatch.setattr(parallel, "WORKER_SECONDS", 1)
    with cluster(tmp_path, n_workers=0) as (address, *_), pytest.raises(AliError, match="has no worker"):
        next(in_parallel(square, [(1,)], scheduler=address))
