"""What networkx code sees of sparse rows: mappings that read the arrays when asked, and hold no dicts.

It knows rows, labels and columns and refuses to know what a tie means. Nothing here can be written to; every mapping
is a few words, made when asked for and thrown away.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .facts import Columns, EdgeFacts, NodeFacts
from .kernels import FloatArray, IntArray, NodeArray, frozen
from .labels import Names
from .rows import entry_sums


class Layout:
    """Rows of a graph with the names of its nodes and the columns of its ties.

    ``forward`` are the columns of a tie read from its first end, ``backward`` from its second; for a graph without
    directions they are the same. ``is_inward``: rows list where ties come from, not where they lead.
    """

    def __init__(
        self,
        names: Names,
        rows: tuple[IntArray, NodeArray, NodeArray],
        columns: tuple[Columns, Columns],
        *,
        is_inward: bool = False,
    ) -> None:
        self.names = names
        self.indptr, self.indices, self.tie_rows = rows
        self.forward, self.backward = columns
        self.is_inward = is_inward

    def facts(self, row: int, entry: int) -> EdgeFacts:
        """Give the attributes of the tie at an entry of a row."""
        is_forward = (row < self.indices[entry]) != self.is_inward
        return EdgeFacts(self.forward if is_forward else self.backward, int(self.tie_rows[entry]))

    def entry(self, row: int, neighbour: int) -> int:
        """Give where a neighbour stands in a row, -1 if it does not."""
        start, stop = int(self.indptr[row]), int(self.indptr[row + 1])
        at = start + int(np.searchsorted(self.indices[start:stop], neighbour))
        return at if at < stop and self.indices[at] == neighbour else -1

    def values(self, name: str) -> FloatArray | None:
        """Give a column as one float per entry; None unless every tie has a number there."""
        column = self.forward.get(name)
        if column is None or not column.dtype.is_numeric() or column.null_count():
            return None
        ahead = column.to_numpy().astype(np.float64)[self.tie_rows]
        if self.forward is self.backward:
            return frozen(ahead, np.float64)
        rows = np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr))
        back = self.backward[name].to_numpy().astype(np.float64)[self.tie_rows]
        return frozen(np.where((rows < self.indices) != self.is_inward, ahead, back), np.float64)

    def degrees(self, weight: str | None) -> NDArray[Any] | None:
        """Give the sum of a column over each row (None, or an unknown name: each tie counts 1); None if undefined."""
        if weight is None or weight not in self.forward:
            return np.diff(self.indptr)
        values = self.values(weight)
        if values is None:
            return None
        sums = entry_sums(self.indptr, values)
        return sums.astype(np.int64) if self.forward[weight].dtype.is_integer() else sums


class Row(Mapping[Any, EdgeFacts]):
    """Neighbours of one node with the attributes of the ties to them."""

    __slots__ = ("_layout", "_node")

    def __init__(self, layout: Layout, node: int) -> None:
        self._layout = layout
        self._node = node

    def __len__(self) -> int:
        return int(self._layout.indptr[self._node + 1] - self._layout.indptr[self._node])

    def __iter__(self) -> Iterator[Any]:
        return iter(self._layout.names.named(self._entries(self._layout.indices)))

    def __contains__(self, label: object) -> bool:
        neighbour = self._layout.names.find(label)
        return neighbour >= 0 and self._layout.entry(self._node, neighbour) >= 0

    def __getitem__(self, label: Any) -> EdgeFacts:
        layout = self._layout
        neighbour = layout.names.find(label)
        entry = layout.entry(self._node, neighbour) if neighbour >= 0 else -1
        if entry < 0:
            raise KeyError(label)
        return layout.facts(self._node, entry)

    def items(self) -> ItemsView[Any, EdgeFacts]:
        return _RowItems(self)

    def facts(self) -> Iterator[tuple[Any, EdgeFacts]]:
        """Give each neighbour and the attributes of the tie to it, ascending by node number."""
        layout, node = self._layout, self._node
        start = int(layout.indptr[node])
        for step, label in enumerate(self):
            yield label, layout.facts(node, start + step)

    def __repr__(self) -> str:
        return repr(self.copy())

    def copy(self) -> dict[Any, dict[str, Any]]:
        """Give ordinary dicts."""
        return {label: facts.copy() for label, facts in self.facts()}

    def _entries(self, values: NodeArray) -> NodeArray:
        return values[self._layout.indptr[self._node] : self._layout.indptr[self._node + 1]]


class _RowItems(ItemsView[Any, EdgeFacts]):
    """Items of a row without a search for each."""

    __slots__ = ()

    def __iter__(self) -> Iterator[tuple[Any, EdgeFacts]]:
        row: Row = self._mapping  # type: ignore[attr-defined]
        return row.facts()


class Rows(Mapping[Any, Row]):
    """The adjacency of a graph, as networkx asks for it: node -> neighbour -> attributes."""

    __slots__ = ("layout",)

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def __len__(self) -> int:
        return len(self.layout.names.labels)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layout.names.labels)

    def __contains__(self, label: object) -> bool:
        return self.layout.names.find(label) >= 0

    def __getitem__(self, label: Any) -> Row:
        return Row(self.layout, self.layout.names.number(label))

    def items(self) -> ItemsView[Any, Row]:
        return _RowsItems(self)

    def __repr__(self) -> str:
        return f"<rows of {len(self)} nodes>"

    def copy(self) -> dict[Any, dict[Any, dict[str, Any]]]:
        """Give ordinary dicts."""
        return {label: row.copy() for label, row in self.items()}


class _RowsItems(ItemsView[Any, Row]):
    """Items of all rows without a search for each."""

    __slots__ = ()

    def __iter__(self) -> Iterator[tuple[Any, Row]]:
        layout: Layout = self._mapping.layout  # type: ignore[attr-defined]
        return ((label, Row(layout, node)) for node, label in enumerate(layout.names.labels))


class Nodes(Mapping[Any, NodeFacts]):
    """The nodes of a graph, as networkx asks for them: node -> attributes."""

    __slots__ = ("_names",)

    def __init__(self, names: Names) -> None:
        self._names = names

    def __len__(self) -> int:
        return len(self._names.labels)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._names.labels)

    def __contains__(self, label: object) -> bool:
        return self._names.find(label) >= 0

    def __getitem__(self, label: Any) -> NodeFacts:
        self._names.number(label)
        return NodeFacts()

    def copy(self) -> dict[Any, dict[str, Any]]:
        """Give ordinary dicts."""
        return {label: {} for label in self}
