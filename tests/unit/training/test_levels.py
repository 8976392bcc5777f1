"""How far the level differs from date to date: found where it does, nothing where chance explains it, and its worth."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from churnrisk.metrics import Interval, observed_over_expected
from training.evaluate import OUT_OF_TIME, evaluation
from training.levels import FEWEST_DATES, Levels, levels_of
from training.rows import Rows

Floats = NDArray[np.float64]


def a_history(
    *, spread: float, n_dates: int, seed: int, n: int = 4_000, weighted: bool = False
) -> tuple[Rows, Floats]:
    """Draw dates whose odds of leaving differ by a normal draw each, and the risk that knows nothing of dates."""
    rng = np.random.default_rng(seed)
    risk = np.tile(1 / (1 + np.exp(3.0 - rng.normal(0, 1, n))), n_dates)
    moved = np.repeat(np.exp(rng.normal(0, spread, n_dates)), n)
    left = (rng.random(n * n_dates) < np.minimum(risk * moved, 1)).astype(np.float64)
    weight = rng.choice([0.5, 1.5], n * n_dates) if weighted else np.ones(n * n_dates)
    days = np.repeat([f"2026-{month + 1:02d}-01" for month in range(n_dates)], n)
    return Rows(
        frame=pl.DataFrame({"x": np.zeros(n * n_dates)}),
        left=left,
        weight=weight,
        customer=np.array([f"c{number}" for number in range(n * n_dates)], dtype=object),
        snapshot=days.astype(object),
    ), risk


def by_hand(rows: Rows, risk: Floats) -> tuple[float, float]:
    """Return spread and error the slow way: the spread is sought along a grid."""
    value, error = [], []
    for day in sorted(set(rows.snapshot)):
        mine = [place for place, each in enumerate(rows.snapshot) if each == day]
        observed = sum(rows.weight[place] * rows.left[place] for place in mine)
        ratio = observed / sum(rows.weight[place] * risk[place] for place in mine)
        away = sum(
            (rows.weight[place] * (rows.left[place] - min(risk[place] * ratio, 1.0))) ** 2 for place in mine
        )
        value.append(math.log(ratio))
        error.append(math.sqrt(away) / observed)
    best, found = math.inf, 0.0
    for spread in np.arange(0.0, 1.0, 0.0005):
        weight = [1 / (spread**2 + each**2) for each in error]
        mean = sum(w * v for w, v in zip(weight, value, strict=True)) / sum(weight)
        total = sum(w * (v - mean) ** 2 for w, v in zip(weight, value, strict=True))
        away = abs(total - (len(value) - 1))
        if spread == 0 and total <= len(value) - 1:
            away = -1.0
        if away < best:
            best, found = away, float(spread)
    return found, 1 / math.sqrt(sum(1 / (found**2 + each**2) for each in error))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_spread_and_error_are_those_found_by_hand(spread: float, seed: int) -> None:
    rows, risk = a_history(spread=spread, n_dates=5, seed=seed, n=600, weighted=seed % 2 == 1)
    found = levels_of(rows, risk)
    assert found is not None
    slow_spread, slow_error = by_hand(rows, risk)
    assert found.n_dates == 5
    assert found.spread == pytest.approx(slow_spread, abs=0.0006)
    assert found.error == pytest.approx(slow_error, rel=0.01)


def test_dates_that_differ_by_chance_alone_mostly_have_no_spread_and_those_that_differ_have_theirs() -> None:
    def mean_spread(spread: float) -> float:
        drawn = (levels_of(*a_history(spread=spread, n_dates=12, seed=seed)) for seed in range(10))
        return float(np.mean([found.spread for found in drawn if found is not None]))

    assert mean_spread(0.0) < 0.05
    assert mean_spread(0.3) == pytest.approx(0.3, abs=0.06)


def test_the_interval_with_dates_holds_the_level_learned_where_that_by_chance_leaves_it_out() -> None:
    n_dates, n_judged, worlds = 6, 2, 150
    held, by_chance = 0, 0
    for seed in range(worlds):
        rows, risk = a_history(spread=0.1, n_dates=n_dates + n_judged, seed=seed, n=3_000)
        is_judged = np.isin(rows.snapshot, sorted(set(rows.snapshot))[-n_judged:])
        learned, tested = rows.where(~is_judged), rows.where(is_judged)
        level = learned.left.sum() / risk[~is_judged].sum()
        levels = levels_of(learned, risk[~is_judged] * level)
        assert levels is not None
        found = observed_over_expected(tested.left, risk[is_judged] * level)
        wide = levels.on_new_dates(found, n_judged)
        held += wide.low <= 1 <= wide.high
        by_chance += found.low <= 1 <= found.high
    # 95 % is wanted; three standard errors of 150 worlds are 5 points
    assert 0.89 * worlds <= held <= worlds
    assert by_chance < 0.85 * worlds


@given(st.floats(0.2, 5), st.floats(1.01, 3), st.integers(1, 12), st.floats(0, 0.5), st.floats(0.001, 0.5))
def test_dates_never_make_an_interval_narrower_and_more_of_them_never_wider(
    value: float, factor: float, n_dates: int, spread: float, error: float
) -> None:
    judged = Interval(value, value / factor, value * factor)
    levels = Levels(6, spread, error)
    found, more = levels.on_new_dates(judged, n_dates), levels.on_new_dates(judged, n_dates + 1)
    assert found.low <= judged.low <= judged.value == found.value <= judged.high <= found.high
    assert found.low <= more.low + 1e-12
    assert more.high <= found.high + 1e-12


def test_what_is_undefined_or_has_no_leaver_stays_as_it_is() -> None:
    levels = Levels(6, 0.1, 0.05)
    none = Interval(0.0, 0.0, 0.4)
    assert levels.on_new_dates(none, 2) == none
    undefined = levels.on_new_dates(Interval(math.nan, math.nan, math.nan), 2)
    assert math.isnan(undefined.value)


def test_fewer_than_three_dates_tell_nothing() -> None:
    rows, risk = a_history(spread=0.1, n_dates=FEWEST_DATES - 1, seed=1)
    assert levels_of(rows, risk) is None
    dateless = Rows(
        rows.frame, rows.left, rows.weight, rows.customer, np.full(len(rows.left), "", dtype=object)
    )
    assert levels_of(dateless, risk) is None


def test_the_order_of_rows_changes_nothing() -> None:
    rows, risk = a_history(spread=0.2, n_dates=4, seed=2, n=500)
    order = np.random.default_rng(3).permutation(len(risk))
    shuffled = Rows(
        rows.frame[order], rows.left[order], rows.weight[order], rows.customer[order], rows.snapshot[order]
    )
    first, second = levels_of(rows, risk), levels_of(shuffled, risk[order])
    assert first is not None
    assert second is not None
    assert (second.spread, second.error) == pytest.approx((first.spread, first.error), rel=1e-9)


def test_the_evaluation_tells_both_intervals_and_says_so_in_words() -> None:
    rows, risk = a_history(spread=0.3, n_dates=8, seed=4, n=2_000)
    is_judged = np.isin(rows.snapshot, sorted(set(rows.snapshot))[-2:])
    levels = levels_of(rows.where(~is_judged), risk[~is_judged])
    assert levels is not None
    figures = evaluation(OUT_OF_TIME, rows.where(is_judged), risk[is_judged], seed=1, levels=levels).figures
    assert figures["level_spread"] == levels.spread
    assert figures["observed_over_expected_dates"] == figures["observed_over_expected"]
    low, wide = figures["observed_over_expected_low"], figures["observed_over_expected_dates_low"]
    assert low is not None
    assert wide is not None
    assert wide < low
    assert "between the 6 dates learned from" in levels.sentence()
    assert "no more than chance" in Levels(6, 0.0, 0.01).sentence()
    without = evaluation(OUT_OF_TIME, rows.where(is_judged), risk[is_judged], seed=1).figures
    assert without["observed_over_expected_dates"] is None
    assert without["level_spread"] is None
