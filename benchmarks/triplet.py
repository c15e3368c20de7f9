"""The triplet margin loss without a list of triplets against pytorch-metric-learning, side by side in one process.

    uv run python -m benchmarks.triplet

Value and gradient, on one thread. The peer lists all triplets of the batch, 3 indices of 8 bytes each, and loops over
anchors in Python where a (B, B, B) mask has more elements than an int32 can count. Both must agree before a time is
reported.
"""

import time

import numpy as np
import pandas as pd
import pytorch_metric_learning
import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss

from ali_core.losses import triplet_terms

DIM, N_CLASSES, MARGIN = 256, 11, 0.2
SIZES, PEER_UP_TO = (64, 128, 256, 512, 1024, 4096), 1024
REPEATS = {64: 20, 128: 20, 256: 10, 512: 5, 1024: 2, 4096: 3}


def batch(size, seed=0):
    """Return normalised vectors of overlapping classes whose sizes fall off log-uniformly 20 : 1."""
    rng = np.random.default_rng(seed)
    share = np.geomspace(20, 1, N_CLASSES)
    labels = rng.choice(N_CLASSES, size=size, p=share / share.sum())
    vectors = 0.55 * rng.normal(size=(N_CLASSES, DIM))[labels] + rng.normal(size=(size, DIM))
    points = torch.tensor(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=torch.float32)
    return points, torch.tensor(labels)


def value_and_gradient(function, points):
    leaf = points.clone().requires_grad_()
    value = function(leaf)
    value.backward()
    return value.item(), leaf.grad


def best(repeats, function, points):
    """Return the shortest of several runs in seconds after one that does not count, and the result."""
    times, result = [], value_and_gradient(function, points)
    for _ in range(repeats):
        start = time.perf_counter()
        result = value_and_gradient(function, points)
        times.append(time.perf_counter() - start)
    return min(times), result


def measured(size):
    """Return one row of the table; the peer runs up to PEER_UP_TO samples."""
    points, labels = batch(size)
    terms = triplet_terms(points, labels, margin=MARGIN)
    seconds, (value, gradient) = best(REPEATS[size], lambda x: triplet_terms(x, labels, margin=MARGIN).loss, points)
    row = {
        "B": size,
        "triplets": terms.n_triplets.item(),
        "active (%)": 100 * terms.n_active.item() / terms.n_triplets.item(),
        "ours (ms)": 1e3 * seconds,
    }
    if size > PEER_UP_TO:
        return row
    peer = TripletMarginLoss(margin=MARGIN, distance=LpDistance(normalize_embeddings=False))
    seconds_peer, (value_peer, gradient_peer) = best(REPEATS[size], lambda x: peer(x, labels), points)
    difference, largest = abs(value - value_peer), (gradient - gradient_peer).abs().max().item()
    assert difference < 1e-5 * value_peer, (value, value_peer)
    assert largest < 1e-4 * gradient_peer.abs().max().item(), largest
    return row | {
        "peer (ms)": 1e3 * seconds_peer,
        "peer / ours": seconds_peer / seconds,
        "difference of value": difference,
        "largest of gradient": largest,
    }


def main():
    torch.set_num_threads(1)
    table = pd.DataFrame([measured(size) for size in SIZES])
    print(
        f"value and gradient, one thread, float32, D = {DIM}, {N_CLASSES} classes, margin {MARGIN}; "
        f"torch {torch.__version__}, pytorch-metric-learning {pytorch_metric_learning.__version__}"
    )
    print(table.to_string(index=False, float_format=lambda x: f"{x:.3g}", na_rep=""))


if __name__ == "__main__":
    main()
