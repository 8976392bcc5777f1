"""Predictions whose time is up: which nights are judged together, and whether they were right."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom

from churnrisk.config import MonitoringSettings
from scoring.monitor import Matured, matured_rows, windows

SETTINGS = MonitoringSettings()
DAYS = [date(2026, 1, 1) + timedelta(days=each) for each in range(120)]


def judged(
    risk: np.ndarray,
    left: np.ndarray,
    bands: list[str] | None = None,
    *,
    weight: np.ndarray | None = None,
    is_control: np.ndarray | None = None,
) -> dict[str, dict[str, Any]]:
    frame = pl.DataFrame(
        {
            "risk": risk,
            "left": left.astype(np.int8),
            "band": bands or ["low"] * risk.size,
            "weight": np.ones(risk.size) if weight is None else weight,
            "is_control": np.zeros(risk.size, dtype=bool) if is_control is None else is_control,
        }
    )
    found = matured_rows(Matured(frame, (date(2026, 5, 1),), "1"), SETTINGS)
    return {f"{row.kind} {row.name}": vars(row) for row in found}


def test_windows_have_ended_and_do_not_overlap() -> None:
    chosen = list(windows(DAYS, DAYS[-1], reach_days=44, outcome_days=30))
    assert chosen[0] == DAYS[-1] - timedelta(days=44)
    assert all((one - two).days >= 30 for one, two in pairwise(chosen))
    assert list(windows(DAYS[-40:], DAYS[-1], reach_days=44, outcome_days=30)) == []


def test_a_night_that_cannot_be_used_is_replaced_by_the_one_before_it() -> None:
    newest = DAYS[-1] - timedelta(days=44)
    chosen = list(
        windows(DAYS, DAYS[-1], reach_days=44, outcome_days=30, is_usable=lambda day: day != newest)
    )
    assert chosen[0] == newest - timedelta(days=1)


def test_observed_over_expected_is_worked_by_hand() -> None:
    """100 customers at 10 %, 15 left: 1.5; at either end of the interval the tail beyond 15 has 2.5 % (mid-p)."""
    found = judged(np.full(100, 0.1), np.repeat([1.0, 0.0], [15, 85]))["calibration all"]
    assert (found["observed"], found["expected"]) == (15, pytest.approx(10))
    assert found["value"] == pytest.approx(1.5)
    low, high = binom(100, found["low"] / 10), binom(100, found["high"] / 10)
    assert low.sf(15) + low.pmf(15) / 2 == pytest.approx(0.025)
    assert high.cdf(14) + high.pmf(15) / 2 == pytest.approx(0.025)
    assert found["verdict"] == "calibrated"


def test_right_risks_are_called_wrong_seldom_and_the_interval_holds_one() -> None:
    rng = np.random.default_rng(1)
    risk = rng.beta(1, 30, 3000)
    bands = np.where(risk < 0.03, "low", np.where(risk < 0.08, "watch", "high")).tolist()
    wrong, inside = [], []
    for _ in range(200):
        found = judged(risk, (rng.random(3000) < risk).astype(np.float64), bands)
        wrong.append(
            any(row["verdict"] != "calibrated" for name, row in found.items() if name == "calibration all")
        )
        row = found["calibration all"]
        inside.append(row["low"] <= 1 <= row["high"])
        assert inside[-1] == (row["p_value"] >= 0.05)
    assert np.mean(wrong) <= 0.08
    assert np.mean(inside) >= 0.92


def test_many_customers_do_not_make_a_small_difference_an_alarm() -> None:
    left = np.repeat([1.0, 0.0], [21_000, 979_000])
    assert judged(np.full(1_000_000, 0.02), left)["calibration all"]["verdict"] == "calibrated"
    left = np.repeat([1.0, 0.0], [23_000, 977_000])
    assert judged(np.full(1_000_000, 0.02), left)["calibration all"]["verdict"] == "off"
    left = np.repeat([1.0, 0.0], [30_000, 970_000])
    assert judged(np.full(1_000_000, 0.02), left)["calibration all"]["verdict"] == "miscalibrated"


def test_the_factor_beyond_which_risks_are_an_alarm_is_a_setting() -> None:
    frame = pl.DataFrame(
        {"risk": np.full(10_000, 0.1), "left": np.repeat([1, 0], [1400, 8600]), "band": "high"}
    ).with_columns(weight=pl.lit(1.0), is_control=pl.lit(value=False))
    for settings, verdict in (
        (SETTINGS, "miscalibrated"),
        (MonitoringSettings(calibration_factor=1.6), "off"),
    ):
        first = next(iter(matured_rows(Matured(frame, (date(2026, 5, 1),), "1"), settings)))
        assert first.verdict == verdict


def test_controls_stand_for_those_picked_with_them_and_have_a_row_without_weights() -> None:
    """Half of the riskier half is picked; one in five of the picked is left alone, the others are not seen."""
    rng = np.random.default_rng(6)
    risk = rng.beta(1, 15, 60_000)
    is_picked = (risk > np.median(risk)) & (rng.random(risk.size) < 0.5)
    is_control = is_picked & (rng.random(risk.size) < 0.2)
    left = (rng.random(risk.size) < risk).astype(np.float64)
    seen = ~is_picked | is_control
    weight = np.where(is_control, 5.0, 1.0)[seen]
    found = judged(risk[seen], left[seen], weight=weight, is_control=is_control[seen])
    for name, verdict in (("all", "calibrated"), ("controls", "not judged"), ("slope", "calibrated")):
        row = found[f"calibration {name}"]
        assert row["verdict"] == verdict
        assert row["low"] < row["value"] < row["high"]
        assert row["value"] == pytest.approx(1, abs=0.15)
    assert found["calibration all"]["expected"] == pytest.approx(risk.sum(), rel=0.03)
    assert found["calibration controls"]["n"] == is_control.sum()
    high = judged(np.minimum(2 * risk[seen], 1), left[seen], weight=weight, is_control=is_control[seen])
    assert high["calibration all"]["verdict"] == "miscalibrated"


def test_one_band_that_is_off_is_found_while_the_whole_is_right() -> None:
    risk = np.repeat([0.02, 0.10], [5000, 1000])
    left = np.concatenate([np.repeat([1.0, 0.0], [40, 4960]), np.repeat([1.0, 0.0], [160, 840])])
    found = judged(risk, left, ["low"] * 5000 + ["high"] * 1000)
    assert found["calibration all"]["verdict"] == "calibrated"
    assert found["calibration band low"]["verdict"] == "miscalibrated"
    assert found["calibration band high"]["verdict"] == "miscalibrated"


def test_too_extreme_risks_have_a_slope_below_one() -> None:
    rng = np.random.default_rng(2)
    score = rng.normal(-2.5, 1, 20_000)
    left = (rng.random(20_000) < 1 / (1 + np.exp(-score))).astype(np.float64)
    found = judged(1 / (1 + np.exp(-(2 * score + 2))), left)["calibration slope"]
    assert found["value"] == pytest.approx(0.5, abs=0.05)
    assert found["verdict"] == "miscalibrated"


def test_customers_who_left_in_another_order_are_told() -> None:
    rng = np.random.default_rng(3)
    risk = rng.beta(1, 10, 5000)
    left = (rng.random(5000) < rng.permutation(risk)).astype(np.float64)
    found = judged(risk, left)["performance auc"]
    assert found["observed"] == pytest.approx(0.5, abs=0.05)
    assert found["verdict"] == "below"


def test_nobody_who_left_is_judged_too_and_an_empty_window_is_not() -> None:
    found = judged(np.full(200, 0.1), np.zeros(200))
    assert found["calibration all"]["value"] == 0
    assert found["calibration all"]["verdict"] == "miscalibrated"
    assert found["calibration slope"]["verdict"] == "not judged"
    assert "performance auc" not in found
    assert judged(np.empty(0), np.empty(0)) == {}
