"""Features that a Python function makes, beside those of SQL files: the register.

It decides how a function becomes features; it refuses to know which there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from churnrisk.dates import AsOf
from churnrisk.store import Engine

from .entry import WIDE_NAMES, Feature


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
