"""How long customers stay: from the risk of one outcome window to the months still to come.

    lifetime.json   beside bundle.json: how fast risks fade, and expected survival beside what really happened

It decides what a lifetime is once that speed is known, and refuses to know how it was learned and what money is.
Models that were saved without the file, or that know no length of their outcome window, give no lifetimes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from .encoding import Floats
from .files import json_text

LIFETIME_FILE = "lifetime.json"

MONTH_DAYS = 365.25 / 12
"""Days of an average month."""

MEASURED, ASSUMED = "measured", "assumed"

ROWS_AT_ONCE = 16_384
"""Customers handled together: a few vectors of them stay in the processor's memory, whatever the number of months."""

CHECK_COLUMNS = {
    "cohorts": pl.String(),
    "band": pl.String(),
    "month": pl.Int64(),
    "n": pl.Int64(),
    **dict.fromkeys(("expected", "realised", "low", "high"), pl.Float64()),
}
"""Expected and realised survival: whose (out of time, or all), band (or all), month, customer dates still followed."""

TOTAL_COLUMNS = {
    "cohorts": pl.String(),
    "band": pl.String(),
    "n": pl.Int64(),
    "months": pl.Int64(),
    **dict.fromkeys(("expected", "realised", "ratio", "low", "high"), pl.Float64()),
}
"""Months lived out of the first ``months``, expected and realised, and realised over expected with its interval."""


@dataclass(frozen=True)
class Lifetime:
    """How risks fade: logit h_m = logit base + rho^m (logit h_0 - logit base), m = 0, 1, ... months ahead.

    h_0 = 1 - (1 - p)^(month/horizon) is the monthly hazard behind the risk p of the outcome window, ``base`` that which
    all come back to, ``rho`` the share of a customer's distance from it that is left a month later: 1 = for
    ever as tonight, 0 = like everybody from the next month on.

    ``source`` is measured (on realised survival) or assumed; ``said`` says on what it rests, in a sentence.
    """

    horizon_days: float
    base: float
    rho: float
    rho_low: float
    rho_high: float
    source: str
    said: str
    n_customers: int = 0
    n_leavings: int = 0
    month_days: float = MONTH_DAYS
    """Length of the months of the tables below; ``rho`` and ``base`` are always by calendar month."""
    checks: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CHECK_COLUMNS))
    totals: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=TOTAL_COLUMNS))

    def months(self, risk: Floats, n_months: int, discount_rate: float = 0.0) -> tuple[Floats, Floats]:
        """Return the months that each customer is expected to stay, plain and discounted.

        Parameters
        ----------
        risk : shape (n,), 0 < risk < 1, of leaving within the outcome window.
        n_months : months looked ahead; later ones count nothing.
        discount_rate : per year; a month m ahead counts (1 + rate)^(-m/12).

        Returns
        -------
        tuple of ndarray, shape (n,)
            sum of S_m, and sum of S_m (1 + rate)^(-m/12), over m = 1 ... n_months; S_m is the chance of still being
            there m months after the outcome window begins. 0 <= discounted <= plain <= n_months.

        Notes
        -----
        O(n n_months) time and O(n) memory: the odds of the hazard fade by a power a month, survival is multiplied on.
        """
        plain, discounted = np.empty(risk.shape), np.empty(risk.shape)
        monthly = (1.0 + discount_rate) ** (-1.0 / 12.0)
        for start in range(0, len(risk), ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            plain[part], discounted[part] = self._summed(risk[part], n_months, monthly)
        return plain, discounted

    def survival(self, risk: Floats, n_months: int) -> Floats:
        """Return S_0 = 1, S_1 ... S_n of each risk; shape (n, n_months + 1). For a few risks: a picture, a test."""
        away = self._away(risk)
        odds = np.exp(self._base_logit + away[:, None] * self.rho ** np.arange(n_months))
        lived = np.cumprod(1.0 / (1.0 + odds), axis=1)
        return np.column_stack([np.ones(len(risk)), lived])

    @property
    def _base_logit(self) -> float:
        return float(np.log(self.base) - np.log1p(-self.base))

    def _away(self, risk: Floats) -> Floats:
        """Return how far the log-odds of the first month's hazard lie from those of the base."""
        survived = np.log1p(-risk) * (MONTH_DAYS / self.horizon_days)
        away: Floats = np.log(-np.expm1(survived)) - survived - self._base_logit
        return away

    def _summed(self, risk: Floats, n_months: int, monthly: float) -> tuple[Floats, Floats]:
        away = self._away(risk)
        base_odds = self.base / (1.0 - self.base)
        lived, odds = np.ones(risk.shape), np.empty(risk.shape)
        plain, discounted = np.zeros(risk.shape), np.zeros(risk.shape)
        worth = 1.0
        for month in range(n_months):
            np.exp(away * self.rho**month, out=odds)
            odds *= base_odds
            odds += 1.0
            lived /= odds
            worth *= monthly
            plain += lived
            discounted += worth * lived
        return plain, discounted

    def sentences(self) -> tuple[str, ...]:
        """Say on what it rests, and how many months were lived where how many were expected."""
        said = [f"{self.said[:1].upper()}{self.said[1:]}."]
        names = {OUT_OF_TIME: "Out of time", ALL: "Over all dates, which taught how fast risks fade,"}
        for row in self.totals.filter(pl.col("band") == EVERY).iter_rows(named=True):
            ends = "" if row["low"] is None else f" [{row['low']:.3f}, {row['high']:.3f}]"
            months = "month" if row["months"] == 1 else f"{row['months']} months"
            said.append(
                f"{names[row['cohorts']]} {row['n']:,} customer dates lived {row['realised']:.2f} of their first "
                f"{months} where {row['expected']:.2f} was expected: {row['ratio']:.3f}{ends} of it."
            )
        return tuple(said)

    def figures(self) -> dict[str, float | None]:
        """Return what tracking keeps: rho and base, and lived months of everybody, realised over expected."""
        found: dict[str, float | None] = {
            "lifetime_rho": self.rho,
            "lifetime_rho_low": self.rho_low,
            "lifetime_rho_high": self.rho_high,
            "lifetime_base_hazard": self.base,
        }
        for row in self.totals.filter(pl.col("band") == EVERY).iter_rows(named=True):
            name = "lifetime_over_expected" + ("" if row["cohorts"] == ALL else "_out_of_time")
            found |= {name: row["ratio"], f"{name}_low": row["low"], f"{name}_high": row["high"]}
        return found

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        tables = {name: getattr(self, name).to_dict(as_series=False) for name in _TABLES}
        return {**{name: value for name, value in vars(self).items() if name not in _TABLES}, **tables}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Lifetime:
        """Read what :meth:`as_dict` gave."""
        tables = {name: pl.DataFrame(plain[name], schema=schema) for name, schema in _TABLES.items()}
        return cls(**{**plain, **tables})

    def save(self, folder: Path) -> None:
        """Write lifetime.json into ``folder``; the same lifetimes always give the same bytes."""
        (folder / LIFETIME_FILE).write_text(json_text(self.as_dict()), encoding="utf-8", newline="\n")


_TABLES = {"checks": CHECK_COLUMNS, "totals": TOTAL_COLUMNS}

EVERY = "all"
"""Name of the band that is everybody."""

OUT_OF_TIME, ALL = "out of time", "all"
"""Whose survival: of cohorts later than all that rho was learned from, or of all."""


def read_lifetime(folder: Path) -> Lifetime | None:
    """Return the lifetimes of the model in ``folder``; None when it was saved without."""
    path = folder / LIFETIME_FILE
    return Lifetime.from_dict(json.loads(path.read_text("utf-8"))) if path.is_file() else None


def monthly_hazard(risk: Floats, horizon_days: float, days: float = MONTH_DAYS) -> Floats:
    """Return 1 - (1 - risk)^(days/horizon_days): the chance of leaving within so many days, at an even pace.

    >>> float(monthly_hazard(np.array([0.19]), 60.0, 30.0).round(12)[0])
    0.1
    """
    hazard: Floats = -np.expm1(np.log1p(-risk) * (days / horizon_days))
    return hazard
