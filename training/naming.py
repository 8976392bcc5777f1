"""Which columns of the feature table the user means: columns of customers by the user's names, features by theirs."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from churnrisk.errors import ConfigError, Fault, did_you_mean
from churnrisk.tables.lake import ATTRIBUTE_PREFIX, LakeTables
from features.catalogue import Catalogue


def own_columns(tables: LakeTables) -> dict[str, str]:
    """Return the column of every attribute by the user's own name for it."""
    own = {attribute.name: attribute.column for attribute in tables.attributes}
    if tables.has("labelled"):
        columns = pl.read_parquet_schema(tables.paths["labelled"])
        own |= {
            name.removeprefix(ATTRIBUTE_PREFIX): name
            for name in columns
            if name.startswith(ATTRIBUTE_PREFIX) and name not in own.values()
        }
    return own


def columns_named(
    names: Iterable[str], tables: LakeTables, catalogue: Catalogue, *, where: str
) -> tuple[str, ...]:
    """Return the columns called ``names``; raise ConfigError for what is neither an own column nor a feature.

    ``where`` says in which setting or option the names stand.
    """
    own = own_columns(tables)
    found = {name: own.get(name, name) for name in names}
    faults = unknown_names(found, tables, catalogue, where=where)
    if faults:
        raise ConfigError(faults)
    return tuple(found.values())


def unknown_names(
    names: Iterable[str], tables: LakeTables, catalogue: Catalogue, *, where: str
) -> list[Fault]:
    """Return a fault for each name that is neither an own column nor a feature, with the nearest there are."""
    own = own_columns(tables)
    features = (each.name for each in catalogue if "{" not in each.name)
    there = [*own, *features]
    return [
        Fault(
            code="column_unknown",
            where=where,
            expected="one of your customer columns, or a feature",
            found=repr(name),
            remedy=did_you_mean(name, there) or "Correct the name; features are listed in docs/features.md.",
            available=tuple(sorted(own)),
        )
        for name in names
        if name not in own
        and name not in own.values()
        and (name.startswith(ATTRIBUTE_PREFIX) or catalogue.find(name) is None)
    ]
