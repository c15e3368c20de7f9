"""Chains of rotations against products of their matrices."""

import gc

import numpy as np

from ali_core.geometry import SpanRotation, rotations_away
from ali_core.interventions.turns import Turns


def chain(rng, length, dim=6):
    turns, matrix, made = None, np.eye(dim), []
    for _ in range(length):
        factor = SpanRotation.product(rotations_away(rng.normal(size=dim), rng.normal(size=(2, dim)), 0.3))
        turns = Turns(last=factor, before=turns)
        matrix = factor.apply(matrix.T).T  # each column, as a point
        made.append((turns, matrix))
    return made


def test_the_matrix_is_the_product_of_the_factors(rng):
    for turns, expected in reversed(chain(rng, 5)):
        np.testing.assert_allclose(turns.matrix, expected, atol=1e-13)
        np.testing.assert_allclose(turns.matrix @ turns.matrix.T, np.eye(6), atol=1e-13)


def test_it_is_the_same_whatever_was_asked_before_and_shared_while_held(rng):
    made = chain(rng, 6)
    last = made[-1][0]
    first = last.matrix.copy()
    held = [turns.matrix for turns, _ in made[:4]]
    np.testing.assert_array_equal(last.matrix, first)
    assert made[3][0].matrix is held[3]
    held.clear()
    gc.collect()
    np.testing.assert_array_equal(last.matrix, first)
