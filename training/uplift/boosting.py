"""Trees for outcomes and for effects: settings that fit what there is to learn from, and nothing else.

An effect is far weaker than an outcome and its pseudo-outcomes are far noisier, so its trees are few and shallow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churnrisk.bundle import Feature, Trees

from ..trees import laid_out

Floats = NDArray[np.float64]

MANY_ROWS = 200_000
"""Rows from which trees may be larger (judgement)."""


def outcome_settings(n_rows: int, threads: int, seed: int) -> dict[str, Any]:
    """Return LightGBM's parameters for who stays, with ``n_trees``."""
    size = (
        {"num_leaves": 31, "min_data_in_leaf": 200}
        if n_rows >= MANY_ROWS
        else {"num_leaves": 15, "min_data_in_leaf": 60}
    )
    return {
        "n_trees": 200 if n_rows >= MANY_ROWS else 120,
        "objective": "binary",
        "learning_rate": 0.05,
        "lambda_l2": 5.0,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "cat_smooth": 50.0,
        "seed": seed,
        "deterministic": True,
        "num_threads": threads,
        "verbosity": -1,
        **size,
    }


def effect_settings(n_rows: int, threads: int, seed: int) -> dict[str, Any]:
    """Return LightGBM's parameters for an effect, with ``n_trees``: a tree for four thousand rows, at least ten.

    On simulated treatments with known nuisances policies were worth most with 10 trees at 20,000 rows (.57 of the
    oracle; 100 trees .41) and with 20 to 30 at 100,000 (.88; 100 trees .77).
    """
    return {
        "n_trees": int(min(max(n_rows // 4000, 10), 120)),
        "objective": "regression",
        "learning_rate": 0.05,
        "num_leaves": 3 if n_rows < MANY_ROWS else 4,
        "min_data_in_leaf": max(20, n_rows // 20),
        "lambda_l2": 10.0,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "feature_fraction": 0.7,
        "cat_smooth": 50.0,
        "seed": seed,
        "deterministic": True,
        "num_threads": threads,
        "verbosity": -1,
    }


def boosted(
    encoded: Floats,
    target: Floats,
    features: Sequence[Feature],
    settings: dict[str, Any],
    weight: Floats | None = None,
) -> Trees:
    """Return trees for ``target``; columns after the last feature are numbers."""
    import lightgbm as lgb

    told = laid_out({name: value for name, value in settings.items() if name != "n_trees"}, encoded.size)
    data = lgb.Dataset(
        encoded,
        label=target,
        weight=weight,
        feature_name=[f"f{position}" for position in range(encoded.shape[1])],
        categorical_feature=[position for position, feature in enumerate(features) if feature.is_coded],
        params=told,
    )
    return Trees(lgb.train(told, data, num_boost_round=settings["n_trees"]).model_to_string())
