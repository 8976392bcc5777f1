"""What networkx code sees of one tie or one node: attributes read from columns when asked, never written.

It decides how a value of a column looks to networkx, and refuses to know rows and neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from math import nan
from typing import Any, NoReturn

import networkx as nx
import polars as pl


class Columns(dict[str, pl.Series]):
    """Edge attributes by name, one value per tie."""

    @cached_property
    def gaps(self) -> tuple[str, ...]:
        """Columns that are no numbers and unknown for some tie: an edge of which one is unknown does not have it."""
        return tuple(
            name for name, column in self.items() if column.null_count() and not column.dtype.is_numeric()
        )

    def absent(self, tie: int) -> frozenset[str]:
        """Names of the attributes that a tie does not have."""
        return frozenset(name for name in self.gaps if self[name][tie] is None)


def frozen_error(*_args: object, **_attributes: object) -> NoReturn:
    """Raise what networkx raises when a frozen graph is written to."""
    msg = "Frozen graph can't be modified"
    raise nx.NetworkXError(msg)


def plain(column: pl.Series, value: Any) -> Any:
    """Give a value of a column as networkx's writers take it: days and instants as ISO text, unknown numbers as NaN.

    A column of numbers with an unknown one is of floats throughout: files have one type for each attribute. Of anything
    else None is unknown, which no edge has as an attribute: NaN for a flag would be taken for true.
    """
    if column.null_count() and column.dtype.is_numeric():
        return nan if value is None else float(value)
    return value.isoformat() if isinstance(value, date) else value


def plain_values(values: pl.Series, column: pl.Series) -> list[Any]:
    """Give some values of a column as `plain` gives each."""
    listed = values.to_list()
    if column.null_count() or column.dtype.is_temporal():
        return [plain(column, value) for value in listed]
    return listed


class ReadOnly:
    """Refuses, with networkx's own words, what would write to a mapping of facts."""

    __slots__ = ()
    __setitem__ = __delitem__ = update = setdefault = pop = popitem = clear = frozen_error


class NodeFacts(ReadOnly, Mapping[str, Any]):
    """Attributes of a node: none."""

    __slots__ = ()

    def __getitem__(self, name: str) -> Any:
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "{}"

    def copy(self) -> dict[str, Any]:
        return {}

    __copy__ = copy

    def __deepcopy__(self, _memo: object) -> dict[str, Any]:
        return {}


class EdgeFacts(ReadOnly, Mapping[str, Any]):
    """Attributes of one tie, read from its columns; copies are ordinary dicts."""

    __slots__ = ("_columns", "_tie")

    def __init__(self, columns: Columns, tie: int) -> None:
        self._columns = columns
        self._tie = tie

    def __getitem__(self, name: str) -> Any:
        column = self._columns[name]
        value = plain(column, column[self._tie])
        if value is None:
            raise KeyError(name)
        return value

    def __contains__(self, name: object) -> bool:
        return name in self._columns and name not in self._columns.absent(self._tie)

    def __iter__(self) -> Iterator[str]:
        absent = self._columns.absent(self._tie)
        return (name for name in self._columns if name not in absent) if absent else iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns) - len(self._columns.absent(self._tie))

    def __repr__(self) -> str:
        return repr(self.copy())

    def copy(self) -> dict[str, Any]:
        """Give an ordinary dict."""
        return {name: plain(self._columns[name], self._columns[name][self._tie]) for name in self}

    __copy__ = copy

    def __deepcopy__(self, _memo: object) -> dict[str, Any]:
        return self.copy()
