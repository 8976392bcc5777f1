"""Contributions and moves of trees against Shapley's formula written out over all subsets of features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations
from math import factorial
from typing import Any

import lightgbm
import numpy as np
import pytest
from numpy.typing import NDArray

from churnrisk.bundle import Trees
from churnrisk.bundle.tree_moves import TreeMoves

Floats = NDArray[np.float64]
N_FEATURES = 5


def grown(seed: int, **given: Any) -> tuple[lightgbm.Booster, Floats]:
    """A few small trees over numbers, zeros, gaps and a category, and the rows they grew on."""
    draws = np.random.default_rng(seed)
    rows = draws.normal(size=(600, N_FEATURES))
    rows[draws.random(rows.shape) < 0.2] = np.nan
    rows[:, 1] = np.where(draws.random(600) < 0.5, 0.0, rows[:, 1])
    rows[:, 4] = np.where(draws.random(600) < 0.2, np.nan, draws.integers(0, 5, 600))
    lean = np.nan_to_num(rows[:, 0]) + np.nan_to_num(rows[:, 1] * rows[:, 2]) + (rows[:, 4] == 2)
    left = (lean + draws.normal(size=600) > 0.5).astype(float)
    settings = {
        "objective": "binary",
        "num_leaves": 8,
        "min_data_in_leaf": 5,
        "min_data_per_group": 5,
        "cat_smooth": 1.0,
        "num_threads": 1,
        "seed": seed,
        "deterministic": True,
        "verbose": -1,
    }
    booster = lightgbm.train(
        settings | given, lightgbm.Dataset(rows, left, categorical_feature=[4]), num_boost_round=6
    )
    return booster, rows


def shapley(value: Callable[[frozenset[int]], Floats]) -> Floats:
    """Return (rows, features): the mean of what each feature adds over all orders in which they can come."""
    everybody = range(N_FEATURES)
    known = {
        frozenset(some): value(frozenset(some))
        for size in range(N_FEATURES + 1)
        for some in combinations(everybody, size)
    }
    shares = []
    for feature in everybody:
        total = np.zeros_like(known[frozenset()])
        for some, before in known.items():
            if feature not in some:
                weight = factorial(len(some)) * factorial(N_FEATURES - len(some) - 1) / factorial(N_FEATURES)
                total = total + weight * (known[some | {feature}] - before)
        shares.append(total)
    return np.column_stack(shares)


KINDS: dict[str, dict[str, Any]] = {
    "gaps are their own": {},
    "zero is a gap": {"zero_as_missing": True},
    "gaps are zero": {"use_missing": False},
}


@pytest.mark.parametrize("given", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize("seed", [1, 2])
def test_moves_are_the_shapley_values_of_one_row_against_the_other(seed: int, given: dict[str, Any]) -> None:
    booster, rows = grown(seed, **given)
    draws = np.random.default_rng(seed)
    before = rows[:40]
    now = np.where(draws.random(before.shape) < 0.4, before, rows[40:80])

    def score(some: frozenset[int]) -> Floats:
        mixed = before.copy()
        mixed[:, list(some)] = now[:, list(some)]
        return np.asarray(booster.predict(mixed, raw_score=True))

    moved = TreeMoves.of(booster.dump_model()).between(before, now)
    assert np.allclose(moved, shapley(score), atol=1e-12)
    whole = score(frozenset(range(N_FEATURES))) - score(frozenset())
    assert np.allclose(moved.sum(axis=1), whole, atol=1e-12)
    is_same = (before == now) | (np.isnan(before) & np.isnan(now))
    assert (moved[is_same] == 0).all()
    assert (moved != 0).any()


@pytest.mark.parametrize("seed", [3, 4])
def test_contributions_are_the_shapley_values_of_the_trees_own_expectations(seed: int) -> None:
    booster, rows = grown(seed)
    some_rows = rows[:25]
    trees = booster.dump_model()["tree_info"]

    def expected(some: frozenset[int]) -> Floats:
        return np.array([sum(_expected(t["tree_structure"], row, some) for t in trees) for row in some_rows])

    found = Trees(booster.model_to_string()).contributions(some_rows)
    assert np.allclose(found[:, :-1], shapley(expected), atol=1e-9)
    assert np.allclose(found[:, -1], expected(frozenset()), atol=1e-9)


def _expected(node: Mapping[str, Any], row: Floats, known: frozenset[int]) -> float:
    """Return the mean of the leaves that a row can come to when only some features are known (Lundberg et al. 2020)."""
    if "split_feature" not in node:
        return float(node["leaf_value"])
    left, right = node["left_child"], node["right_child"]
    if node["split_feature"] in known:
        return _expected(left if _goes_left(node, row) else right, row, known)
    n_left, n_right = (_count(child) for child in (left, right))
    both = n_left * _expected(left, row, known) + n_right * _expected(right, row, known)
    return both / (n_left + n_right)


def _count(node: Mapping[str, Any]) -> int:
    return int(node["internal_count"] if "split_feature" in node else node["leaf_count"])


def _goes_left(node: Mapping[str, Any], row: Floats) -> bool:
    value = row[node["split_feature"]]
    if node["decision_type"] == "==":
        return not np.isnan(value) and str(int(value)) in node["threshold"].split("||")
    if np.isnan(value) and node["missing_type"] == "NaN":
        return bool(node["default_left"])
    return bool((0.0 if np.isnan(value) else value) <= node["threshold"])


def test_a_tree_without_any_split_moves_nothing() -> None:
    flat = lightgbm.train(
        {"objective": "binary", "min_data_in_leaf": 500, "verbose": -1, "num_threads": 1},
        lightgbm.Dataset(np.zeros((50, N_FEATURES)), np.arange(50) % 2),
        num_boost_round=2,
    )
    moved = TreeMoves.of(flat.dump_model()).between(np.zeros((3, N_FEATURES)), np.ones((3, N_FEATURES)))
    assert (moved == 0).all()
