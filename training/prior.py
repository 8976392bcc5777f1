"""A rule where there is next to nobody to learn from: a base rate, rates of segments, and what answers are worth.

It decides risks with fewer leavers than any learner needs (science, section 6), and refuses to pass for learned: its
regime says what is measured, what is assumed, and what would lift it.

    base rate        [churn] expected_rate, corrected by the leavers there are; without a setting, those alone
    contract, tenure rates of segments, shrunk to the base rate by how much they differ at all (empirical Bayes)
    survey answers   likelihood ratios assumed from the literature, not measured here

All adds up in log-odds, so that reasons, changes and lists work as for any other model.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import betaln, expit, logit

from churnrisk.bundle import PRIOR, Additive, Effect, Feature, VennAbersGrid
from churnrisk.errors import Fault, ModelUnfit

from .rows import Rows

Floats = NDArray[np.float64]

PRIOR_LEAVERS = 1.0
"""Leavers that the expected rate is worth beside those observed (judgement: it gives way at once)."""

JEFFREYS = 0.5
"""Leavers and stayers added where no rate is expected (Jeffreys' prior)."""

TENURE = "tenure_days"
TENURE_LIMITS = (90.0, 365.0, 1095.0)
"""Days at which bands of tenure begin: three months, a year, three years (judgement)."""

CONTRACT_WORDS = ("contract", "plan", "tariff", "subscription", "package", "договор", "тариф", "合同", "套餐")
"""A column of texts whose name holds one of these says what kind of contract a customer has; the first that does."""

MOST_SEGMENTS = 20
STRENGTHS = np.geomspace(10.0, 1e6, 60)
"""Customers that the common rate may be worth beside a segment's own."""

RECOMMEND, SATISFACTION, SATISFACTION_TOP = "nps_last_score", "csat_last_score", 5.0
RECOMMEND_LIMITS, SATISFACTION_LIMITS = (6.5, 8.5), (2.5, 4.5)
"""Detractor 0-6, passive, promoter 9-10; of 1-5: 1-2, 3-4, 5."""

LOG_RATIOS = (0.7, 0.0, -0.7)
"""Logarithms of the likelihood ratios of detractor, passive, promoter: who answers nothing has 0 (science, section 8;
a judgement there). For satisfaction a half of it: it tells much of the same again (de Haan, Verhoef & Wiesel 2015)."""

HALF_LIFE_DAYS = 90.0
"""An answer is worth half as much so many days later (science, section 8); here by the mean over all of a question."""

EVIDENCE_SD = 0.7
"""Standard deviation of the log-odds for all that is assumed or shrunk, as large as an answer's worth (judgement)."""

RATE_SD = 0.7
"""The same for a base rate that nothing but the setting speaks for: a factor of four either way (judgement)."""

MANY_MISSED = 6.0
"""Leavers expected where none came, from which it is said: less than one time in 400 by chance."""

GRID = np.linspace(-16.0, 8.0, 481)
"""Log-odds at which intervals are kept."""

_Z = 1.959963984540054


@dataclass(frozen=True)
class Prior:
    """A rule in the form of a learner: log-odds that add up, with an interval as wide as what is not known."""

    features: tuple[Feature, ...]
    learner: Additive
    intervals: VennAbersGrid
    base_rate: float
    importance: Floats
    dropped: Mapping[str, str]
    regime: str
    parameters: Mapping[str, Any]
    notes: tuple[str, ...] = field(default=())


def fitted_prior(
    rows: Rows,
    *,
    expected_rate: float | None,
    group_of: Any,
    left_out: Collection[str] = (),
    next_regimes: str = "",
) -> Prior:
    """Return the rule for ``rows``.

    Parameters
    ----------
    rows : labelled rows, with any number of leavers, none included.
    expected_rate : share (0 to 1, exclusive) that is expected to leave within an outcome window; None: not said.
    group_of : names each feature's group.
    left_out : columns not to be read: kept for judging, or leaking.
    next_regimes : what more leavers would bring, for the regime.

    Raises
    ------
    ModelUnfit
        Nobody left, and no rate is expected.
    """
    base = _base_rate(rows, expected_rate)
    odds = np.full(len(rows.left), logit(base.rate))
    features: list[Feature] = []
    parts: list[tuple[Effect, Floats]] = []
    said: list[str] = []
    usable = [name for name in rows.frame.columns if name not in left_out]
    for piece in (_contract, _tenure, _recommendation, _satisfaction):
        made = piece(rows, odds, usable)
        if made is None:
            continue
        values = made.effect.of(made.encoded)
        mean = _mean(values, rows)
        features.append(_grouped(made.feature, group_of))
        parts.append((_shifted(made.effect, mean), values - mean))
        odds = odds + values
        said.append(made.said)
    score = sum((values for _, values in parts), start=np.zeros(len(rows.left)))
    intercept = _intercept(score, rows, base.rate)
    sizes = np.array([float(np.abs(values).mean()) for _, values in parts])
    total = float(sizes.sum())
    regime = (
        f"{PRIOR}, not learned: {rows.n_leavers} leavers; {base.said}; {'; '.join(said) or 'nothing else'}"
    )
    return Prior(
        features=tuple(features),
        learner=Additive(intercept, tuple(effect for effect, _ in parts)),
        intervals=_intervals(base),
        base_rate=base.rate,
        importance=sizes / total if total > 0 else sizes,
        dropped={
            name: "not read: there are too few leavers to learn from, and the rule prior has no rule for it"
            for name in rows.frame.columns
            if name not in {feature.name for feature in features}
        },
        regime=f"{regime} ({next_regimes})" if next_regimes else regime,
        parameters={"learner": PRIOR, "base_rate": base.rate, "expected_rate": expected_rate},
        notes=base.notes,
    )


@dataclass(frozen=True)
class _Base:
    """The base rate with its interval, and where it comes from."""

    rate: float
    low: float
    high: float
    said: str
    notes: tuple[str, ...] = ()


def _base_rate(rows: Rows, expected: float | None) -> _Base:
    from scipy.stats import beta as beta_distribution

    n = float(rows.weight.sum())
    left = float(rows.weight @ rows.left)
    if expected is None and left == 0:
        raise ModelUnfit(
            Fault(
                code="no_leavers",
                where="churnrisk.toml [churn] expected_rate",
                expected="a share of customers who leave within an outcome window, since nobody has left yet",
                found=f"no leaver among {rows.n_stayers:,} customers, and no expected_rate",
                remedy="Say what you expect, e.g. expected_rate = 0.02, or check how leaving is declared (left_on, "
                "positive).",
            )
        )
    if expected is not None and left == 0:
        odds = logit(expected)
        doubt: tuple[str, ...] = ()
        if n * expected > MANY_MISSED:
            words = (
                f"of {n:,.0f} customer dates none left, where [churn] expected_rate says {n * expected:,.0f}"
            )
            doubt = (f"{words}: if leavings are recorded at all, the rate is lower",)
        low, high = (float(expit(odds + sign * _Z * RATE_SD)) for sign in (-1, 1))
        return _Base(
            expected, low, high, f"base rate {expected:.2%} as expected ([churn] expected_rate)", doubt
        )
    if expected is not None:
        a, b = left + PRIOR_LEAVERS, n - left + PRIOR_LEAVERS * (1 - expected) / expected
        source = f"expected {expected:.2%} shrunk to what was observed"
    else:
        a, b = left + JEFFREYS, n - left + JEFFREYS
        source = "observed"
    low, high = (float(beta_distribution.ppf(level, a, b)) for level in (0.025, 0.975))
    rate = a / (a + b)
    return _Base(rate, low, high, f"base rate {rate:.2%} [{low:.2%}, {high:.2%}], {source}")


@dataclass(frozen=True)
class _Piece:
    """One rule: what it reads, what it adds to the log-odds."""

    feature: Feature
    effect: Effect
    encoded: Floats
    said: str


def _contract(rows: Rows, odds: Floats, usable: Collection[str]) -> _Piece | None:
    name = next(
        (
            column
            for word in CONTRACT_WORDS
            for column in usable
            if word in column.lower() and _is_segment(rows.frame[column])
        ),
        None,
    )
    if name is None:
        return None
    texts = tuple(sorted(rows.frame[name].drop_nulls().unique().to_list()))
    codes = rows.frame[name].replace_strict(
        list(texts), list(range(len(texts))), return_dtype=pl.Float64, default=None
    )
    encoded = codes.fill_null(np.nan).to_numpy()
    found = _shrunk(rows, odds, encoded, len(texts))
    feature = Feature(name, "category", categories=texts)
    return _Piece(feature, Effect(0.0, by_code=found.effects), encoded, f"{name}: {found.said}")


def _is_segment(series: pl.Series) -> bool:
    return series.dtype == pl.String and 1 < series.drop_nulls().n_unique() <= MOST_SEGMENTS


def _tenure(rows: Rows, odds: Floats, usable: Collection[str]) -> _Piece | None:
    if TENURE not in usable or _is_unknown(rows.frame[TENURE]):
        return None
    encoded = _numbers(rows.frame[TENURE])
    known = ~np.isnan(encoded)
    codes = np.full(len(encoded), np.nan)
    codes[known] = np.searchsorted(TENURE_LIMITS, encoded[known], side="right")
    found = _shrunk(rows, odds, codes, len(TENURE_LIMITS) + 1)
    effect = Effect(0.0, by_code=found.effects, limits=TENURE_LIMITS)
    return _Piece(Feature(TENURE, "number"), effect, encoded, f"tenure: {found.said}")


@dataclass(frozen=True)
class _Shrunk:
    effects: tuple[float, ...]
    said: str


def _shrunk(rows: Rows, odds: Floats, codes: Floats, n_codes: int) -> _Shrunk:
    """Return the log-odds that each segment adds to what is expected of it already.

    The rate of a segment has a beta prior around its expected rate, worth M customers; M has the largest likelihood of
    the leavers of all segments (beta-binomial), and 1/M = 0, segments that do not differ, is among the choices.
    """
    known = ~np.isnan(codes)
    place = codes[known].astype(np.intp)
    n, left, expected = (
        np.bincount(place, weights=values, minlength=n_codes)
        for values in (
            rows.weight[known],
            (rows.weight * rows.left)[known],
            (rows.weight * expit(odds))[known],
        )
    )
    mean = np.clip(np.divide(expected, n, out=np.full(n_codes, 0.5), where=n > 0), 1e-9, 1 - 1e-9)
    a, b = STRENGTHS[:, None] * mean, STRENGTHS[:, None] * (1 - mean)
    fits = (betaln(a + left, b + n - left) - betaln(a, b)).sum(axis=1)
    alike = float((left * np.log(mean) + (n - left) * np.log1p(-mean)).sum())
    if left.sum() == 0 or fits.max() <= alike:
        return _Shrunk((0.0,) * n_codes, "no difference to be seen between segments")
    worth = float(STRENGTHS[int(fits.argmax())])
    rate = (left + worth * mean) / (n + worth)
    effects = tuple((logit(rate) - logit(mean)).tolist())
    return _Shrunk(effects, f"rates of segments, shrunk to the common one as if by {worth:,.0f} customers")


def _recommendation(rows: Rows, odds: Floats, usable: Collection[str]) -> _Piece | None:
    del odds
    return _answer(rows, usable, RECOMMEND, RECOMMEND_LIMITS, share=1.0)


def _satisfaction(rows: Rows, odds: Floats, usable: Collection[str]) -> _Piece | None:
    del odds
    if SATISFACTION not in usable or _is_unknown(rows.frame[SATISFACTION]):
        return None
    if float(np.nanmax(_numbers(rows.frame[SATISFACTION]))) > SATISFACTION_TOP:
        return None  # another scale: where satisfied begins is not known
    return _answer(rows, usable, SATISFACTION, SATISFACTION_LIMITS, share=0.5)


def _answer(
    rows: Rows, usable: Collection[str], name: str, limits: tuple[float, ...], *, share: float
) -> _Piece | None:
    if name not in usable or _is_unknown(rows.frame[name]):
        return None
    fresh = share * _freshness(rows, name.replace("_score", "_age_days"))
    effect = Effect(0.0, by_code=tuple(fresh * ratio for ratio in LOG_RATIOS), limits=limits)
    worth = f"log-odds of {fresh * LOG_RATIOS[0]:+.2f}, 0 and {fresh * LOG_RATIOS[-1]:+.2f}"
    said = f"{name}: {worth} for the dissatisfied, those between and the satisfied, assumed and not measured"
    return _Piece(Feature(name, "number"), effect, _numbers(rows.frame[name]), said)


def _freshness(rows: Rows, age: str) -> float:
    """Return what an answer of the mean age is still worth, 0 to 1."""
    if age not in rows.frame.columns or _is_unknown(rows.frame[age]):
        return 1.0
    return float(np.nanmean(np.exp2(-_numbers(rows.frame[age]) / HALF_LIFE_DAYS)))


def _is_unknown(series: pl.Series) -> bool:
    return series.null_count() == series.len() or not series.dtype.is_numeric()


def _numbers(series: pl.Series) -> Floats:
    numbers: Floats = series.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return numbers


def _mean(values: Floats, rows: Rows) -> float:
    return float(rows.weight @ values / rows.weight.sum())


def _grouped(feature: Feature, group_of: Any) -> Feature:
    return Feature(feature.name, feature.kind, group_of(feature.name), feature.categories)


def _shifted(effect: Effect, mean: float) -> Effect:
    """Return the effect with its mean over the rows taken out: a customer of whom nothing is known is not average."""
    return Effect(
        effect.missing - mean, by_code=tuple(each - mean for each in effect.by_code), limits=effect.limits
    )


def _intercept(score: Floats, rows: Rows, rate: float) -> float:
    """Return the intercept with which the mean risk of the rows is the base rate."""
    from scipy.optimize import brentq

    def excess(intercept: float) -> float:
        return _mean(expit(score + intercept), rows) - rate

    middle = float(logit(rate))
    reach = float(np.abs(score).max()) + 1.0
    return float(brentq(excess, middle - reach, middle + reach))


def _intervals(base: _Base) -> VennAbersGrid:
    """Return intervals around each score: the base rate's own, widened by what is assumed."""
    middle = logit(base.rate)
    below, above = (float(np.hypot(middle - logit(end), _Z * EVIDENCE_SD)) for end in (base.low, base.high))
    return VennAbersGrid(GRID, expit(GRID - below), expit(GRID + above))
