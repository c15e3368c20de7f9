"""Chains of rotations against products of their matrices."""

import numpy as np

from ali_core.geometry import SpanRotation, rotations_away
from ali_core.interventions import turns as turns_module
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


def test_it_is_the_same_whatever_was_asked_before(rng, monkeypatch):
    made = chain(rng, 6)
    last = made[-1][0]
    first = last.matrix.copy()
    for turns, _ in made[:4]:
        assert turns.matrix is turns.matrix
    recent = turns_module._RecentMatrices(limit=2 * first.nbytes)
    monkeypatch.setattr(turns_module, "_RECENT", recent)
    np.testing.assert_array_equal(last.matrix, first)
    assert made[3][0].matrix is made[3][0].matrix
    np.testing.assert_array_equal(last.matrix, first)


def test_no_more_matrices_are_kept_than_the_limit_allows(rng):
    made = [turns for turns, _ in chain(rng, 6)]
    matrices = [turns.matrix for turns in made]
    recent = turns_module._RecentMatrices(limit=2 * matrices[0].nbytes)
    for turns, matrix in zip(made[:3], matrices, strict=False):
        recent.keep(turns, matrix)
    assert [recent.get(turns) is matrix for turns, matrix in zip(made, matrices, strict=True)] == [
        False,
        True,
        True,
        False,
        False,
        False,
    ]
    recent.get(made[1])
    recent.keep(made[5], matrices[5])
    assert recent.get(made[2]) is None
    assert recent.get(made[1]) is matrices[1]
