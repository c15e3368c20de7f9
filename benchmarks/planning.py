"""Planning in closed form against the literal loop, side by side in one process.

    uv run python -m benchmarks.planning

The peer is ``tests/oracles/literal.py``, which recomputes every statistic from the samples at each iteration, as the
paper describes it. Both must agree before a time is reported.
"""

import os
import time

import numpy as np
import pandas as pd

from ali_core import preset
from ali_core.interventions import ClassStatistics, plan
from tests.oracles.literal import literal_interventions

N_ITERATIONS, DIM, N_CLASSES = 43, 256, 15
SIZES = (4_560, 45_600, 182_400)


def long_tailed(n, seed=0, dim=DIM):
    """Return n vectors in 15 overlapping classes whose sizes fall off log-uniformly 20 : 1."""
    rng = np.random.default_rng(seed)
    share = np.geomspace(20, 1, N_CLASSES)
    labels = np.repeat(np.arange(N_CLASSES), np.maximum(np.round(n * share / share.sum()), 2).astype(int))
    return 0.3 * rng.normal(size=(N_CLASSES, dim))[labels] + rng.normal(size=(len(labels), dim)), labels


def best(repeats, function):
    """Return the shortest of several runs in seconds, and the result."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - start)
    return min(times), result


def measured(n, settings):
    """Return one row of the table for about n samples; the literal loop runs at the smallest size only."""
    vectors, labels = long_tailed(n)
    seconds_statistics, statistics = best(3, lambda: ClassStatistics.from_samples(vectors, labels, N_CLASSES))
    seconds_plan, planned = best(10, lambda: plan(statistics, settings))
    row = {"N": len(labels), "statistics (ms)": 1e3 * seconds_statistics, "plan (ms)": 1e3 * seconds_plan}
    if n > SIZES[0]:
        return row
    seconds_literal, (moved, _, _) = best(3, lambda: literal_interventions(vectors, labels, settings))
    difference = np.abs(planned.transforms.apply(vectors, labels) - moved).max()
    assert difference < 1e-9, difference
    return row | {
        "literal loop (ms)": 1e3 * seconds_literal,
        "literal / plan": seconds_literal / seconds_plan,
        "literal / (statistics + plan)": seconds_literal / (seconds_statistics + seconds_plan),
        "largest difference": difference,
    }


def main():
    settings = preset("all", DIM).changed(n_iterations=N_ITERATIONS)
    table = pd.DataFrame([measured(n, settings) for n in SIZES])
    print(f"preset all, {N_ITERATIONS} iterations, D = {DIM}, C = {N_CLASSES}, {os.cpu_count()} cores")
    print(table.to_string(index=False, float_format=lambda x: f"{x:.3g}", na_rep=""))


if __name__ == "__main__":
    main()
