"""Expected months and lifetime value of every customer, from the risk and what is known of how risks fade.

It decides what a lifetime is worth, and refuses to know how fast risks fade and who will be called.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from churnrisk.bundle.lifetime import Lifetime
from churnrisk.config import ValueSettings

ENDS = {"": "risk", "_low": "risk_high", "_high": "risk_low"}
"""Which risk each column is made of: the higher the risk, the shorter the life."""

LEAST_RISK = 1e-9
"""Ends of intervals are kept this far from 0 and 1, where odds are without limit."""

LIFETIME_COLUMNS = tuple(f"{name}{end}" for name in ("expected_months", "clv") for end in ENDS)


def lifetimes(
    risks: pl.DataFrame, monthly_value: pl.Series | None, values: ValueSettings, lifetime: Lifetime | None
) -> pl.DataFrame:
    """Return the columns :data:`LIFETIME_COLUMNS`, one row per row of ``risks``, in its order.

    Parameters
    ----------
    risks : risk, risk_low and risk_high, 0 to 1, of leaving within the outcome window.
    monthly_value : what each customer pays a month, in their currency; null or None: unknown.
    values : how far to look ahead, the discount rate per year, and the share of margin.
    lifetime : how risks fade; None: the model does not know over which time its risk speaks.

    Returns
    -------
    polars.DataFrame
        Float64. ``expected_months``: months the customer is expected to stay, of the next ``values.lifetime_months``,
        undiscounted. ``clv``: margin expected in them, discounted, in the customer's currency; null where monthly_value
        is unknown. ``_low`` and ``_high`` are those of the ends of the risk's interval. All null without ``lifetime``.
    """
    schema = dict.fromkeys(LIFETIME_COLUMNS, pl.Float64())
    if lifetime is None:
        return pl.DataFrame({name: [None] * risks.height for name in schema}, schema=schema)
    paid = pl.repeat(None, risks.height, dtype=pl.Float64, eager=True)
    if monthly_value is not None:
        paid = monthly_value.cast(pl.Float64)
    margin = paid * values.margin_share
    found: dict[str, pl.Series] = {}
    for end, source in ENDS.items():
        risk = np.clip(risks[source].to_numpy(), LEAST_RISK, 1 - LEAST_RISK)
        months, discounted = lifetime.months(risk, values.lifetime_months, values.discount_rate)
        found |= {f"expected_months{end}": pl.Series(months), f"clv{end}": margin * pl.Series(discounted)}
    return pl.DataFrame(found, schema=schema)
