"""Conditional logistic regression gives odds worked by hand, and errors that grow when clusters repeat themselves."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest

from training.contagion.conditional import conditional_logit


def pairs(n_case_exposed: int, n_other_exposed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One-to-one pairs that differ in exposure: the case is exposed in the first, the other in the rest."""
    exposed = [[1.0], [0.0]] * n_case_exposed + [[0.0], [1.0]] * n_other_exposed
    n = n_case_exposed + n_other_exposed
    return np.array(exposed), np.array([True, False] * n), np.full(n, 2)


def test_of_pairs_the_odds_are_the_ratio_of_discordant_pairs() -> None:
    columns, case, sizes = pairs(30, 12)
    found = conditional_logit(columns, case, sizes, np.arange(len(sizes)))
    assert found.value[0] == pytest.approx(log(30 / 12), abs=1e-5)
    # McNemar: variance of the log odds 1/b + 1/c, here with the robust factor n / (n - 1)
    assert found.se[0] == pytest.approx(sqrt((1 / 30 + 1 / 12) * 42 / 41), rel=1e-4)


def test_pairs_of_one_cluster_count_as_one_where_they_say_the_same() -> None:
    columns, case, sizes = pairs(30, 12)
    alone = conditional_logit(columns, case, sizes, np.arange(42))
    together = conditional_logit(
        columns, case, sizes, np.concatenate([np.arange(30) // 3, 50 + np.arange(12) // 3])
    )
    assert together.value[0] == alone.value[0]
    assert together.se[0] > 1.6 * alone.se[0]


def test_without_sets_or_contrast_nothing_is_claimed() -> None:
    none = np.empty(0, np.int64)
    found = conditional_logit(np.empty((0, 2)), none.astype(bool), none, none)
    assert np.isnan(found.value).all()
    columns, case, sizes = pairs(3, 2)
    flat = conditional_logit(np.column_stack([columns, np.ones(10)]), case, sizes, np.arange(5))
    assert flat.value[1] == 0
