"""Numbers from torch's global generator: those of a stream that nobody else draws from."""

import threading

import numpy as np
import pytest
import torch

from ali_core.training import train
from ali_core.training.learner import GlobalDraws
from tests.ali_core.training.samples import features, small


def alone(seed, n_blocks):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return torch.cat([torch.randn(33) for _ in range(n_blocks)])


def test_a_stream_goes_on_where_its_last_block_ended_and_disturbs_nobody():
    first, second = GlobalDraws(3), GlobalDraws(8)
    parts, others = [], []
    before = torch.get_rng_state()
    for _ in range(4):
        for stream, drawn in ((first, parts), (second, others)):
            with stream.drawing():
                drawn.append(torch.randn(33))
            assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(torch.cat(parts), alone(3, 4))
    assert torch.equal(torch.cat(others), alone(8, 4))


def test_a_block_that_fails_leaves_the_generators_as_they_were():
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="inconsistent tensor size"), GlobalDraws(3).drawing():
        torch.randn(5) @ torch.randn(4)
    assert torch.equal(torch.get_rng_state(), before)
    with GlobalDraws(3).drawing():  # and lets others in
        assert torch.equal(torch.randn(33), alone(3, 1))


def at_once(*functions):
    """Return the results of ``functions``, called in threads that start together."""
    results, door = {}, threading.Barrier(len(functions))

    def call(at):
        door.wait()
        results[at] = functions[at]()

    threads = [threading.Thread(target=call, args=(at,)) for at in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[at] for at in range(len(functions))]


def test_threads_draw_what_they_would_draw_alone():
    def draws(seed):
        stream, parts = GlobalDraws(seed), []
        for _ in range(200):
            with stream.drawing():
                parts.append(torch.randn(33))
        return torch.cat(parts)

    for seed, drawn in enumerate(at_once(*(lambda seed=seed: draws(seed) for seed in range(3)))):
        assert torch.equal(drawn, alone(seed, 200))


def test_two_trainings_side_by_side_give_the_numbers_of_each_alone():
    data = features()
    options = [small(seed=seed, max_epochs=2) for seed in (0, 1)]
    together = at_once(*(lambda option=option: train(data, option) for option in options))
    for option, result in zip(options, together, strict=True):
        assert np.array_equal(result.embedding.vectors, train(data, option).embedding.vectors)
