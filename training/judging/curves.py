"""Curves of ranking and money with their intervals, and every single figure with its own.

It decides which figures are given and refuses to know groups of customers.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
import polars.selectors as cs

from churnrisk import metrics
from churnrisk.metrics.probability import ECE_BINS, equal_mass_bins
from churnrisk.metrics.profit import VERBRAKEN, Campaign, empc_of, mpc_of, profits_of, treat_all
from churnrisk.metrics.ranked import Ranked
from churnrisk.metrics.ranking import CURVE_POINTS

from ..evaluate import FIGURES, evaluation
from .groups import grouped
from .subject import Floats, Subject

FIGURE_COLUMNS = {"figure": pl.String(), "value": pl.Float64(), "low": pl.Float64(), "high": pl.Float64()}

_SHARES = np.arange(CURVE_POINTS + 1) / CURVE_POINTS
_SINGLE = (
    "mpc",
    "mpc_share_contacted",
    "empc_share_contacted",
    "empc_treat_all",
    "empc_over_treat_all",
    "base_rate",
)


def curves(subject: Subject, kind: str, *, campaign: Campaign = VERBRAKEN) -> dict[str, pl.DataFrame]:
    """Return the tables figures, gain, profit, reliability and roc.

    figures
        figure, value, low, high, meaning: all of :data:`training.FIGURES`. What is itself a statement of uncertainty
        (the null of the calibration error, a p-value) has no interval.
    gain
        share_contacted (1 to 100 %), share_of_leavers_reached and lift, each with ``_low`` and ``_high``.
    profit
        share_contacted (0 to 100 %), profit_per_customer with ``_low`` and ``_high``, treat_all_per_customer likewise,
        treat_none_per_customer (0): currency per customer of the base at the mean acceptance.
    """
    judged = evaluation(kind, subject.rows, subject.risk, seed=subject.seed)
    ranked = Ranked(subject.left, subject.risk)

    def statistic(weight: Floats) -> Floats:
        curve = ranked.curve(weight)
        if curve.is_one_sided:
            return np.full(2 * len(_SHARES) + len(_SINGLE), np.nan)
        reached = (curve.leavers + curve.stayers) / curve.total
        profit = np.interp(_SHARES, reached, profits_of(curve, campaign))
        best, expected = mpc_of(curve, campaign), empc_of(curve, campaign)
        rate = float(curve.leavers[-1] / curve.total)
        everybody = treat_all(rate, campaign=campaign)
        single = (
            best.profit,
            best.share_contacted,
            expected.share_contacted,
            everybody,
            expected.profit - max(0.0, everybody),
            rate,
        )
        return np.concatenate((curve.gain_at(_SHARES), profit, single))

    value, drawn = metrics.resampled(
        statistic, subject.rows.weight, customer=subject.customer, seed=subject.seed
    )
    low, high = metrics.percentile_ends(value, drawn)
    n = len(_SHARES)
    gain = {f"share_of_leavers_reached{end}": each[1:n] for end, each in _ends(value, low, high)}
    lift = {f"lift{end}": each[1:n] / _SHARES[1:] for end, each in _ends(value, low, high)}
    profit = {f"profit_per_customer{end}": each[n : 2 * n] for end, each in _ends(value, low, high)}
    place = 2 * n + _SINGLE.index("empc_treat_all")
    everybody = {
        f"treat_all_per_customer{end}": np.full(n, each[place]) for end, each in _ends(value, low, high)
    }
    single = {name: (float(low[2 * n + at]), float(high[2 * n + at])) for at, name in enumerate(_SINGLE)}
    return {
        "figures": _figures(judged.figures, single | {"ece": _calibration_error(subject)}),
        "gain": _nulls(pl.DataFrame({"share_contacted": _SHARES[1:], **gain, **lift})),
        "profit": _nulls(
            pl.DataFrame(
                {
                    "share_contacted": _SHARES,
                    **profit,
                    **everybody,
                    "treat_none_per_customer": np.zeros(n),
                }
            )
        ),
        "reliability": reliability(subject),
        "roc": judged.tables["roc"],
    }


def reliability(subject: Subject) -> pl.DataFrame:
    """Return predicted against realised rate by 15 groups of equal size, rising: bin and :data:`GROUP_COLUMNS`."""
    member = equal_mass_bins(subject.risk, subject.rows.weight)
    found = grouped(subject, member, [str(each) for each in range(ECE_BINS)], key="bin")
    return found.filter(pl.col("n") > 0).with_columns(pl.col("bin").cast(pl.Int64))


def _calibration_error(subject: Subject) -> tuple[float, float]:
    """Return the ends of the calibration error by the basic bootstrap, which takes off that resamples err more."""
    member = equal_mass_bins(subject.risk, subject.rows.weight)
    away = subject.left - subject.risk

    def error(weight: Floats) -> Floats:
        sums = np.bincount(member, weights=weight * away, minlength=ECE_BINS)
        return np.array([np.abs(sums).sum() / weight.sum()])

    value, drawn = metrics.resampled(error, subject.rows.weight, customer=subject.customer, seed=subject.seed)
    low, high = metrics.percentile_ends(value, drawn)
    return max(0.0, 2 * float(value[0]) - float(high[0])), max(0.0, 2 * float(value[0]) - float(low[0]))


def _figures(plain: Mapping[str, float | None], ends: dict[str, tuple[float, float]]) -> pl.DataFrame:
    rows = []
    for name, meaning in FIGURES.items():
        low, high = ends.get(name, (plain.get(f"{name}_low"), plain.get(f"{name}_high")))
        rows.append((name, plain[name], low, high, meaning))
    return _nulls(pl.DataFrame(rows, schema={**FIGURE_COLUMNS, "meaning": pl.String()}, orient="row"))


def _ends(value: Floats, low: Floats, high: Floats) -> tuple[tuple[str, Floats], ...]:
    return ("", value), ("_low", low), ("_high", high)


def _nulls(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(cs.float().fill_nan(None))
