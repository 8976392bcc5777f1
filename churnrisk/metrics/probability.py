"""Figures of probability: log loss, Brier, calibration; they refuse to know where the probabilities come from."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, expit, logit, ndtri

from .ranked import Floats, checked_outcomes

ECE_BINS = 15
"""Equal-mass bins of the calibration error and of the reliability table."""

ECE_NULL_DRAWS = 400
"""Simulated outcomes behind the null of the calibration error; its standard error is then within 4 %."""

SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)
"""Probabilities are clipped to [this, 1 - this] before a logarithm, as scikit-learn does."""

WORST_CONDITION = 1e12
"""Condition of the information matrix beyond which a recalibration is not identified (leavers and stayers apart)."""

SETTLED_GAIN = 1e-10
"""Newton steps end when the next would gain less than half of this in log-likelihood."""

SEPARATED_LOSS = 1e-4
"""Total log-likelihood this near 0 means that leavers and stayers do not overlap: the slope is infinite."""

LEVEL = 0.95
"""Nominal level of intervals."""


@dataclass(frozen=True)
class Interval:
    """A figure with its interval; all nan where the figure is undefined."""

    value: float
    low: float
    high: float


UNDEFINED = Interval(math.nan, math.nan, math.nan)


def log_loss(left: ArrayLike, probability: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return the mean negative log-likelihood per customer (nats).

    Parameters
    ----------
    left : shape (n,), 0 or 1; 1 = left.
    probability : shape (n,), 0 to 1.
    weight : shape (n,), >= 0, optional.

    Examples
    --------
    >>> round(log_loss([1, 0], [0.8, 0.4]), 4)
    0.367
    """
    y, p, w = checked_probabilities(left, probability, weight)
    return _mean(log_losses(y, p), w)


def log_losses(y: Floats, p: Floats) -> Floats:
    """Return the negative log-likelihood of each row (nats)."""
    clipped = np.clip(p, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    losses: Floats = -np.where(y > 0, np.log(clipped), np.log1p(-clipped))
    return losses


def brier(left: ArrayLike, probability: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return the mean squared difference between outcome and probability (0 to 1).

    >>> round(brier([1, 0], [0.8, 0.4]), 4)
    0.1
    """
    y, p, w = checked_probabilities(left, probability, weight)
    return _mean((y - p) ** 2, w)


def equal_mass_bins(probability: Floats, weight: Floats, n_bins: int = ECE_BINS) -> NDArray[np.intp]:
    """Return each row's bin, 0 to n_bins - 1, by the middle of its rank; equal probabilities share one bin.

    So the order of rows changes nothing and a constant has a single bin. Some bins may stay empty.
    """
    distinct, member = np.unique(probability, return_inverse=True)
    mass = np.bincount(member, weights=weight, minlength=len(distinct))
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    bins: NDArray[np.intp] = np.minimum((middle * n_bins).astype(np.intp), n_bins - 1)
    return bins[member]


def reliability_table(
    left: ArrayLike, probability: ArrayLike, weight: ArrayLike | None = None, *, n_bins: int = ECE_BINS
) -> pl.DataFrame:
    """Return predicted against realised rate, one row per non-empty equal-mass bin, rising.

    Columns: bin, n, n_leavers (both unweighted), mean_risk, realised_rate, realised_low, realised_high. The interval
    is Wilson's at 95 %, at the effective number of rows (sum w)^2 / sum w^2.
    """
    y, p, w = checked_probabilities(left, probability, weight)
    member = equal_mass_bins(p, w, n_bins)
    total = np.bincount(member, weights=w, minlength=n_bins)
    used = total > 0
    rate = np.bincount(member, weights=w * y, minlength=n_bins)[used] / total[used]
    n_effective = total[used] ** 2 / np.bincount(member, weights=w * w, minlength=n_bins)[used]
    low, high = wilson(rate, n_effective)
    return pl.DataFrame(
        {
            "bin": np.flatnonzero(used).astype(np.int64),
            "n": np.bincount(member, minlength=n_bins)[used].astype(np.int64),
            "n_leavers": np.bincount(member, weights=y, minlength=n_bins)[used].astype(np.int64),
            "mean_risk": np.bincount(member, weights=w * p, minlength=n_bins)[used] / total[used],
            "realised_rate": rate,
            "realised_low": low,
            "realised_high": high,
        }
    )


def wilson(rate: ArrayLike, n: ArrayLike, *, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Return Wilson's interval of a share (Wilson 1927); nan where n is 0.

    >>> low, high = wilson(0.1, 100)
    >>> round(float(low), 4), round(float(high), 4)
    (0.0552, 0.1744)
    """
    p, size = np.asarray(rate, dtype=np.float64), np.asarray(n, dtype=np.float64)
    size = np.where(size > 0, size, np.nan)
    z = float(ndtri((1 + level) / 2))
    middle = (p + z * z / (2 * size)) / (1 + z * z / size)
    half = z / (1 + z * z / size) * np.sqrt(p * (1 - p) / size + z * z / (4 * size * size))
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)


@dataclass(frozen=True)
class CalibrationError:
    """Expected calibration error beside what a perfectly calibrated model would show on rows like these."""

    value: float
    null_mean: float
    null_se: float

    @property
    def is_within_null(self) -> bool:
        """Whether the error is at most the null mean + 2 standard errors (science: the bar of calibration)."""
        return self.value <= self.null_mean + 2 * self.null_se


def ece(
    left: ArrayLike,
    probability: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    n_bins: int = ECE_BINS,
    n_draws: int = ECE_NULL_DRAWS,
    seed: int = 0,
) -> CalibrationError:
    """Return the expected calibration error over equal-mass bins (0 to 1) with its null mean and standard error.

    Parameters
    ----------
    left : shape (n,), 0 or 1; 1 = left.
    probability : shape (n,), 0 to 1.
    weight : shape (n,), >= 0, optional.
    n_bins : number of equal-mass bins; equal probabilities share one bin.
    n_draws : outcomes drawn from the probabilities themselves for the null.
    seed : of those draws.

    Notes
    -----
    ECE = sum over bins of (mass of bin) |realised rate - mean probability| (Naeini, Cooper & Hauskrecht 2015, with
    bins of equal mass). A fixed limit means nothing: at 2 % leavers any constant passes it, and with few rows a
    perfect model fails it. The null is what sampling alone gives. Cost: n log n + n n_draws.

    Examples
    --------
    >>> found = ece([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5])
    >>> found.value
    0.0
    """
    y, p, w = checked_probabilities(left, probability, weight)
    order = np.argsort(p, kind="stable")
    y, p, w = y[order], p[order], w[order]
    member = equal_mass_bins(p, w, n_bins)
    starts = np.flatnonzero(np.concatenate(([True], member[1:] != member[:-1])))
    total = w.sum()

    def error_of(outcome: Floats) -> float:
        return float(np.abs(np.add.reduceat(w * (outcome - p), starts)).sum() / total)

    rng = np.random.default_rng(seed)
    null = np.array([error_of((rng.random(p.size) < p).astype(np.float64)) for _ in range(n_draws)])
    return CalibrationError(error_of(y), float(null.mean()), float(null.std(ddof=1)))


@dataclass(frozen=True)
class CalibrationLine:
    """Logistic recalibration logit P(left) = intercept + slope logit(p) (Cox 1958); perfect is slope 1, intercept 0."""

    slope: Interval
    intercept: Interval
    p_value: float
    """Of the likelihood-ratio test of slope 1 and intercept 0 together (chi2, 2 degrees); nan where undefined."""


def calibration_line(
    left: ArrayLike,
    probability: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    customer: ArrayLike | None = None,
) -> CalibrationLine:
    """Return slope and intercept of the logistic recalibration with Wald intervals (95 %) and the joint test.

    A slope under 1 means risks too extreme. Undefined (nan) for a constant probability, without leavers or stayers,
    and when leavers and stayers do not overlap. With weights, or when a ``customer`` has several rows, the covariance
    is the sandwich over customers and the test is Wald's.

    >>> line = calibration_line([0, 0, 0, 1, 0, 1, 1, 1], [0.25, 0.25, 0.25, 0.25, 0.75, 0.75, 0.75, 0.75])
    >>> round(line.slope.value, 6), round(line.p_value, 6)
    (1.0, 1.0)
    """
    y, p, w = checked_probabilities(left, probability, weight)
    z = logit(np.clip(p, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY))
    undefined = CalibrationLine(UNDEFINED, UNDEFINED, math.nan)
    if np.ptp(z[w > 0]) == 0 or np.ptp(y[w > 0]) == 0:
        return undefined
    design = np.column_stack((np.ones_like(z), z))
    found = _logistic(design, y, w, start=np.array([0.0, 1.0]))
    if found is None:
        return undefined
    coefficients, bread = found
    fitted = expit(design @ coefficients)
    member, n_customers = customers_of(customer, y.size)
    if weight is None and n_customers == y.size:
        gain = 2 * float(np.sum(log_losses(y, p) - log_losses(y, fitted)))
        covariance = bread
    else:
        away = w * (y - fitted)
        scores = np.column_stack([np.bincount(member, weights=away * column) for column in design.T])
        covariance = bread @ (scores.T @ scores) @ bread
        moved = coefficients - np.array([0.0, 1.0])
        gain = float(moved @ np.linalg.solve(covariance, moved))
    half = float(ndtri((1 + LEVEL) / 2)) * np.sqrt(np.diag(covariance))
    intercept, slope = (
        Interval(float(c), float(c - h), float(c + h)) for c, h in zip(coefficients, half, strict=True)
    )
    return CalibrationLine(slope, intercept, float(chdtrc(2, max(gain, 0.0))))


def observed_over_expected(
    left: ArrayLike,
    probability: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    customer: ArrayLike | None = None,
) -> Interval:
    """Return leavers observed over leavers expected (1 = calibrated in the large) with its interval (95 %).

    Notes
    -----
    The interval is taken on the logarithm (Debray et al. 2017), SE(log O/E) = sqrt(sum w^2 (y - p O/E)^2) / O, where
    rows of one ``customer`` are added up before they are squared. With no leaver observed the value and low are 0 and
    high is -log(0.025)/E, exact for rare leavers. nan when nothing is expected.

    Examples
    --------
    >>> round(observed_over_expected([1, 0, 0, 0, 1], [0.4, 0.2, 0.1, 0.1, 0.2]).value, 6)
    2.0
    """
    y, p, w = checked_probabilities(left, probability, weight)
    observed, expected = float(w @ y), float(w @ p)
    if expected <= 0:
        return UNDEFINED
    if observed <= 0:
        effective = expected * float(w.sum() / (w @ w))
        return Interval(0.0, 0.0, -math.log((1 - LEVEL) / 2) / effective)
    ratio = observed / expected
    member, _ = customers_of(customer, y.size)
    away = np.bincount(member, weights=w * (y - np.minimum(p * ratio, 1.0)))
    spread = math.sqrt(float(away @ away)) / observed
    factor = math.exp(float(ndtri((1 + LEVEL) / 2)) * spread)
    return Interval(ratio, ratio / factor, ratio * factor)


def customers_of(customer: ArrayLike | None, n: int) -> tuple[NDArray[np.intp], int]:
    """Return each row's customer as a number, and how many customers there are; without ids each row is its own."""
    if customer is None:
        return np.arange(n), n
    distinct, member = np.unique(np.asarray(customer), return_inverse=True)
    return member, len(distinct)


def _logistic(
    design: Floats, y: Floats, w: Floats, start: Floats, *, steps: int = 50
) -> tuple[Floats, Floats] | None:
    """Return coefficients and inverse information by damped Newton steps; None when they do not settle."""
    coefficients: Floats = start
    loss = float(w @ log_losses(y, expit(design @ coefficients)))
    for _ in range(steps):
        fitted = expit(design @ coefficients)
        information = design.T @ (design * (w * fitted * (1 - fitted))[:, None])
        if not np.linalg.cond(information) < WORST_CONDITION:
            return None
        gradient = design.T @ (w * (y - fitted))
        step = np.linalg.solve(information, gradient)
        if loss < SEPARATED_LOSS:
            return None
        if float(gradient @ step) < SETTLED_GAIN:
            return coefficients, np.asarray(np.linalg.inv(information), dtype=np.float64)
        for damping in 0.5 ** np.arange(30):
            trial = coefficients + damping * step
            trial_loss = float(w @ log_losses(y, expit(design @ trial)))
            if trial_loss < loss:
                break
        coefficients, loss = trial, trial_loss
    return None


def checked_probabilities(
    left: ArrayLike, probability: ArrayLike, weight: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    """Return outcome, probability and weight as float64 arrays; raises ValueError also outside 0 to 1."""
    y, p, w = checked_outcomes(left, probability, weight)
    if not bool(((p >= 0) & (p <= 1)).all()):
        msg = "a probability lies between 0 and 1"
        raise ValueError(msg)
    return y, p, w


def _mean(values: Floats, weight: Floats) -> float:
    total = float(weight.sum())
    return float(weight @ values) / total if total > 0 else math.nan
