"""The past treatments of a workspace as rows to learn from: what was known before each, and what became of it.

It decides which dates customers are looked at, never after the treatment, and refuses to know learners.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from churnrisk.bundle import KEY_COLUMNS
from churnrisk.config import Config
from churnrisk.dates import ONE_MICROSECOND, AsOf
from churnrisk.store import Engine
from churnrisk.store.statements import statements_in
from churnrisk.tables.lake import LakeTables
from features import build, tie_rules

from ..rows import unified
from ..snapshots import outcome_days
from .rows import CONTROL, Lot, UpliftRows

MOST_DATES = 26
"""Past dates at which features are built, at most: each costs a night's build."""

STALEST_DAYS = 28
"""A look older than this at a treatment tells too little of the customer then (judgement)."""


@dataclass(frozen=True)
class PastTreatments:
    """Rows to learn from, and what was left out and why."""

    rows: UpliftRows | None
    """None: nothing to learn from; ``notes`` say why."""
    table: pl.DataFrame
    """One row per row of ``rows``: treatment_id, customer_id, offer_id, treated_at, root_cause, instead_of, looked_on,
    stayed, propensity."""
    window_days: int
    notes: tuple[str, ...] = ()


def past_treatments(
    engine: Engine,
    tables: LakeTables,
    config: Config,
    as_of: AsOf,
    *,
    own: Path | None = None,
    tie_weights: Mapping[str, float] | None = None,
) -> PastTreatments:
    """Return the treatments whose outcome is known, with features as of the last look before each.

    Parameters
    ----------
    engine, tables : the validated tables, registered.
    config : what leaving means: whether somebody stayed is looked at gap_days + horizon_days after the treatment.
    as_of : all that is read was known before its instant.
    own : folder with the user's own features.
    tie_weights : as in the model's bundle.

    Notes
    -----
    Features are built at the ends of days before treatments, at most :data:`MOST_DATES` of them evenly spread from the
    newest back; each treatment takes the last one at or before it and none older than :data:`STALEST_DAYS`. Consents
    are those of ``as_of``. Who was in notice at the treatment is left out: nothing could be done.
    """
    churn = config.churn
    window = churn.gap_days + outcome_days(churn)
    nothing = pl.DataFrame()
    if not tables.has("treatments"):
        return PastTreatments(None, nothing, window, ("no treatments are recorded",))
    if churn.kind != "cancelled":
        return PastTreatments(
            None, nothing, window, (f'effects are learned for [churn] kind = "cancelled", not {churn.kind}',)
        )
    found = engine.frame(
        statements_in("training")["treated"],
        {
            "known_by": as_of.instant,
            "matured_before": as_of.days_before(window),
            "window_us": timedelta(days=window) // ONE_MICROSECOND,
        },
    )
    told = found.filter(~pl.col("is_in_notice")).sort("treated_at", "treatment_id")
    notes = _left_out(found.height - told.height, "in notice at the treatment")
    if not told.height:
        return PastTreatments(
            None, nothing, window, (*notes, "no treatment is old enough to know its outcome")
        )
    looks = look_dates(told["treated_at"].unique().sort().to_list(), as_of.zone)
    dated = _looked_at(told, looks)
    notes += _left_out(told.height - dated.height, f"without a look within {STALEST_DAYS} days before")
    parts: list[pl.DataFrame] = []
    tables = replace(tables, kept_for=tuple(looks))
    kinds = None
    for look in reversed(looks):
        here = dated.filter(pl.col("looked_at") == look.instant)
        if not here.height:
            continue
        made = build(
            engine, tables, look, churn, consent_as_of=as_of, kinds=kinds,
            rules=tie_rules(config.ties, tie_weights), own=own,
        )  # fmt: skip
        kinds = made.kinds if kinds is None else kinds
        parts.append(here.join(made.frame, on="customer_key", how="inner", maintain_order="left"))
    if not parts:
        return PastTreatments(
            None, nothing, window, (*notes, "no treated customer was a customer when looked at")
        )
    rows, table = _stacked(parts, dated.columns)
    notes += _left_out(dated.height - table.height, "not a customer when looked at")
    return PastTreatments(rows, table, window, notes)


def look_dates(treated_at: list[datetime], zone: str) -> list[AsOf]:
    """Return the dates at whose end customers are looked at, rising: the nights before treatments, or fewer.

    >>> from datetime import datetime
    >>> [str(each) for each in look_dates([datetime(2026, 3, 5, 10), datetime(2026, 3, 5, 18)], "UTC")]
    ['2026-03-04']
    """
    nights = sorted({_night_before(instant, zone) for instant in treated_at})
    if len(nights) <= MOST_DATES:
        return nights
    places = np.unique(np.linspace(0, len(nights) - 1, MOST_DATES).round().astype(int))
    return [nights[place] for place in places.tolist()]


def _night_before(instant: datetime, zone: str) -> AsOf:
    """Return the last date whose end is at or before the instant."""
    night = AsOf(instant.date() + timedelta(days=1), zone)
    while night.instant > instant:
        night = night.shifted(-1)
    return night


def _looked_at(told: pl.DataFrame, looks: list[AsOf]) -> pl.DataFrame:
    """Add the last look at or before each treatment; those without a fresh one fall out."""
    dates = pl.DataFrame(
        {"looked_at": [look.instant for look in looks], "looked_on": [str(look) for look in looks]},
        schema_overrides={"looked_at": told.schema["treated_at"]},
    ).sort("looked_at")
    joined = told.sort("treated_at").join_asof(
        dates, left_on="treated_at", right_on="looked_at", strategy="backward"
    )
    is_fresh = pl.col("treated_at") - pl.col("looked_at") < timedelta(days=STALEST_DAYS)
    return joined.filter(is_fresh.fill_null(value=False)).sort("treated_at", "treatment_id")


def _stacked(parts: list[pl.DataFrame], told: list[str]) -> tuple[UpliftRows, pl.DataFrame]:
    outcome = pl.concat([part.select(*told, "customer_id") for part in parts])
    offers = outcome["offer_id"].unique().sort().to_list()
    arms = (CONTROL, *(offer for offer in offers if offer != CONTROL))
    inputs = unified([part.drop([name for name in told if name != "customer_key"]) for part in parts])
    places = pl.Series([arms.index(offer) for offer in outcome["offer_id"].to_list()], dtype=pl.Int64)
    rows = UpliftRows(
        frame=pl.concat(inputs, how="diagonal").drop(*KEY_COLUMNS, strict=False),
        arms=arms,
        arm=places.to_numpy(),
        stayed=outcome["stayed"].cast(pl.Float64).to_numpy(),
        propensity=outcome["propensity"].cast(pl.Float64).fill_null(np.nan).to_numpy(),
        customer=outcome["customer_id"].to_numpy().astype(object),
        taken=outcome["accepted"].cast(pl.Float64).fill_null(np.nan).to_numpy(),
        lot=Lot(
            np.array(outcome["instead_of"].to_list(), dtype=object),
            outcome["treated_at"].to_numpy(),
            outcome["left_alone"].cast(pl.Float64).fill_null(np.nan).to_numpy(),
        ),
    )
    table = outcome.select(
        "treatment_id",
        "customer_id",
        "offer_id",
        "treated_at",
        "root_cause",
        "instead_of",
        "looked_on",
        "stayed",
        "propensity",
    )
    return rows, table


def _left_out(n: int, why: str) -> tuple[str, ...]:
    return (f"{n:,} treatments left out: {why}",) if n else ()
