"""How fast risks fade, learned from who really stayed, and expected lifetimes beside realised ones (F26).

It decides how survival is counted and compared, and refuses to know tables and money. A risk speaks of one outcome
window; how much of it is still true months later is not in it, and is learned here from customers of past snapshots,
with risks given by models that had not seen them.

Customer dates are counted by groups of customers, by risk and by month, and all else is made of these counts: a
customer of several snapshots stays whole in every resample, and a million customers cost little more than a thousand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import polars.selectors as cs
from numpy.typing import NDArray
from scipy.special import expit, logit

from churnrisk.bundle import Band
from churnrisk.bundle.lifetime import (
    ALL,
    ASSUMED,
    CHECK_COLUMNS,
    EVERY,
    MEASURED,
    MONTH_DAYS,
    OUT_OF_TIME,
    TOTAL_COLUMNS,
    Lifetime,
    monthly_hazard,
)
from churnrisk.metrics.resampling import drawn_counts, percentile_ends

from .rows import Rows

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

RHO_ASSUMED = 0.9
"""Share of the distance from the average left after a month, where that cannot be learned (judgement: half in 7)."""

FEWEST_LATER_LEAVINGS = 50
"""Leavings after the first month from which rho is learned: its standard error is then some .1 (judgement)."""

BASE_SD = 0.5
"""Standard deviation of the prior on the log-odds of the long-run hazard, around the realised rate: where risks do not
fade, nothing else would tell what they would fade to (judgement)."""

FEWEST_AT_RISK = 20
"""Customer dates still followed, below which a month is not shown."""

MOST_MONTHS = 120
N_LEVELS = 48
"""Classes of risk of about equal size; within one all are taken for their mean."""

N_GROUPS = 200
"""Groups into which customers are drawn, and which are resampled as wholes."""

N_RESAMPLES = 200

SLACK_MONTHS = 0.02
"""A month followed but for so much counts as whole: days of 23 hours in spring."""

COHORT_COLUMNS = {
    "customer_id": pl.String(),
    "as_of": pl.String(),
    "risk": pl.Float64(),
    "weight": pl.Float64(),
    "is_tested": pl.Boolean(),
}
"""Customers of past snapshots with the risk that a model gave them which had not seen them."""


def cohorts_of(rows: Rows, risk: Floats, *, is_tested: bool) -> pl.DataFrame:
    """Return rows with their risks, with the columns :data:`COHORT_COLUMNS`."""
    return pl.DataFrame(
        {
            "customer_id": pl.Series(rows.customer.tolist(), dtype=pl.String),
            "as_of": pl.Series(rows.snapshot.tolist(), dtype=pl.String),
            "risk": risk,
            "weight": rows.weight,
            "is_tested": pl.repeat(is_tested, len(risk), dtype=pl.Boolean, eager=True),
        },
        schema=COHORT_COLUMNS,
    )


def lifetime_study(
    cohorts: pl.DataFrame,
    fates: pl.DataFrame,
    *,
    horizon_days: float,
    base_rate: float,
    bands: Sequence[Band] = (),
    seed: int = 0,
) -> Lifetime:
    """Return how risks fade, and how expected survival compares with realised.

    Parameters
    ----------
    cohorts : customers of past snapshots, with the columns :data:`COHORT_COLUMNS`; those with ``is_tested`` are later
        than all that the models of their risks learned from.
    fates : what became of them, with the columns of ``training.fates``; empty: nobody was followed.
    horizon_days : length of the outcome window.
    base_rate : share that leaves within it; used where nobody was followed.
    bands : bands of risk, for the tables.
    seed : of the resamples.

    Notes
    -----
    Survival is counted in months of ``min(horizon_days, MONTH_DAYS)`` days, whole ones only. Realised survival is that
    of Kaplan & Meier (1958) on months; expected survival follows everybody as long as they could have been followed
    (Hakulinen 1982). rho and the long-run hazard have the largest likelihood of all months after the first, which the
    risk itself answers for. Intervals draw groups of customers.
    """
    days = min(float(horizon_days), MONTH_DAYS)
    followed = cohorts.join(fates, on=["customer_id", "as_of"], how="inner").sort("customer_id", "as_of")
    counts = _Counts.of(followed, days=days, horizon_days=horizon_days, bands=bands, seed=seed)
    plain = Lifetime(
        horizon_days=float(horizon_days),
        base=float(monthly_hazard(np.array([base_rate]), horizon_days)[0]),
        rho=RHO_ASSUMED,
        rho_low=0.0,
        rho_high=1.0,
        source=ASSUMED,
        said="",
        n_customers=followed["customer_id"].n_unique(),
        n_leavings=0 if counts is None else int(counts.left.sum()),
        month_days=days,
    )
    if counts is None:
        return replace(plain, said=_assumed("nobody was followed after the date of a risk"))
    found = _learned(counts, plain, seed)
    tables = [_compared(counts, found, ALL, seed)]
    tested = _Counts.of(
        followed.filter("is_tested"), days=days, horizon_days=horizon_days, bands=bands, seed=seed
    )
    earlier = followed.filter(~pl.col("is_tested")).with_columns(followed_days="taught_days")
    if tested is not None and earlier.height:
        before = _Counts.of(earlier, days=days, horizon_days=horizon_days, bands=bands, seed=seed)
        taught = plain if before is None else _learned(before, plain, seed, n_resamples=0)
        tables.insert(0, _compared(tested, taught, OUT_OF_TIME, seed))
    return replace(
        found,
        checks=pl.concat([checks for checks, _ in tables]),
        totals=pl.concat([totals for _, totals in tables]),
    )


def _assumed(why: str) -> str:
    return (
        f"{why}: that {RHO_ASSUMED:.0%} of a customer's distance from the average is left after each month is assumed, "
        "not measured"
    )


@dataclass(frozen=True)
class _Counts:
    """Customer dates by group of customers, level of risk and month (0 = the first), as weights.

    ``at_risk``: still there when the month began, and followed through it; ``left`` of them in it; ``possible``: who
    could have been followed through it, gone or not. Shapes (groups, levels, months).
    """

    at_risk: Floats
    left: Floats
    possible: Floats
    first: Floats
    """Shape (levels,): log-odds of the hazard of the first month."""
    band: NDArray[np.object_]
    """Shape (levels,): name of the band."""
    order: tuple[str, ...]

    @classmethod
    def of(
        cls,
        followed: pl.DataFrame,
        *,
        days: float,
        horizon_days: float,
        bands: Sequence[Band],
        seed: int,
    ) -> _Counts | None:
        """Count those followed for a month at least; None when there are none."""
        months = np.floor(followed["followed_days"].to_numpy() / days + SLACK_MONTHS).astype(np.int64)
        months = np.minimum(months, MOST_MONTHS)
        kept = months > 0
        if not kept.any():
            return None
        frame, months = followed.filter(pl.Series(kept)), months[kept]
        left_in = np.floor(frame["left_days"].fill_null(np.inf).to_numpy() / days)
        is_left = left_in < months
        last = np.where(is_left, np.maximum(left_in, 0), months - 1).astype(np.int64)
        weight, risk = frame["weight"].to_numpy(), frame["risk"].to_numpy()
        level, band = _levels(risk, bands)
        hazard = monthly_hazard(risk, horizon_days, days)
        mean = np.bincount(level, weights=weight * hazard) / np.bincount(level, weights=weight)
        group = _groups(frame["customer_id"], seed)
        shape = (int(group.max()) + 1, len(mean), int(months.max()))

        def counted(month: Integers, which: NDArray[np.bool_] | slice = slice(None)) -> Floats:
            place = np.ravel_multi_index((group[which], level[which], month[which]), shape)
            size = int(np.prod(shape))
            found = np.bincount(place, weights=weight[which], minlength=size)
            return found.reshape(shape).astype(np.float64)

        return cls(
            at_risk=_reached(counted(last)),
            left=counted(last, is_left),
            possible=_reached(counted(months - 1)),
            first=np.asarray(logit(mean), dtype=np.float64),
            band=band,
            order=tuple(each.name for each in bands),
        )

    def drawn(self, times: Floats) -> _Counts:
        """Return one group in place of all, each counted so many times; shape (groups,)."""
        at_risk, left, possible = (
            np.tensordot(times, counts, axes=1)[None] for counts in (self.at_risk, self.left, self.possible)
        )
        return replace(self, at_risk=at_risk, left=left, possible=possible)

    def pooled(self) -> _Counts:
        """Return all groups together."""
        return self.drawn(np.ones(len(self.left)))

    def inside(self, chosen: NDArray[np.bool_]) -> _Counts:
        """Return some levels only."""
        at_risk, left, possible = (counts[:, chosen] for counts in (self.at_risk, self.left, self.possible))
        return _Counts(at_risk, left, possible, self.first[chosen], self.band[chosen], self.order)


def _reached(counts: Floats) -> Floats:
    """Sum from each month on: who is counted in a month was there in all months before."""
    summed: Floats = counts[..., ::-1].cumsum(axis=-1)[..., ::-1]
    return summed


def _levels(risk: Floats, bands: Sequence[Band]) -> tuple[Integers, NDArray[np.object_]]:
    """Return the level of each risk, and the band of each level: no level reaches over the limit of a band."""
    limits = [band.risk_from for band in bands[1:]]
    cuts = np.unique([*np.quantile(risk, np.arange(1, N_LEVELS) / N_LEVELS, method="inverted_cdf"), *limits])
    _, level = np.unique(np.searchsorted(cuts, risk, side="right"), return_inverse=True)
    some = np.zeros(int(level.max()) + 1)
    some[level] = risk
    names = np.array([band.name for band in bands] or [EVERY], dtype=object)
    return level.astype(np.int64), names[np.searchsorted(limits, some, side="right")]


def _groups(customer: pl.Series, seed: int) -> Integers:
    """Deal customers out into groups by a draw over their ordered ids: the order of rows changes nothing."""
    member = (customer.rank("dense") - 1).to_numpy().astype(np.int64)
    dealt = np.random.default_rng(seed).permutation(int(member.max()) + 1) % N_GROUPS
    return np.asarray(dealt[member], dtype=np.int64)


def _learned(counts: _Counts, plain: Lifetime, seed: int, n_resamples: int = N_RESAMPLES) -> Lifetime:
    """Return the lifetimes with rho and base learned from the counts; as they are where these are too few."""
    pooled = counts.pooled()
    n_later = float(pooled.left[..., 1:].sum())
    n_months = counts.left.shape[-1]
    if n_later < FEWEST_LATER_LEAVINGS:
        why = f"{n_later:,.0f} leavings later than the first month, where {FEWEST_LATER_LEAVINGS} are needed"
        return replace(plain, said=_assumed(why))
    found = _largest(pooled, None)
    rng = np.random.default_rng(seed)
    n_groups = len(counts.left)
    drawn = np.array(
        [_largest(counts.drawn(drawn_counts(rng, n_groups)), found) for _ in range(n_resamples)]
    ).reshape(-1, 2)
    scale = MONTH_DAYS / plain.month_days
    rho = float(found[0] ** scale)
    low, high = np.quantile(drawn[:, 0] ** scale, [0.025, 0.975]) if n_resamples else (0.0, 1.0)
    low, high = min(float(low), rho), max(float(high), rho)
    return replace(
        plain,
        rho=rho,
        rho_low=low,
        rho_high=high,
        base=float(monthly_hazard(np.array([expit(found[1])]), plain.month_days)[0]),
        source=MEASURED,
        said=f"of a customer's distance from the average {rho:.0%} [{low:.0%}, {high:.0%}] is left after each month, "
        f"measured on {plain.n_customers:,} customers followed up to {n_months} months: {n_later:,.0f} leavings later "
        "than the first month, counted at each date",
    )


def _largest(pooled: _Counts, near: Floats | None) -> Floats:
    """Return rho and the log-odds of the long-run hazard (per month of the counts) with the largest posterior."""
    from scipy.optimize import minimize

    n, d = pooled.at_risk[0, :, 1:], pooled.left[0, :, 1:]
    ahead = np.arange(1, n.shape[1] + 1)
    centre = float(logit(d.sum() / n.sum()))

    def loss(theta: Floats) -> tuple[float, Floats]:
        rho, base = float(theta[0]), float(theta[1])
        away = (pooled.first - base)[:, None]
        faded = rho**ahead
        x = base + away * faded
        error = n * expit(x) - d
        slope_rho = float((error * away * (ahead * rho ** (ahead - 1))).sum())
        slope_base = float((error * (1.0 - faded)).sum()) + (base - centre) / BASE_SD**2
        value = float((n * np.logaddexp(0.0, x) - d * x).sum()) + (base - centre) ** 2 / (2 * BASE_SD**2)
        return value, np.array([slope_rho, slope_base])

    starts = [near] if near is not None else [np.array([rho, centre]) for rho in (0.3, 0.9)]
    tried = [
        minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0.0, 1.0), (centre - 4, centre + 4)])
        for start in starts
    ]
    return np.asarray(min(tried, key=lambda each: float(each.fun)).x, dtype=np.float64)


def _compared(counts: _Counts, found: Lifetime, cohorts: str, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return checks and totals: survival by band and month, expected and realised."""
    checks, totals = [], []
    rng = np.random.default_rng(seed)
    n_groups, whole = len(counts.left), counts.pooled()
    draws = [counts.drawn(drawn_counts(rng, n_groups)) for _ in range(N_RESAMPLES)]
    for band in (*(name for name in counts.order if (counts.band == name).any()), EVERY):
        chosen = (counts.band == band) | (band == EVERY)
        part = whole.inside(chosen)
        n_at_risk = part.at_risk.sum(axis=(0, 1))
        months = int((n_at_risk >= FEWEST_AT_RISK).sum())
        if not months:
            continue
        hazard = _hazards(part, found, months)
        realised, expected = _kaplan_meier(part, months), _expected(part, hazard)
        drawn = [draw.inside(chosen) for draw in draws]
        lived = np.array([_kaplan_meier(draw, months) for draw in drawn])
        hoped = np.array([_expected(draw, hazard) for draw in drawn])
        low, high = percentile_ends(realised, lived)
        checks.append(
            pl.DataFrame(
                {
                    "cohorts": [cohorts] * months,
                    "band": [band] * months,
                    "month": np.arange(1, months + 1),
                    "n": np.round(n_at_risk[:months]).astype(np.int64),
                    "expected": expected,
                    "realised": realised,
                    "low": low,
                    "high": high,
                },
                schema=CHECK_COLUMNS,
            )
        )
        ratio = realised.sum() / expected.sum()
        ends = percentile_ends(np.array([ratio]), (lived.sum(axis=1) / hoped.sum(axis=1))[:, None])
        n = round(float(n_at_risk[0]))
        row = (cohorts, band, n, months, expected.sum(), realised.sum(), ratio, ends[0][0], ends[1][0])
        totals.append(row)
    tables = (
        pl.concat(checks) if checks else pl.DataFrame(schema=CHECK_COLUMNS),
        pl.DataFrame(totals, schema=TOTAL_COLUMNS, orient="row"),
    )
    known, summed = (table.with_columns(cs.float().fill_nan(None)) for table in tables)
    return known, summed


def _hazards(counts: _Counts, found: Lifetime, months: int) -> Floats:
    """Return the expected hazard of each level and month, of months as counted; shape (levels, months)."""
    base = logit(monthly_hazard(np.array([found.base]), MONTH_DAYS, found.month_days))[0]
    rho = found.rho ** (found.month_days / MONTH_DAYS)
    hazard: Floats = expit(base + (counts.first - base)[:, None] * rho ** np.arange(months))
    return hazard


def _kaplan_meier(pooled: _Counts, months: int) -> Floats:
    """Return the share still there at the end of each month; 1 where a resample has nobody left to follow."""
    at_risk, left = (each[0, :, :months].sum(axis=0) for each in (pooled.at_risk, pooled.left))
    return np.cumprod(1.0 - np.divide(left, at_risk, out=np.zeros(months), where=at_risk > 0))


def _expected(pooled: _Counts, hazard: Floats) -> Floats:
    """Return the share expected to be there, of whoever could have been followed so long."""
    months = hazard.shape[1]
    begun = np.column_stack([np.ones(len(hazard)), np.cumprod(1.0 - hazard, axis=1)[:, :-1]])
    there = pooled.possible[0, :, :months] * begun
    total = there.sum(axis=0)
    gone = np.divide((there * hazard).sum(axis=0), total, out=np.zeros(months), where=total > 0)
    return np.cumprod(1.0 - gone)
