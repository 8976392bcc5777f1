"""What risks promise of themselves, against outcomes drawn from them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnrisk.metrics import auc, brier, lift, log_loss
from scoring.monitor import promised


def drawn(risk: np.ndarray, seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).random(risk.size) < risk).astype(np.float64)


def spread_risks(n: int, *, rate: float = 0.05) -> np.ndarray:
    return np.random.default_rng(2).beta(0.8, 0.8 / rate - 0.8, n)


def test_the_promise_is_what_comes_out_on_average_and_the_interval_holds_95_of_100() -> None:
    risk = np.round(spread_risks(3000), 3)  # rounded: many ties
    found = promised(risk)
    figures = {"auc": auc, "log_loss": log_loss, "brier": brier, "top_decile_lift": lift}
    came = {name: [] for name in figures}  # type: dict[str, list[float]]
    for seed in range(400):
        left = drawn(risk, seed)
        for name, figure in figures.items():
            came[name].append(float(figure(left, risk)))
    for name, values in came.items():
        inside = [found[name].low <= value <= found[name].high for value in values]
        assert np.mean(values) == pytest.approx(found[name].value, rel=0.01)
        assert 0.92 <= np.mean(inside) <= 0.98


def test_the_auc_is_that_of_every_pair_counted() -> None:
    risk = np.array([0.1, 0.1, 0.3, 0.8, 0.8, 0.95])
    good = total = 0.0
    for i, mine in enumerate(risk):
        for j, other in enumerate(risk):
            if i != j:
                chance = mine * (1 - other)
                total += chance
                good += chance * (1.0 if mine > other else 0.5 if mine == other else 0.0)
    assert promised(risk)["auc"].value == pytest.approx(good / total)


def test_equal_risks_promise_nothing() -> None:
    found = promised(np.full(50, 0.2))
    assert found["auc"].value == pytest.approx(0.5)
    assert found["top_decile_lift"].value == pytest.approx(1.0)


def test_the_leaving_rate_and_its_spread_are_exact() -> None:
    found = promised([0.1, 0.4])["leaving_rate"]
    assert found.value == pytest.approx(0.25)
    assert found.low == 0.0
    assert found.high == pytest.approx(0.25 + 1.959964 * np.sqrt(0.09 + 0.24) / 2)


@given(st.lists(st.floats(0.001, 0.999), min_size=3, max_size=40))
def test_the_order_of_customers_changes_nothing_and_ends_hold_the_value(risk: list[float]) -> None:
    found, again = promised(risk), promised(risk[::-1])
    for name, interval in found.items():
        assert again[name].value == pytest.approx(interval.value)
        assert interval.low <= interval.value <= interval.high


def test_nobody_expected_to_leave_gives_no_figure_of_ranking() -> None:
    assert np.isnan(promised(np.zeros(5))["auc"].value)
    assert np.isnan(promised(np.zeros(5))["top_decile_lift"].value)
