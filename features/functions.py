"""Features that a Python function makes, beside those of SQL files: the register, and the package's own.

It decides how a function becomes features and how long tables become wide; it refuses to know engines' SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from churnrisk.dates import AsOf
from churnrisk.store import Engine

from .catalogue import WIDE_NAMES, Feature, catalogue

MAX_KINDS = 100
"""At most so many events, topics or metrics become columns, those of most customers first. Guessed: a wider table than
this is a modelling question, not a default."""

LATENESS = "days_late"
"""Metrics whose name ends so are lateness: their worst period and how often they occurred are features too."""
LATENESS_COLUMNS = ("max_6", "n_above_zero_6")


@dataclass(frozen=True)
class Context:
    """What a function may ask: the engine with the tables it reads, the as-of date, the wanted features (None: all).

    Tables hold only what is known as of the date if they are those of ``features/sql``; the raw sources are there too,
    and a function that reads one must filter by itself: happened and known both before ``as_of.instant``.
    """

    engine: Engine
    as_of: AsOf
    names: frozenset[str] | None = None

    def table(self, name: str) -> pl.DataFrame:
        """Return all rows of a table, in no particular order."""
        return pl.DataFrame(self.engine.connection.table(name).to_arrow_table())


Maker = Callable[[Context], pl.DataFrame]


@dataclass(frozen=True)
class FeatureFunction:
    """A registered function: the tables it reads, and the catalogue entries it brings along."""

    name: str
    reads: tuple[str, ...]
    make: Maker
    features: tuple[Feature, ...] = ()

    def gives(self, name: str) -> bool:
        """Say whether a feature of that name may come from here: it is listed, or made from a long table read here."""
        prefixes = tuple(
            WIDE_NAMES[table][1].split("{", maxsplit=1)[0] for table in self.reads if table in WIDE_NAMES
        )
        return name.startswith(prefixes) or name in {feature.name for feature in self.features}


_REGISTER: dict[str, FeatureFunction] = {}


def feature_function(*, reads: Sequence[str], features: Sequence[Feature] = ()) -> Callable[[Maker], Maker]:
    """Register a function that takes a `Context` and returns customer_key and features, at most one row a customer.

    Without one of the tables in ``reads`` it does not run. Customers without a row get null in its columns.
    ``features`` are the catalogue entries of the columns, with unit and null meaning.
    """

    def registered(make: Maker) -> Maker:
        _REGISTER[make.__name__] = FeatureFunction(make.__name__, tuple(reads), make, tuple(features))
        return make

    return registered


def functions() -> Mapping[str, FeatureFunction]:
    """Return every registered function by name, in a fixed order."""
    return dict(sorted(_REGISTER.items()))


@feature_function(reads=("usage_metrics", "population"))
def usage_features(context: Context) -> pl.DataFrame:
    """Give each metric of usage its columns; the worst and the frequency only to lateness."""
    return _wide(context, "usage_metrics", only_for_lateness=LATENESS_COLUMNS)


@feature_function(reads=("event_kinds", "population"))
def event_features(context: Context) -> pl.DataFrame:
    """Give each kind of event its columns; a customer without one has 0 of it, and no days since."""
    return _wide(context, "event_kinds", zero_where_none=("n_30d", "n_90d"))


@feature_function(reads=("contact_topics", "population"))
def topic_features(context: Context) -> pl.DataFrame:
    """Give each topic of service contacts its column; a customer without one has 0 of it."""
    return _wide(context, "contact_topics", zero_where_none=("n_90d",))


def _wide(
    context: Context,
    table: str,
    *,
    zero_where_none: Sequence[str] = (),
    only_for_lateness: Sequence[str] = (),
) -> pl.DataFrame:
    """One row per customer of the population, one column per kind and measure; null where the long table has no row."""
    key, template = WIDE_NAMES[table]
    rows = context.table(table)
    wide = context.table("population").select("customer_key")
    for kind in _kinds(context, table, rows[key]):
        measures = [
            name
            for name in rows.columns
            if name not in {"customer_key", key}
            and (name not in only_for_lateness or kind.endswith(LATENESS))
        ]
        names = {name: template.replace("{" + key + "}", kind).replace("{column}", name) for name in measures}
        part = rows.filter(pl.col(key) == kind).select("customer_key", *measures)
        zeros = [pl.col(names[name]).fill_null(0) for name in measures if name in zero_where_none]
        joined = wide.join(part.rename(names), on="customer_key", how="left", maintain_order="left")
        wide = joined.with_columns(zeros)
    return wide


def _kinds(context: Context, table: str, kinds: pl.Series) -> list[str]:
    """The kinds that the wanted features name, seen or not; without wanted features the most widespread."""
    if context.names is not None:
        return sorted(_named_kinds(table, context.names))
    counted = (
        kinds.rename("kind").to_frame().group_by("kind").len().sort(["len", "kind"], descending=[True, False])
    )
    return sorted(counted["kind"].head(MAX_KINDS))


def _named_kinds(table: str, names: frozenset[str]) -> set[str]:
    prefix = WIDE_NAMES[table][1].split("{", maxsplit=1)[0]
    families = [family for family in catalogue().families if family.name.startswith(prefix)]
    found = (family.matched_kind(name) for family in families for name in names)
    return {kind for kind in found if kind is not None}
