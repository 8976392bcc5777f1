"""Nights drawn for tests: two inputs and a risk of so many customers."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from churnrisk.bundle import Feature, reference_of
from churnrisk.bundle.reference import Reference
from scoring.monitor import Before, Tonight

FEATURES = (Feature("n_calls_out_30d", "number", "calls"), Feature("attribute_plan", "category", "price"))
SOURCES = {"n_calls_out_30d": "calls", "attribute_plan": "customers"}
DAY, NIGHT_BEFORE = date(2026, 6, 30), date(2026, 6, 29)


def frame(n: int = 800, *, seed: int = 1, shift: float = 0.0, missing: float = 0.0) -> pl.DataFrame:
    """Customers with calls (some shift up) and a plan; a share has no calls known."""
    rng = np.random.default_rng(seed)
    calls = np.round(rng.gamma(3, 10, n) + shift)
    return pl.DataFrame(
        {
            "customer_key": range(n),
            "customer_id": [f"c{each:05}" for each in range(n)],
            "n_calls_out_30d": pl.Series(np.where(rng.random(n) < missing, np.nan, calls), nan_to_null=True),
            "attribute_plan": rng.choice(["basic", "gold", "上海"], n, p=[0.6, 0.3, 0.1]),
        }
    )


def risks(n: int = 800, *, seed: int = 1, times: float = 1.0) -> pl.Series:
    """Risks of 2 % or so."""
    return pl.Series("risk", np.minimum(np.random.default_rng(seed).beta(1, 40, n) * times, 0.99))


def tonight(given: pl.DataFrame | None = None, risk: pl.Series | None = None, version: str = "3") -> Tonight:
    """A night of the customers given."""
    table = frame() if given is None else given
    mine = risks(table.height) if risk is None else risk
    return Tonight(DAY, table, mine, FEATURES, version, SOURCES.__getitem__)


def before(given: pl.DataFrame | None = None, risk: pl.Series | None = None, version: str = "3") -> Before:
    """The night before it, with facts of two sources."""
    table = frame() if given is None else given
    mine = risks(table.height) if risk is None else risk
    scores = table.select("customer_id").with_columns(mine)
    return Before(
        NIGHT_BEFORE,
        "run",
        version,
        scores,
        table.lazy(),
        {"calls": 10_000.0, "customers": float(table.height)},
    )


def reference(seed: int = 9, n: int = 900) -> Reference:
    """What other customers of the same kind looked like in the training."""
    return reference_of(FEATURES, frame(n, seed=seed), as_of="2026-05-01", risk=risks(n, seed=seed))
