"""The logistic as one effect per feature is the ridge regression on flags and standardised columns, centred."""

import numpy as np
import pytest
from scipy.optimize import minimize

from churnrisk.bundle import Feature
from training.folds import customer_folds
from training.logistic import fitted_logistic

FEATURES = (Feature("wait_s", "number"), Feature("plan", "category", "", ("gold", "basic")))


def drawn(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    wait = np.where(rng.random(n) < 0.2, np.nan, rng.normal(5, 2, n))
    plan = np.where(rng.random(n) < 0.1, np.nan, rng.integers(0, 2, n).astype(float))
    score = -1 + 0.4 * np.nan_to_num(wait - 5) + np.where(np.isnan(wait), 0.5, 0) + np.nan_to_num(plan)
    return np.column_stack((wait, plan)), (rng.random(n) < 1 / (1 + np.exp(-score))).astype(float)


def plain_scores(encoded: np.ndarray, left: np.ndarray, ridge: float) -> np.ndarray:
    """Minimise the penalised likelihood of the written-out design with a general optimiser."""
    wait, plan = encoded.T
    low, high = np.nanquantile(wait, [0.01, 0.99])
    clipped = np.clip(wait, low, high)
    line = np.nan_to_num((clipped - np.nanmean(clipped)) / np.nanstd(clipped))
    flags = [np.isnan(wait), plan == 0, plan == 1, np.isnan(plan)]
    design = np.column_stack([np.ones(len(left)), line, *flags])

    def loss(b: np.ndarray) -> float:
        z = design @ b
        return float((np.logaddexp(0, z) - left * z).sum() + b[1:] @ b[1:] / (2 * ridge))

    def slope(b: np.ndarray) -> np.ndarray:
        z = design @ b
        out = design.T @ (1 / (1 + np.exp(-z)) - left)
        out[1:] += b[1:] / ridge
        return np.asarray(out)

    best = minimize(loss, np.zeros(design.shape[1]), jac=slope, method="BFGS", options={"gtol": 1e-6}).x
    return np.asarray(design @ best)


def test_scores_effects_and_base_are_those_of_the_plain_regression() -> None:
    encoded, left = drawn(400, 1)
    folds = customer_folds(np.arange(400).astype(object), left, 5)
    found = fitted_logistic(encoded, left, np.ones(400), FEATURES, folds)
    expected = plain_scores(encoded, left, found.ridge)
    np.testing.assert_allclose(found.learner.score(encoded), expected, atol=1e-4)
    parts = found.learner.contributions(encoded)
    # centred: each effect has mean 0 over training, so the last column is the mean score
    np.testing.assert_allclose(parts[:, :-1].mean(axis=0), 0, atol=1e-9)
    assert parts[0, -1] == pytest.approx(expected.mean(), abs=1e-4)


def test_a_number_beyond_training_counts_like_the_border() -> None:
    encoded, left = drawn(400, 2)
    folds = customer_folds(np.arange(400).astype(object), left, 5)
    learner = fitted_logistic(encoded, left, np.ones(400), FEATURES, folds).learner
    far = learner.score(np.array([[1e9, 0.0], [1e6, 0.0]]))
    assert far[0] == far[1]
