"""What no company knows: why customers leave, who is close to whom, and with which numbers the world was made.

It lies in its own folder, in files that no pattern of a source matches, and is never read by the product.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .clock import DAYS_PER_MONTH, WEEK, Clock
from .course import CAUSES, STATED, Course
from .crm import ever_customers
from .draws import Ints
from .population import People
from .social import Ties

if TYPE_CHECKING:
    import polars as pl

FOLDER = "truth"
PARAMETERS = "parameters.json"
STYLES = ("plain", "overt", "silent")
BLOCK_TIES = 1_000_000
RISK_DAYS = 30


def hazard_rows(course: Course, day: int, clock: Clock, at_risk: Ints, ids: pl.Series) -> pl.DataFrame:
    """Return, for all who have not yet decided, the log hazard of deciding in the week from ``day`` and its parts.

    ``log_hazard`` = ``log_base`` + the parts; ``risk_30d`` is the probability of deciding within 30 days at that
    hazard; ``n_recent_strong_leavers`` counts strong friends who left in the 91 days before.
    """
    import polars as pl

    parts = course.causes(at_risk, day)
    log_hazard = course.log_base + sum(parts.values(), np.zeros(at_risk.size))
    return pl.DataFrame(
        {
            "customer_id": ids.gather(at_risk),
            "day": clock.days_of(np.full(at_risk.size, day)),
            "mood_level": course.mood[at_risk],
            "pain": course.pain[at_risk],
            "n_recent_strong_leavers": course.n_recent[at_risk],
            "log_base": np.full(at_risk.size, course.log_base),
            **{name: parts[name] for name in CAUSES},
            "log_hazard": log_hazard,
            "risk_30d": -np.expm1(-np.exp(log_hazard) * RISK_DAYS / WEEK),
        }
    )


def people_rows(course: Course, people: People, clock: Clock, ids: pl.Series) -> pl.DataFrame:
    """Return each customer's traits and fate, also what lies beyond the world's last day."""
    import polars as pl

    who = np.flatnonzero(ever_customers(course, people, clock))
    return pl.DataFrame(
        {
            "customer_id": ids.gather(who),
            "community": people.community[who],
            "household": people.household[who],
            "trait": people.trait[who],
            "activity": people.activity[who],
            "joined_on": clock.days_of(people.joined[who]),
            "decided_on": clock.days_of(course.decided[who]),
            "left_on": clock.days_of(course.left[who]),
            "left_known_on": clock.days_of(course.left_known[who]),
            "style": pl.Series(STYLES).gather(course.style[who]),
            "stated_reason": pl.Series([*STATED, None]).gather(
                np.where(course.stated[who] < 0, len(STATED), course.stated[who])
            ),
        }
    )


def tie_rows(
    ties: Ties, per_day: float, is_known: np.ndarray[Any, np.dtype[np.bool_]], ids: pl.Series
) -> Iterator[pl.DataFrame]:
    """Yield the ties between written customers: ``strength`` in contacts a day while both can be reached."""
    import polars as pl

    places = np.flatnonzero(is_known[ties.a] & is_known[ties.b])
    for low in range(0, max(places.size, 1), BLOCK_TIES):
        part = places[low : low + BLOCK_TIES]
        yield pl.DataFrame(
            {
                "customer_a": ids.gather(ties.a[part].astype(np.int64)),
                "customer_b": ids.gather(ties.b[part].astype(np.int64)),
                "strength": ties.strength[part].astype(np.float64) * per_day,
                "is_strong": ties.is_strong[part],
                "is_household": ties.is_household[part],
                "is_inside": ties.is_inside[part],
                "forward_share": ties.forward_share[part].astype(np.float64),
            }
        )


@dataclass
class Toll:
    """Running counts of leaving: customer days lived, and leavers, in the written days."""

    customer_days: int = 0
    leavers: int = 0
    in_notice: int = 0

    @classmethod
    def of(cls, course: Course, people: People, clock: Clock) -> Toll:
        """Count over the written days."""
        begins = np.clip(people.joined, 0, clock.days)
        ends = np.clip(course.left, 0, clock.days)
        leavers = (course.left > 0) & (course.left <= clock.days - 1)
        return cls(
            customer_days=int(np.maximum(ends - begins, 0).sum()),
            leavers=int(leavers.sum()),
            in_notice=int((leavers & (course.left_known < course.left)).sum()),
        )

    @property
    def monthly_churn(self) -> float:
        """Leavers per customer month lived, as a share of a month's customers."""
        return float(-np.expm1(-self.leavers * DAYS_PER_MONTH / self.customer_days))


def write_parameters(path: Path, parameters: dict[str, Any]) -> None:
    """Write the parameters as JSON with sorted keys."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps(parameters, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )
