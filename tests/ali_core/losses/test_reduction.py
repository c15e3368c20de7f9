"""Statistics merged over processes against those of all samples."""

import numpy as np
import pytest
import torch

from ali_core import AliError, preset
from ali_core.interventions import ClassStatistics, plan
from ali_core.losses.reduction import merged_over_ranks

SHARDS = (slice(0, 50), slice(50, 51), slice(51, 300))


def samples(n_classes=5):
    """Samples whose last class only the last shard has, and whose class 3 nobody has."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, size=300)
    labels[-20:] = 4
    return rng.normal(size=(300, 4)) + 3 * labels[:, None], labels


def packed(statistics):
    tables = []
    merged_over_ranks(statistics, lambda table: [tables.append(table) or table])
    return tables[0]


@pytest.mark.parametrize("form", [torch.stack, list], ids=["stacked", "list"])
def test_shards_together_are_the_whole(form):
    vectors, labels = samples()
    shards = [ClassStatistics.from_samples(vectors[rows], labels[rows], 5, spread="radius") for rows in SHARDS]
    tables = [packed(shard) for shard in shards]
    assert all(table.dtype == torch.float64 and table.shape == (5, 6) for table in tables)
    whole = ClassStatistics.from_samples(vectors, labels, 5, spread="radius")
    for shard in shards:  # the same on every rank
        merged = merged_over_ranks(shard, lambda _: form(tables))
        np.testing.assert_array_equal(merged.counts, whole.counts)
        np.testing.assert_allclose(merged.centers, whole.centers, rtol=1e-13)
        np.testing.assert_allclose(merged.squares, whole.squares, rtol=1e-12)
        np.testing.assert_allclose(merged.spreads, whole.spreads, rtol=1e-12)


def test_one_process_keeps_its_own():
    vectors, labels = samples()
    own = ClassStatistics.from_samples(vectors, labels, 5)
    merged = merged_over_ranks(own, lambda table: table)
    np.testing.assert_array_equal(merged.centers, own.centers)
    np.testing.assert_array_equal(merged.squares, own.squares)
    assert merged.counts.dtype == own.counts.dtype


def test_the_same_samples_on_all_ranks_leave_the_plan():
    vectors, labels = samples()
    own = ClassStatistics.from_samples(vectors, labels, 5)
    merged = merged_over_ranks(own, lambda table: torch.stack([table] * 3))
    assert merged.counts.tolist() == (3 * own.counts).tolist()
    expected, found = (plan(statistics, preset("all", 4)).transforms for statistics in (own, merged))
    np.testing.assert_allclose(found.offsets, expected.offsets, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.scales, expected.scales, rtol=1e-12)


def test_other_classes_elsewhere_are_told():
    vectors, labels = samples()
    own, other = (ClassStatistics.from_samples(vectors, labels, n) for n in (5, 6))
    with pytest.raises(AliError, match=r"the shapes \(5, 6\) and \(6, 6\)"):
        merged_over_ranks(own, lambda table: [table, packed(other)])


@pytest.mark.slow
def test_equals_the_gather_of_fabric():
    # What a process of a run of one gets from Lightning: its own tensor, without a dimension of ranks.
    from lightning.fabric.strategies import SingleDeviceStrategy

    vectors, labels = samples()
    own = ClassStatistics.from_samples(vectors, labels, 5)
    merged = merged_over_ranks(own, SingleDeviceStrategy(torch.device("cpu")).all_gather)
    np.testing.assert_array_equal(merged.centers, own.centers)
