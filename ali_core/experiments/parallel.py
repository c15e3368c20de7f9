"""The same work on many tasks: in this process, on all cores, or on the machines of a Dask cluster.

Synopsis::

    for result in in_parallel(score, [(fold, seed) for fold in range(6) for seed in range(3)]):
        ...                                                             # as they finish, in no order
    in_parallel(score, tasks, scheduler="tcp://login-node:8786")        # with `dask worker` running elsewhere

joblib does the work: in processes of this machine, or through its Dask backend on a cluster.
"""

import os
import sys
import threading
import warnings
from collections.abc import Callable, Generator, Sequence
from importlib import import_module
from typing import Any, TypeVar

from ali_core.errors import AliError

__all__ = ["WorkerDiedError", "in_parallel"]

T = TypeVar("T")

THREAD_VARIABLES = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    *("BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS"),
)

ANSWER_SECONDS = 10
"""How long a scheduler may take to answer."""

WORKER_SECONDS = 60
"""How long a cluster may take to have its first worker."""

_one_at_a_time = threading.Lock()


class WorkerDiedError(AliError):
    """A process ended in the middle of a task; which of the tasks ended it is not known."""


def in_parallel(
    function: Callable[..., T],
    tasks: Sequence[tuple[Any, ...]],
    *,
    workers: int | None = None,
    scheduler: str | None = None,
) -> Generator[T, None, None]:
    """Call ``function(*task)`` for every task and yield the results as they finish, in no order.

    Parameters
    ----------
    function
        A function of a module, so that other processes can import it.
    tasks
        The arguments of each call; they and the results are pickled.
    workers
        Processes on this machine; None takes one a core, and 1 works in this process, with the threads it has.
    scheduler
        Address of a Dask scheduler, such as ``tcp://host:8786``, instead of processes here.

    Returns
    -------
    generator
        Of the results. An exception of a task is raised here and stops the rest. Closing the generator, or an
        exception such as KeyboardInterrupt while it waits, cancels what has not begun; processes here are ended, a
        worker of a cluster finishes the task that it is at.

    Raises
    ------
    AliError
        For fewer than one worker, and ``workers`` together with ``scheduler``; while iterating, when dask is missing,
        when a cluster does not answer, has no worker or one with several threads.
    WorkerDiedError
        When a process dies; in a cluster, when it loses one after the other over a task.

    Notes
    -----
    In a pool and in a cluster each process works on one task at a time, with one thread for BLAS, OpenMP and torch:
    several small computations side by side are faster than one after the other on all cores, and torch's global
    generator, which seeds the weights, is not shared. The limit stays in force in a cluster's worker.

    A task whose worker is lost is done again by another worker, up to the number of times that the cluster allows
    (``distributed.scheduler.allowed-failures``), and a worker that is only believed dead may still finish the first
    attempt. ``function`` must therefore bear being called twice, at the same time.
    """
    if scheduler is not None:
        if workers is not None:
            raise AliError("workers are processes here, and scheduler has its own; give one of the two")
        return _streamed(function, tasks, 0, scheduler)
    if workers is not None and workers < 1:
        raise AliError(f"workers must be at least 1; got {workers}")
    n_workers = workers or int(import_module("joblib").cpu_count())
    if n_workers == 1:
        return (function(*task) for task in tasks)
    return _streamed(function, tasks, n_workers, None)


def _streamed(
    function: Callable[..., T], tasks: Sequence[tuple[Any, ...]], workers: int, scheduler: str | None
) -> Generator[T, None, None]:
    """Yield results of joblib, which works in processes here, or through Dask on a cluster."""
    client = None if scheduler is None else _connected(scheduler)
    joblib, loky = import_module("joblib"), import_module("joblib.externals.loky")
    where: dict[str, Any] = {"backend": "loky", "inner_max_num_threads": 1}
    if client is not None:
        where = {"backend": "dask", "client": client}
    with joblib.parallel_config(**where):  # only while Parallel is made
        parallel = joblib.Parallel(
            n_jobs=-1 if client else max(2, min(workers, len(tasks))), return_as="generator_unordered", batch_size=1
        )
    results = parallel(joblib.delayed(_with_one_thread)(function, task) for task in tasks)
    finished = False
    try:
        for result in results:  # noqa: UP028  # closing it is done below, where joblib may warn
            yield result
        finished = True
    except loky.process_executor.TerminatedWorkerError:
        raise WorkerDiedError(
            "a worker process died, perhaps for want of memory; take fewer workers and start again"
        ) from None
    except Exception as error:
        if client is not None and isinstance(error, import_module("distributed").KilledWorker):
            raise WorkerDiedError(
                f"the cluster at {scheduler} lost {error.allowed_failures + 1} workers over one task, perhaps for want "
                "of memory; give the workers more and start again"
            ) from None
        if client is None or client.status == "running":
            raise
        raise AliError(
            f"the scheduler at {scheduler} is gone ({type(error).__name__}: {str(error).strip():.200}); what was "
            "finished is kept: start a scheduler, and then the same command again"
        ) from None
    finally:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*have been cancelled", category=UserWarning)
            warnings.filterwarnings("ignore", message=".*but not used", category=UserWarning)
            results.close()
        if client is not None:
            client.close()
        elif not finished:  # else its processes are there for the next call, and end with this one
            loky.get_reusable_executor().shutdown(wait=True, kill_workers=True)


def _with_one_thread(function: Callable[..., T], task: tuple[Any, ...]) -> T:
    """Call in a process that works for us: alone, and with one thread."""
    with _one_at_a_time:
        os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))  # for libraries loaded later
        import_module("threadpoolctl").threadpool_limits(1)  # for those that are there
        if "torch" in sys.modules:
            import_module("torch").set_num_threads(1)
        return function(*task)


def _connected(scheduler: str) -> Any:  # noqa: ANN401  # distributed.Client
    """Return a client of a cluster that has a worker, each of one thread."""
    try:
        distributed = import_module("distributed")
    except ImportError:
        raise AliError(
            "a scheduler needs the extra: install it with pip install 'ali-interventions[cluster]'"
        ) from None
    try:
        client = distributed.Client(scheduler, timeout=ANSWER_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise AliError(
            f"no Dask scheduler answers at {scheduler} ({reason:.200}); start one with dask scheduler"
        ) from None
    try:
        client.submit(os.getpid, pure=False).result(timeout=WORKER_SECONDS)
        _check_threads(client, scheduler)
    except TimeoutError:
        client.close()
        raise AliError(
            f"the scheduler at {scheduler} has no worker; start some with dask worker {scheduler} --nthreads 1"
        ) from None
    except BaseException:
        client.close()
        raise
    return client


def _check_threads(client: Any, scheduler: str) -> None:  # noqa: ANN401
    several = {address: n for address, n in client.nthreads().items() if n > 1}
    if several:
        address, n_threads = next(iter(several.items()))
        raise AliError(
            f"a worker must do one task at a time, but {address} has {n_threads} threads; start workers with "
            f"dask worker {scheduler} --nworkers N --nthreads 1"
        )
