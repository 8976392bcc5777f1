"""Did what was predicted come true? Predictions whose outcome window has ended, beside what happened to the untreated.

It decides which past nights are judged together and whether their risks were right, and refuses to know how outcomes
were found. Treated customers are left out: keeping them is what a treatment is for (science, section 5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr

from churnrisk.config import MonitoringSettings
from churnrisk.metrics import auc, calibration_line, observed_over_expected
from churnrisk.tables.published import BANDS

from .estimated import Z, promised
from .watched import Watched, adjusted

Floats = NDArray[np.float64]

ENOUGH_EXPECTED = 200.0
"""Leavers expected up to which earlier windows are added: observed over expected is then known to about 14 %."""

MOST_WINDOWS = 6
"""Windows judged together at most: older ones say little about the model as it does now. A judgement."""

TAIL = 0.025
"""Of either side of a 95 % interval."""

SLOPE_LOW, SLOPE_HIGH = 0.8, 1.25
"""A slope wholly outside is miscalibrated. A judgement."""

TELLING_RATIO = 0.1
"""Observed over expected within 1 +- this is right enough, however many customers prove a difference. A judgement."""


@dataclass(frozen=True)
class Matured:
    """Predictions whose windows have ended, of customers whom no action reached; ``n_treated`` were left out.

    ``frame`` has one row per customer and window: risk, band, left (0 or 1), weight (1, or more for randomised controls
    who stand for those picked with them) and is_control. ``days`` are the nights that made them, newest first.
    """

    frame: pl.DataFrame
    days: tuple[date, ...]
    model_version: str
    n_treated: int = 0
    knows_treatments: bool = False


def windows(
    days: Sequence[date],
    last: date,
    *,
    reach_days: int,
    outcome_days: int,
    is_usable: Callable[[date], bool] = lambda _: True,
) -> Iterator[date]:
    """Yield nights whose outcome windows have ended by the end of ``last`` and do not overlap, newest first.

    A night's window ends ``reach_days`` (gap and outcome together) after it and is ``outcome_days`` long. Only nights
    that ``is_usable`` accepts are taken; it is asked newest first, and no more than needed.

    >>> some = [date(2026, 1, 1) + timedelta(days=each) for each in range(0, 100)]
    >>> [str(day) for day in windows(some, date(2026, 3, 31), reach_days=44, outcome_days=30)]
    ['2026-02-15', '2026-01-16']
    """
    limit = last - timedelta(days=reach_days)
    for day in sorted(days, reverse=True):
        if day <= limit and is_usable(day):
            yield day
            limit = day - timedelta(days=outcome_days)


def matured_rows(found: Matured, settings: MonitoringSettings) -> Iterator[Watched]:
    """Yield observed over expected for all and by band, the slope, and the realised AUC beside the promised one.

    Notes
    -----
    Windows do not overlap, so that a customer's outcomes in several of them are independent given the risks. Observed
    over expected is tested as a binomial with the mean risk (mid-p), which is careful, as unequal risks vary less; its
    interval holds the ratios that the same test does not reject (Clopper & Pearson 1934 with mid-p). Controls alone are
    told and not judged: picked after the risk was made, they had stayed until then, and were picked for newer reasons.
    Bands are one
    family (Benjamini & Hochberg). With weights both come from the ratio's logarithm (Debray et al. 2017) instead.
    """
    frame = found.frame
    if frame.is_empty():
        return
    left, risk = frame["left"].to_numpy().astype(np.float64), frame["risk"].to_numpy()
    weight, is_control = frame["weight"].to_numpy(), frame["is_control"].to_numpy()
    weights = None if bool((weight == 1).all()) else weight
    base = Watched("calibration", "outcomes", "all", baseline_on=found.days[0])
    whole = _with_verdict(next(iter(adjusted([_ratio(base, left, risk, weight)]))), settings)
    yield whole
    if is_control.any():
        # told and not judged: who was picked weeks after the risk was made has stayed so long, and for newer reasons
        controls = replace(base, name="controls")
        yield _ratio(controls, left[is_control], risk[is_control], np.ones(is_control.sum()))
    bands = frame["band"].to_numpy()
    parts = [
        _ratio(
            replace(base, name=f"band {name}"),
            left[bands == name],
            risk[bands == name],
            weight[bands == name],
        )
        for name in BANDS
        if (bands == name).any()
    ]
    for row in adjusted(parts):
        yield _with_verdict(row, settings)
    yield _slope(base, left, risk, weights)
    realised = auc(left, risk, weights)
    if not np.isnan(realised):
        expected = promised(risk)["auc"]
        verdict = "below" if realised < expected.low else "as expected"
        yield replace(
            base,
            kind="performance",
            name="auc",
            value=expected.value,
            low=expected.low,
            high=expected.high,
            observed=realised,
            n=left.size,
            verdict="not valid" if whole.verdict == "miscalibrated" else verdict,
        )


def _ratio(base: Watched, left: Floats, risk: Floats, weight: Floats) -> Watched:
    n, observed, expected = left.size, float(weight @ left), float(weight @ risk)
    if not bool((weight == 1).all()):
        return replace(_weighted_ratio(base, left, risk, weight), observed=observed, expected=expected, n=n)
    below = _share_below(observed, n, expected / n)
    low, high = _rates(observed, n)
    return replace(
        base,
        value=observed / expected,
        low=low * n / expected,
        high=high * n / expected,
        p_value=min(1.0, 2 * min(below, 1 - below)),
        observed=observed,
        expected=expected,
        n=n,
    )


def _weighted_ratio(base: Watched, left: Floats, risk: Floats, weight: Floats) -> Watched:
    found = observed_over_expected(left, risk, weight)
    row = replace(base, value=found.value, low=found.low, high=found.high)
    if found.value <= 0:
        return replace(row, p_value=None if found.high >= 1 else 2 * TAIL)
    error = np.log(found.high / found.low) / (2 * Z)
    return replace(row, p_value=float(2 * ndtr(-abs(np.log(found.value)) / error)))


def _share_below(observed: float, n: int, rate: float) -> float:
    """Return the chance of fewer than so many leavers, and half of that of just so many."""
    from scipy.stats import binom

    return float(binom.cdf(observed, n, rate) - binom.pmf(observed, n, rate) / 2)


def _rates(observed: float, n: int) -> tuple[float, float]:
    """Return the lowest and highest rate (95 %) of which so many leavers of n are not too unlikely."""
    from scipy.optimize import brentq

    middle = observed / n
    low = 0.0 if middle == 0 else brentq(lambda rate: _share_below(observed, n, rate) - 1 + TAIL, 0.0, middle)
    high = 1.0 if middle == 1 else brentq(lambda rate: _share_below(observed, n, rate) - TAIL, middle, 1.0)
    return float(low), float(high)


def _with_verdict(row: Watched, settings: MonitoringSettings) -> Watched:
    """Off is beyond chance and by more than a tenth; miscalibrated lies wholly beyond the settings' factor too."""
    value, low, high = row.value or 0.0, row.low or 0.0, row.high or 0.0
    is_beyond = row.q_value is not None and row.q_value <= settings.false_discoveries
    if not is_beyond or abs(value - 1) <= TELLING_RATIO:
        return replace(row, verdict="calibrated")
    factor = settings.calibration_factor
    return replace(row, verdict="miscalibrated" if low > factor or high < 1 / factor else "off")


def _slope(base: Watched, left: Floats, risk: Floats, weight: Floats | None) -> Watched:
    line = calibration_line(left, risk, weight)
    row = replace(base, name="slope", n=left.size)
    if np.isnan(line.slope.value):
        return row
    low, high = line.slope.low, line.slope.high
    verdict = "calibrated" if low <= 1 <= high else "off"
    if low > SLOPE_HIGH or high < SLOPE_LOW:
        verdict = "miscalibrated"
    return replace(row, value=line.slope.value, low=low, high=high, verdict=verdict)
