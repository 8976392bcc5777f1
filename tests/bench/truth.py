"""What customers of a simulated world would do in an outcome window: the true risk, from the true hazard of every week.

It decides how hazards add up to a risk, and refuses to know models. The world must have been written with
``weekly_truth``; churn is cancelled contracts with the days to act and to leave in that are the default.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.simulate.course import LONGEST_LAG_DAYS, SHORTEST_LAG_DAYS
from training.rows import Rows

Floats = NDArray[np.float64]

LASTING_DAYS = 56
"""How long an action works in these worlds."""
HAZARD_RATIO = 0.4
"""What an action makes of the hazard while it works."""
GAP_DAYS, HORIZON_DAYS, LAG_DAYS, WEEK_DAYS = 14, 30, 10, 7
"""Days to act, days to leave in, mean days from deciding to leaving, days from one known hazard to the next."""
NO_ACTIONS = pl.DataFrame(schema={"customer_id": pl.String(), "at": pl.Datetime("us")})


def true_risk(rows: Rows, hazard: pl.DataFrame, actions: pl.DataFrame) -> Floats:
    """Return the chance of each row to leave in its outcome window without a further action; shape (rows,).

    The sum over weeks of the chance to decide in it (of those who have not), times the chance to leave in the window
    after deciding then. An action before the date still works. Who has decided by the date, unknown to the company,
    counts as what they did. Whom a later action keeps stays in the sum a little too long: under a hundredth.
    """
    asked = pl.DataFrame(
        {
            "row": np.arange(len(rows.left)),
            "customer_id": rows.customer.astype(str),
            "day": [date.fromisoformat(str(day)) for day in rows.snapshot],
        }
    )
    acted = actions.select("customer_id", acted_on=pl.col("at").dt.date()).sort("acted_on")
    last = (
        asked.sort("day")
        .join_asof(acted, left_on="day", right_on="acted_on", by="customer_id", check_sortedness=False)
        .sort("row")["acted_on"]
    )
    weekly = hazard.select("customer_id", week="day", rate=pl.col("log_hazard").exp())
    found = np.zeros(len(rows.left))
    for days in range(0, GAP_DAYS + HORIZON_DAYS, WEEK_DAYS):
        week = asked["day"] + timedelta(days=days)
        rate = asked.with_columns(week=week).join(
            weekly, on=["customer_id", "week"], how="left", maintain_order="left"
        )["rate"]
        if not days:
            has_decided = rate.is_null().to_numpy()
        still_works = (week - last < timedelta(days=LASTING_DAYS)).fill_null(value=False).to_numpy()
        deciding = -np.expm1(-rate.fill_null(0.0).to_numpy() * np.where(still_works, HAZARD_RATIO, 1.0))
        found += deciding * share_leaving(days)
    likely: Floats = np.where(has_decided, rows.left, np.minimum(found, 1.0))
    return likely


def share_leaving(days: int) -> float:
    """Return how many of those who decide in the week from so many days after the as-of day leave in its window.

    They decide on any of the seven days, and leave after 5 days and an exponential number of more, in whole days.
    """
    waits = np.arange(LONGEST_LAG_DAYS - SHORTEST_LAG_DAYS + 1)
    gone = np.exp(-waits / (LAG_DAYS - SHORTEST_LAG_DAYS))
    chance = np.append(gone[:-1] - gone[1:], gone[-1])
    leaves = days + np.arange(WEEK_DAYS)[:, None] + SHORTEST_LAG_DAYS + waits
    # the as-of day is part of the past: day 1 is the first to act on
    is_in = (leaves > GAP_DAYS) & (leaves <= GAP_DAYS + HORIZON_DAYS)
    return float((is_in * chance).sum() / WEEK_DAYS)
