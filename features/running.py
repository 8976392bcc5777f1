"""One build under way: what stands in the engine as of one date, made once and forgotten in the end.

It decides windows, parameters and who is looked at, and refuses to know what any feature means, and to look at
anything that happened or became known at the as-of instant or later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from churnrisk.config import ChurnSettings
from churnrisk.dates import AsOf
from churnrisk.errors import Fault
from churnrisk.store import Engine, Statement
from churnrisk.store.statements import StatementError
from churnrisk.tables.lake import LakeTables

from .functions import Context
from .library import Library, library
from .network import Ties, ties_of
from .pair_store import PairStore, PairWindow
from .quarters import quarter_hours
from .silence import Silence, silence_of
from .ties.contract import DECAY_ONE_CONTACT, TIE_WINDOW_DAYS, TRAIN_GAP_HOURS
from .ties.decay import decay_parameters
from .ties.rules import TieRules

DEFAULT_RULES = TieRules()

ACTIVITY_OF: Mapping[str, tuple[str, str]] = {
    "calls": ("last_contact", "last_active_at"),
    "usage": ("last_usage", "last_at"),
    "events": ("last_event", "last_at"),
    "interactions": ("last_interaction", "last_at"),
}
"""By source that may count as activity: the statement and its column with each customer's last activity."""


@dataclass
class Run:
    """One build under way: the engine and what stands in it."""

    engine: Engine
    as_of: AsOf
    settings: ChurnSettings
    library: Library
    parameters: Mapping[str, object]
    available: set[str]
    made: list[str] = field(default_factory=list)
    pairs: PairStore | None = None
    beside: tuple[AsOf, ...] = ()
    rules: TieRules = DEFAULT_RULES
    everybody: pl.DataFrame = field(default_factory=pl.DataFrame)

    def make(self, name: str) -> bool:
        """Run a statement and what it reads, once; say whether it is there (its sources may not be)."""
        if name in self.available:
            return True
        statement = self.library.statements.get(name)
        if (
            statement is None
            or statement.is_ephemeral
            or not all(self.make(read) for read in statement.tables)
        ):
            return False
        if name == "call_pairs" and self.pairs is not None and self._is_ours(statement):
            self.put(name, self._kept_pairs(self.pairs))
            return True
        self.engine.create(statement, self.parameters)
        self.available.add(name)
        self.made.append(name)
        return True

    @staticmethod
    def _is_ours(statement: Statement) -> bool:
        """A user's own statement of the name counts otherwise: nothing is kept of it."""
        return statement.runnable == library().statements[statement.output].runnable

    def _kept_pairs(self, pairs: PairStore) -> pl.DataFrame:
        refused = self.rows("consents").filter(~pl.col("may_use_calls"))["customer_key"].sort().to_list()
        return pairs.call_pairs(PairWindow(self.as_of, ties_days(self.settings), self.beside), refused)

    def put(self, name: str, frame: pl.DataFrame) -> None:
        """Make a frame a table of the engine, with the statistics without which joins are planned upside down."""
        self.engine.drop(name)
        self.engine.connection.from_arrow(frame.to_arrow()).create(name)
        self.available.add(name)
        self.made.append(name)

    def rows(self, name: str) -> pl.DataFrame:
        """All rows of a table."""
        return Context(self.engine, self.as_of).table(name)

    def forget(self) -> None:
        """Drop every table of this build."""
        for name in reversed(self.made):
            self.engine.drop(name)


@contextmanager
def prepared(
    engine: Engine,
    tables: LakeTables,
    as_of: AsOf,
    settings: ChurnSettings,
    *,
    customers: Sequence[str] | None = None,
    consent_as_of: AsOf | None = None,
    own: Path | None = None,
    rules: TieRules | None = DEFAULT_RULES,
) -> Iterator[Run]:
    """Give a run with sources, calendar, activity and population in place; forget all its tables in the end."""
    tables.register(engine)
    parameters = {
        **parameters_of(as_of, settings, consent_as_of or as_of),
        **(rules or DEFAULT_RULES).parameters(),
    }
    running = Run(
        engine, as_of, settings, library(own), parameters, set(tables.paths), rules=rules or DEFAULT_RULES
    )
    if tables.kept is not None and tables.has("calls"):
        contacts = running.library.statements["contacts_between"]
        running.pairs = PairStore(tables.kept, engine, contacts, parameters, tables.paths["calls"])
        running.beside = tables.kept_for
    try:
        running.everybody = _population(running, customers)
        yield running
    finally:
        running.forget()


def parameters_of(as_of: AsOf, settings: ChurnSettings, consent_as_of: AsOf) -> dict[str, object]:
    """Every parameter that a statement may name; each takes those it declares."""
    look_back = look_back_days(settings)
    ties_from = as_of.days_before(ties_days(settings))
    return {
        **as_of.window_parameters(),
        "history_from": as_of.days_before(look_back),
        "ties_from": ties_from,
        "stretch_from": ties_from,
        "stretch_to": as_of.instant,
        "consent_as_of": max(consent_as_of.instant, as_of.instant),
        "is_by_activity": settings.kind == "inactive",
        "active_from": as_of.days_before(settings.inactive_days),
        "grace_days": settings.inactive_days if settings.kind == "inactive" else 0,
        "one_contact": DECAY_ONE_CONTACT,
        **decay_parameters(as_of.day.toordinal()),
        "train_gap_us": TRAIN_GAP_HOURS * 3_600_000_000,
    }


def look_back_days(settings: ChurnSettings) -> int:
    """Days that features read; by inactivity at least so many that one can be seen to have stopped."""
    return max(settings.history_days, tie_window_days(settings) if settings.kind == "inactive" else 0)


def tie_window_days(settings: ChurnSettings) -> int:
    """Days whose contacts make a tie; by inactivity longer, or nobody who left would have a tie any more."""
    return TIE_WINDOW_DAYS + (settings.inactive_days if settings.kind == "inactive" else 0)


def ties_days(settings: ChurnSettings) -> int:
    """Days whose contacts make a tie and are read at all."""
    return min(look_back_days(settings), tie_window_days(settings))


def _population(running: Run, customers: Sequence[str] | None) -> pl.DataFrame:
    """Register calendar, activity and population; return everybody of the date, by rising id."""
    running.put("quarter_hours", quarter_hours(running.as_of, look_back_days(running.settings)))
    running.put("activity", last_activity(running))
    if not running.make("customers_at"):
        raise StatementError(
            Fault(
                "tables_missing",
                "the lake",
                "the tables customers and keys",
                "not both",
                "Load the sources first.",
            )
        )
    everybody = running.rows("customers_at").sort("customer_id")
    asked = everybody if customers is None else everybody.filter(pl.col("customer_id").is_in(list(customers)))
    running.put("population", asked)
    return everybody


def last_activity(running: Run) -> pl.DataFrame:
    """Return customer_key and last_at over the sources that count as activity; empty if churn is not by inactivity."""
    parts = [pl.DataFrame(schema={"customer_key": pl.Int64, "last_at": pl.Datetime("us")})]
    if running.settings.kind == "inactive":
        for source in running.settings.activity:
            statement, column = ACTIVITY_OF[source]
            if running.make(statement):
                parts.append(running.rows(statement).select("customer_key", pl.col(column).alias("last_at")))
    return (
        pl.concat(parts)
        .drop_nulls()
        .group_by("customer_key")
        .agg(pl.col("last_at").max())
        .sort("customer_key")
    )


def ties_in(running: Run) -> Ties:
    """Bring the pairs out of the engine, and drop them there before the graph doubles them."""
    nodes = running.rows("nodes").sort("node")
    nodes = nodes.join(running.rows("hubs"), on="customer_key", how="left", maintain_order="left")
    pairs = running.rows("tie_pairs")
    for name in ("tie_pairs", "call_pairs"):
        running.engine.drop(name)
    silence = None if pairs.height else _silence(running)
    return ties_of(pairs, nodes, running.as_of.instant_us, running.rules.weights, silence)


def _silence(running: Run) -> Silence | None:
    """Of a date without any tie: why ties are not known; None when contacts came, and made none."""
    running.make("call_supply")
    return silence_of(running.rows("call_supply"), running.as_of, ties_days(running.settings))
