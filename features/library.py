"""Everything that can make a feature: the package's statements and functions, and the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from churnrisk.store import Statement
from churnrisk.store.statements import statements_in, woven_statements

from . import wide  # noqa: F401 - registers the package's own functions
from .catalogue import Catalogue, catalogue_of
from .functions import FeatureFunction, functions


@dataclass(frozen=True)
class Library:
    """Everything that can make a feature: statements, readers after what they read; functions; the catalogue."""

    statements: Mapping[str, Statement]
    functions: Mapping[str, FeatureFunction]
    catalogue: Catalogue


@lru_cache(maxsize=4)
def library(own: Path | None = None) -> Library:
    """Return the package's statements and functions, with the ``*.sql`` files of the folder ``own`` added.

    A file in ``own`` with a name of the package's replaces that one. Its columns need catalogue entries in its head.
    """
    statements = statements_in("features")
    if own is not None and own.is_dir():
        parsed = {
            path.stem: Statement.parse(path.read_text("utf-8"), path.stem)
            for path in sorted(own.glob("*.sql"))
        }
        plain = {name: Statement.parse(statement.sql, name) for name, statement in statements.items()}
        statements = woven_statements({**plain, **parsed})
    entries = [feature for function in functions().values() for feature in function.features]
    return Library(statements, functions(), catalogue_of(statements, entries))
