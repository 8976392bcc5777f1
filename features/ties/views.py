"""Edges and degrees as networkx's views list them, read from the arrays in large pieces."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from typing import Any, ClassVar

import numpy as np
import polars as pl
from networkx.classes.reportviews import (
    DegreeView,
    DiDegreeView,
    EdgeDataView,
    EdgeView,
    InDegreeView,
    OutDegreeView,
    OutEdgeDataView,
    OutEdgeView,
)

from .adjacency import Layout
from .facts import EdgeFacts, plain_values
from .kernels import IntArray, NodeArray


def edge_ends(layout: Layout, *, is_directed: bool) -> tuple[IntArray, NodeArray, NodeArray]:
    """Give row, neighbour and entry of every edge in the order in which networkx lists edges."""
    rows = np.repeat(np.arange(len(layout.indptr) - 1), np.diff(layout.indptr))
    if is_directed:
        return rows, layout.indices, np.arange(len(rows), dtype=np.int32)
    entries = np.flatnonzero(rows <= layout.indices)
    return rows[entries], layout.indices[entries], entries.astype(np.int32)


_CHUNK = 1 << 16
"""Edges turned into Python objects at a time: some megabytes, whatever the graph."""


def listed_edges(layout: Layout, *, is_directed: bool, data: object, default: object) -> Iterator[Any]:
    """List edges with what networkx calls ``data``: False = none, True = all attributes, else one by name."""
    rows, neighbours, entries = edge_ends(layout, is_directed=is_directed)
    for start in range(0, len(rows), _CHUNK):
        part = slice(start, start + _CHUNK)
        ends = (layout.names.named(rows[part]), layout.names.named(neighbours[part]))
        if data is False:
            yield from zip(*ends, strict=True)
        else:
            is_forward = rows[part] < neighbours[part]
            facts = _listed_facts(layout, layout.tie_rows[entries[part]], is_forward, (data, default))
            yield from zip(*ends, facts, strict=True)


def _listed_facts(
    layout: Layout, ties: NodeArray, is_forward: np.ndarray, asked: tuple[object, object]
) -> Iterator[Any]:
    data, default = asked
    forward, backward = layout.forward, layout.backward
    if data is True:
        sides = [forward if ahead else backward for ahead in is_forward.tolist()]
        return map(EdgeFacts, sides, ties.tolist())
    if not isinstance(data, str) or data not in forward:
        return repeat(default, len(ties))
    ahead = forward[data].gather(ties)
    if forward is backward:
        return _known(plain_values(ahead, forward[data]), default)
    both = pl.DataFrame({"ahead": ahead, "back": backward[data].gather(ties), "is_forward": is_forward})
    seen = both.select(pl.when("is_forward").then("ahead").otherwise("back")).to_series()
    return _known(plain_values(seen, forward[data]), default)


def _known(values: list[Any], default: object) -> Iterator[Any]:
    return (default if value is None else value for value in values)


class TieEdgeDataView(EdgeDataView):  # type: ignore[misc]
    """Edges with data; all of them are listed from the arrays."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        if self._nbunch is not None:
            return super().__iter__()  # type: ignore[no-any-return]
        return listed_edges(self._adjdict.layout, is_directed=False, data=self._data, default=self._default)

    def __len__(self) -> int:
        return len(self._viewer) if self._nbunch is None else super().__len__()


class TieEdgeView(EdgeView):  # type: ignore[misc]
    """Edges of a tie graph."""

    __slots__ = ()
    dataview = TieEdgeDataView

    def __iter__(self) -> Iterator[Any]:
        return listed_edges(self._adjdict.layout, is_directed=False, data=False, default=None)

    def __len__(self) -> int:
        return len(self._adjdict.layout.indices) // 2


class ContactEdgeDataView(OutEdgeDataView):  # type: ignore[misc]
    """Edges of a graph of contacts with data; all of them are listed from the arrays."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        if self._nbunch is not None:
            return super().__iter__()  # type: ignore[no-any-return]
        return listed_edges(self._adjdict.layout, is_directed=True, data=self._data, default=self._default)

    def __len__(self) -> int:
        return len(self._viewer) if self._nbunch is None else super().__len__()


class ContactEdgeView(OutEdgeView):  # type: ignore[misc]
    """Edges of a graph of contacts."""

    __slots__ = ()
    dataview = ContactEdgeDataView

    def __iter__(self) -> Iterator[Any]:
        return listed_edges(self._adjdict.layout, is_directed=True, data=False, default=None)

    def __len__(self) -> int:
        return len(self._adjdict.layout.indices)


class _BulkDegrees:
    """Lists the degrees of all nodes from the arrays; those of some nodes as networkx does."""

    _sides: ClassVar[tuple[str, ...]] = ("_succ",)
    _nodes: Any
    _succ: Any
    _weight: Any

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        if self._nodes is not self._succ:
            return super().__iter__()  # type: ignore[misc,no-any-return]
        layouts = [getattr(self, side).layout for side in self._sides]
        sums = [layout.degrees(self._weight) for layout in layouts]
        if any(each is None for each in sums):
            return super().__iter__()  # type: ignore[misc,no-any-return]
        return zip(layouts[0].names.labels, np.sum(sums, axis=0).tolist(), strict=True)


class TieDegreeView(_BulkDegrees, DegreeView):  # type: ignore[misc]
    """Degrees of a tie graph."""


class ContactDegreeView(_BulkDegrees, DiDegreeView):  # type: ignore[misc]
    """In-degree plus out-degree of a graph of contacts."""

    _sides = ("_succ", "_pred")


class ContactOutDegreeView(_BulkDegrees, OutDegreeView):  # type: ignore[misc]
    """Out-degrees of a graph of contacts."""


class ContactInDegreeView(_BulkDegrees, InDegreeView):  # type: ignore[misc]
    """In-degrees of a graph of contacts."""

    _sides = ("_pred",)
