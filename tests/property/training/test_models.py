"""Whatever the customers: calibrators rise, bundles come back exactly, contributions add up, order does not matter."""

import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from churnrisk.bundle import Bundle, Provenance, calibrator_from
from training import FitSettings, Rows
from training.calibrate import fitted_beta, fitted_calibration, fitted_knots, fitted_platt
from training.fit import Fitted, bands_of, fitted_model
from training.folds import customer_folds
from training.venn_abers import venn_abers_grid


def drawn_rows(n: int, seed: int, rate: float = 0.2) -> Rows:
    """Customers with a number, a number full of gaps and a category, that all matter."""
    rng = np.random.default_rng(seed)
    wait, tenure = rng.exponential(10, n), rng.normal(0, 1, n)
    plan = rng.choice(["gold", "basic", "plus"], n)
    score = np.log(rate / (1 - rate)) + 0.08 * (wait - 10) - 0.7 * tenure + (plan == "basic")
    left = (rng.random(n) < 1 / (1 + np.exp(-score))).astype(float)
    frame = pl.DataFrame(
        {
            "wait_s": np.where(rng.random(n) < 0.3, np.nan, wait),
            "tenure": tenure,
            "plan": plan,
            "constant": np.ones(n),
            "name": [f"customer {i}" for i in range(n)],
        }
    ).with_columns(pl.col("wait_s").fill_nan(None))
    ids = np.array([f"c{i}" for i in range(n)], dtype=object)
    return Rows(frame, left, np.ones(n), ids, np.full(n, "", dtype=object))


@lru_cache
def fitted(regime: str) -> tuple[Rows, Fitted]:
    rows = drawn_rows(300 if regime == "logistic" else 1500, seed=1)
    return rows, fitted_model(rows, FitSettings(seed=1))


REGIMES = ["logistic", "boosted trees"]


@pytest.mark.parametrize("regime", REGIMES)
def test_contributions_add_up_to_the_raw_score(regime: str) -> None:
    rows, model = fitted(regime)
    assert model.regime.startswith(regime)
    bundle = model.bundle((), Provenance())
    parts = bundle.contributions(rows.frame)
    assert parts.shape == (len(rows.left), len(bundle.features) + 1)
    np.testing.assert_allclose(parts.sum(axis=1), bundle.raw_score(rows.frame), atol=1e-9)
    # the last column is one number: the score of the average customer
    assert np.ptp(parts[:, -1]) < 1e-9


@pytest.mark.parametrize("regime", REGIMES)
def test_a_fitted_bundle_comes_back_exactly(regime: str) -> None:
    rows, model = fitted(regime)
    risk = model.bundle((), Provenance()).predict(rows.frame)
    bands = bands_of(risk["risk"].to_numpy(), rows.left, rows.weight, model.base_rate)
    bundle = model.bundle(bands, Provenance(regime=model.regime, parameters=dict(model.parameters)))
    with tempfile.TemporaryDirectory() as folder:
        bundle.save(Path(folder))
        again = Bundle.load(Path(folder))
    assert again.predict(rows.frame).equals(bundle.predict(rows.frame))
    assert again.as_dict() == bundle.as_dict()
    np.testing.assert_array_equal(again.contributions(rows.frame), bundle.contributions(rows.frame))


@pytest.mark.parametrize("regime", REGIMES)
def test_the_same_rows_give_the_same_model(regime: str) -> None:
    rows, model = fitted(regime)
    again = fitted_model(rows, FitSettings(seed=1))
    assert again.bundle((), Provenance()).identity == model.bundle((), Provenance()).identity


@pytest.mark.parametrize("regime", REGIMES)
def test_each_row_is_predicted_alone(regime: str) -> None:
    rows, model = fitted(regime)
    bundle = model.bundle((), Provenance())
    order = np.random.default_rng(2).permutation(len(rows.left))[:50]
    alone = bundle.predict(rows.frame[order.tolist()])
    assert alone.equals(bundle.predict(rows.frame)[order.tolist()])


@pytest.mark.parametrize("regime", REGIMES)
def test_columns_that_say_nothing_are_dropped_and_say_why(regime: str) -> None:
    _, model = fitted(regime)
    assert set(model.dropped) == {"constant", "name"}
    assert "one value" in model.dropped["constant"]
    assert "nearly unique" in model.dropped["name"]
    assert model.importance["importance"].sum() == pytest.approx(1)


scores = hnp.arrays(np.float64, st.integers(20, 60), elements=st.integers(-6, 6).map(lambda k: k / 2))


@given(scores, st.integers(0, 2**32 - 1))
@settings(max_examples=15)
def test_every_calibrator_is_strictly_increasing_and_stays_a_probability(
    score: np.ndarray, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    left = (rng.random(len(score)) < 0.3).astype(float)
    left[:2] = (0, 1)
    weight = np.ones(len(score))
    grid = venn_abers_grid(score, left, weight)
    at = np.linspace(-12, 12, 400)
    for calibrator in (
        fitted_platt(score, left, weight),
        fitted_beta(score, left, weight),
        fitted_knots(score, left, weight, grid),
    ):
        log_odds = calibrator.log_odds(at)
        assert (np.diff(log_odds) > 0).all()
        assert np.isfinite(log_odds).all()
        assert calibrator_from(calibrator.as_dict()) == calibrator


@given(scores, st.integers(0, 2**32 - 1), st.floats(0.02, 0.9))
def test_the_isotonic_curve_expects_as_many_leavers_as_there_were(
    score: np.ndarray, seed: int, rate: float
) -> None:
    rng = np.random.default_rng(seed)
    left = (rng.random(len(score)) < rate).astype(float)
    left[:2] = (0, 1)
    weight = rng.uniform(0.2, 5, len(score))
    weight /= weight.mean()
    found = fitted_knots(score, left, weight, venn_abers_grid(score, left, weight))
    risk = 1 / (1 + np.exp(-found.log_odds(score)))
    assert weight @ risk == pytest.approx(weight @ left, rel=1e-9)


@given(scores, st.integers(0, 2**32 - 1))
def test_intervals_rise_with_the_score_and_hold_the_merged_probability(score: np.ndarray, seed: int) -> None:
    left = (np.random.default_rng(seed).random(len(score)) < 0.3).astype(float)
    grid = venn_abers_grid(score, left, np.ones(len(score)))
    low, high = grid.interval(np.linspace(-5, 5, 101))
    assert (low <= high).all()
    assert (np.diff(low) >= -1e-12).all()
    assert (np.diff(high) >= -1e-12).all()


@pytest.mark.parametrize(
    ("n_leavers", "kinds"),
    [(49, {"platt"}), (50, {"platt", "beta"}), (1000, {"platt", "beta"}), (1001, {"knots"})],
)
def test_the_number_of_leavers_chooses_the_calibrator(n_leavers: int, kinds: set[str]) -> None:
    rng = np.random.default_rng(3)
    score = rng.normal(-1, 1, 400)
    left = (rng.random(400) < 1 / (1 + np.exp(-score))).astype(float)
    folds = customer_folds(np.arange(400).astype(object), left, 5)
    found = fitted_calibration(score, left, np.ones(400), n_leavers=n_leavers, folds=folds)
    assert found.calibrator.kind in kinds


def test_weights_that_undo_a_resampling_bring_the_risk_to_the_true_rate() -> None:
    rng = np.random.default_rng(4)
    score = rng.normal(-3, 1, 60_000)
    left = (rng.random(60_000) < 1 / (1 + np.exp(-score))).astype(float)
    kept = (left > 0) | (rng.random(60_000) < 0.1)
    weight = np.where(left > 0, 1.0, 10.0)[kept]
    weight /= weight.mean()
    grid = venn_abers_grid(score[kept], left[kept], weight)
    for calibrator in (
        fitted_platt(score[kept], left[kept], weight),
        fitted_knots(score[kept], left[kept], weight, grid),
    ):
        risk = 1 / (1 + np.exp(-calibrator.log_odds(score)))
        assert risk.mean() == pytest.approx(left.mean(), rel=0.05)
