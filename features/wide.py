"""Long tables made wide: a column per metric, event or topic of the user's own data.

It decides how long tables become wide; it refuses to know engines' SQL.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from .entries import ENTRIES
from .entry import WIDE_NAMES
from .functions import Context, feature_function

MAX_KINDS = 100
"""At most so many events, topics or metrics become columns, those of most customers first. Guessed: a wider table than
this is a modelling question, not a default."""

LATENESS = "days_late"
"""Metrics whose name ends so are lateness: their worst period and how often they occurred are features too."""
LATENESS_COLUMNS = ("max_6", "n_above_zero_6")


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
    families = [entry for entry in ENTRIES if entry.kind_name and entry.name.startswith(prefix)]
    found = (family.matched_kind(name) for family in families for name in names)
    return {kind for kind in found if kind is not None}
