"""The rows to judge on and to refit on: past dates with features and outcomes, the newest kept apart.

It decides how many dates test, and refuses to know what is said of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from churnrisk.bundle import KEY_COLUMNS
from churnrisk.config import Config
from churnrisk.dates import AsOf
from churnrisk.errors import Fault, ModelUnfit
from churnrisk.store import Engine
from churnrisk.store.statements import statements_in
from churnrisk.tables.lake import LakeTables
from features.library import library

from ..audit import audit_snapshots
from ..extract import extract_days, not_out_of_time
from ..fates import FATE_COLUMNS, fates
from ..fit import FitSettings
from ..labels import earliest_look
from ..looks import Look, looks_along, without_actions
from ..rows import Rows, rows_of
from ..silence import silence_words
from ..snapshots import Snapshot, outcome_days, snapshot_schedule

LEAVINGS = {
    "customer_id": pl.String(),
    "as_of": pl.String(),
    "days_to_leaving": pl.Float64(),
    "days_to_known": pl.Float64(),
}
"""When the leavers of each tested look left, and when that became known (notice given, or gone)."""


@dataclass(frozen=True, eq=False)
class Material:
    """Rows that train and rows that test.

    ``learned`` is None where nothing can be tested out of time (an extract without dates, a short history): ``tested``
    then are all rows. ``counts`` are customers of the tested looks by status (leaver, stayer, in_notice, in_gap ...).
    ``leavings`` has the columns :data:`LEAVINGS` and is empty where leaving has no day of its own.
    """

    tested: Rows
    learned: Rows | None = None
    first_test: AsOf | None = None
    learned_until: str | None = None
    """ISO instant until which outcomes of the learned rows reach."""
    counts: Mapping[str, int] = field(default_factory=dict)
    leavings: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LEAVINGS))
    fates: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=FATE_COLUMNS))
    """What became of everybody later (``training.fates``); empty where leaving has no day of its own."""
    horizon_days: float | None = None
    """Length of the outcome window; None for an extract, which does not say."""
    notes: tuple[str, ...] = ()


def material_of(
    engine: Engine,
    tables: LakeTables,
    config: Config,
    as_of: AsOf,
    settings: FitSettings,
    *,
    test_looks: int,
    own: Path | None = None,
    tie_weights: Mapping[str, float] | None = None,
) -> Material:
    """Return the rows as of a day; tables must be registered in the engine.

    Parameters
    ----------
    settings : as in fitting.
    test_looks : newest looks that test, fewer where the history would leave nothing to learn from.
    own : folder with the user's own ``*.sql`` features.
    tie_weights : weights of tie strength.

    Raises
    ------
    GateRefused
        The leakage audit found a column that knows the outcome and is not in [training] accept_leaks: figures of a
        model that reads it would promise what no night can keep.
    ModelUnfit
        No past date has history before it and a whole outcome window after it.
    """
    schedule = schedule_of(tables, config, as_of, test_looks)
    if not schedule:
        raise ModelUnfit(_no_look())
    is_tested = any(look.use == "train" for look in schedule)
    wanted = [look for look in schedule if look.use != "embargo" or not is_tested]
    looks: list[Look] = []
    leavings: list[pl.DataFrame] = []
    for look, _ in looks_along(engine, tables, config, as_of, wanted, own=own, tie_weights=tie_weights):
        looks.append(look)
        if look.snapshot.use == "test" and config.churn.kind == "cancelled":
            judged = look.features.join(look.outcomes.select("customer_key"), on="customer_key", how="semi")
            leavings.append(_leavings(engine, look.snapshot, as_of, judged))
    entries = library(own).catalogue
    _, audited = audit_snapshots(
        looks,
        engine,
        tables,
        config,
        known_by=as_of,
        source_of=lambda name: entries[name].source,
        own=own,
    )
    looks, censoring = without_actions(looks, settings)
    notes = dict.fromkeys(note for look in looks for note in look.notes)
    weighing = () if censoring is None else censoring.sentences()
    silence = silence_words(tables, config.churn, as_of)
    made = _material(looks, leavings, (*silence, *audited, *weighing, *notes))
    became = fates(engine, tables, looks, config.churn, as_of)
    return replace(made, fates=became, horizon_days=outcome_days(config.churn))


def schedule_of(tables: LakeTables, config: Config, as_of: AsOf, test_looks: int) -> tuple[Snapshot, ...]:
    """Return the looks, latest first: as many tests as asked for, fewer where none would be left to train."""
    earliest = earliest_look(tables, outcome_days(config.churn))
    for wanted in range(test_looks, 0, -1):
        training = replace_tests(config, wanted)
        schedule = snapshot_schedule(as_of, config.churn, training.training, earliest=earliest)
        if any(look.use == "train" for look in schedule):
            return schedule
    return schedule


def replace_tests(config: Config, test_looks: int) -> Config:
    """Return the settings with another number of looks that test."""
    training = config.training.model_copy(update={"test_snapshots": test_looks})
    return config.model_copy(update={"training": training})


def _material(looks: list[Look], leavings: list[pl.DataFrame], notes: tuple[str, ...]) -> Material:
    learned, tested = (_stacked(looks, (use,)) for use in ("train", "test"))
    if learned is None or tested is None or not learned.n_leavers or not tested.n_leavers:
        every = _stacked(looks, ("test", "embargo", "train"))
        if every is None:
            raise ModelUnfit(_no_look())
        short = "history is too short for a test out of time: customers are cross-validated instead"
        return Material(tested=every, notes=(*notes, short))
    tests = [look for look in looks if look.snapshot.use == "test"]
    counts: Counter[str] = Counter()
    for look in tests:
        counts.update(look.labels.counts)
    until = max(look.snapshot.outcome_to for look in looks if look.snapshot.use == "train")
    return Material(
        tested=tested,
        learned=learned,
        first_test=tests[-1].snapshot.as_of,
        learned_until=until.isoformat(),
        counts=dict(counts),
        leavings=pl.concat(leavings) if leavings else pl.DataFrame(schema=LEAVINGS),
        notes=notes,
    )


def _stacked(looks: list[Look], uses: tuple[str, ...]) -> Rows | None:
    wanted = [look for look in looks if look.snapshot.use in uses]
    return rows_of([(look.day, look.features, look.labels.frame) for look in wanted]) if wanted else None


def _leavings(engine: Engine, look: Snapshot, known_by: AsOf, features: pl.DataFrame) -> pl.DataFrame:
    found = engine.frame(statements_in("training")["leaving_days"], look.parameters(known_by))
    who = features.select(*KEY_COLUMNS)
    return (
        found.join(who, on="customer_key", how="inner")
        .with_columns(as_of=pl.lit(str(look.as_of)))
        .select(*LEAVINGS)
        .with_columns(pl.col(name).cast(dtype) for name, dtype in LEAVINGS.items())
        .sort("customer_id")
    )


def extract_material(rows: Rows, *, reach_days: int = 0, notes: tuple[str, ...] = ()) -> Material:
    """Return the rows of a labelled extract: the last day observed tests, those ``reach_days`` before it train."""
    days = extract_days(rows, reach_days)
    if not days:
        return Material(rows, notes=(*notes, not_out_of_time(rows, reach_days)))
    day_of = rows.snapshot.astype(str)
    learned, tested = (
        rows.where(np.isin(day_of, [day.day for day in days if day.use == use])) for use in ("train", "test")
    )
    until = AsOf(date.fromisoformat(max(learned.snapshot.astype(str)))).days_before(-reach_days)
    first = AsOf(date.fromisoformat(min(tested.snapshot.astype(str))))
    return Material(tested, learned, first_test=first, learned_until=until.isoformat(), notes=notes)


def _no_look() -> Fault:
    return Fault(
        code="no_snapshot",
        where="sources",
        expected="at least one past date with history before it and a whole outcome window after it",
        found="none",
        remedy="Give more history, or shorten [churn] horizon_days, gap_days or inactive_days.",
    )
