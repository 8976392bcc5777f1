"""What arrived: sources that were there and are not, or hold far less, and customers who are suddenly many or few.

It decides what counts as missing, and refuses to know why.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date

import polars as pl

from .watched import Watched

SHRUNK = 0.5
"""Facts of a source, as a share of the last night's, below which it has shrunk. A judgement: facts do not go away."""

POPULATION_FACTOR, POPULATION_BROKEN = 1.25, 2.0
"""Customers tonight against the last night, up or down: from where on it is told, and is an alarm. Judgements."""


def source_rows(
    facts: Mapping[str, float],
    trained_with: Collection[str],
    before: Mapping[str, float],
    *,
    days: Mapping[str, date | None],
) -> Iterator[Watched]:
    """Yield one row per source that is there tonight, or was there last night or in training.

    Parameters
    ----------
    facts : facts known tonight, by source; 0 or absent = missing.
    trained_with : sources the model was trained with.
    before : facts known at the last night.
    days : day of each baseline, ``training`` and ``last_night``.
    """
    for name in sorted({*facts, *trained_with, *before}):
        now, was = facts.get(name, 0.0), before.get(name)
        baseline = "last_night" if was else "training" if name in trained_with else "none"
        verdict = "there"
        if not now and (was or name in trained_with):
            verdict = "missing"
        elif was and now < SHRUNK * was:
            verdict = "shrunk"
        yield Watched(
            "source",
            baseline,
            name,
            verdict,
            source=name,
            baseline_on=days.get(baseline),
            value=now / was if was else None,
            observed=now,
            expected=was,
        )


def population_row(now: pl.Series, before: pl.Series, day: date) -> Watched:
    """Return how many customers are scored tonight against the last night, and how many of those are still there."""
    stayed = pl.DataFrame({"customer_id": before}).join(
        pl.DataFrame({"customer_id": now}), on="customer_id", how="semi"
    )
    ratio = now.len() / before.len()
    away = max(ratio, 1 / ratio)
    verdict = (
        "steady" if away < POPULATION_FACTOR else "moved" if away < POPULATION_BROKEN else "strong drift"
    )
    return Watched(
        "population",
        "last_night",
        "customers",
        verdict,
        baseline_on=day,
        value=ratio,
        observed=float(now.len()),
        expected=float(before.len()),
        n=stayed.height,
        n_before=before.len(),
    )
