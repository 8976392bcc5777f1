"""What networkx code sees of sparse rows: mappings that read the arrays when asked, and hold no dicts.

It knows rows, labels and columns and refuses to know what a tie means. Nothing here can be written to; every mapping
is a few words, made when asked for and thrown away.
"""

from __future__ import annotations

from collections.abc import Hashable, ItemsView, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from itertools import repeat
from math import nan
from typing import Any, ClassVar, NoReturn

import networkx as nx
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
from numpy.typing import NDArray

from .kernels import FloatArray, IntArray, NodeArray, frozen
from .rows import entry_sums


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


class Names:
    """What the caller calls each node, and the way back; without labels a node is called by its number."""

    def __init__(self, labels: Sequence[Hashable] | None, n_nodes: int) -> None:
        self.labels: Sequence[Hashable] = range(n_nodes) if labels is None else labels
        self.is_plain = labels is None

    @cached_property
    def numbers(self) -> dict[Hashable, int]:
        """Number of each label."""
        numbers = {label: node for node, label in enumerate(self.labels)}
        if len(numbers) != len(self.labels):
            msg = f"labels: expected all different, found {len(self.labels) - len(numbers)} that come twice"
            raise ValueError(msg)
        return numbers

    def find(self, label: Hashable) -> int:
        """Give the number of a node, -1 if there is none of that name; TypeError if nothing can be called so."""
        hash(label)
        if not self.is_plain:
            return self.numbers.get(label, -1)
        if (
            isinstance(label, int | float | np.number)
            and 0 <= label < len(self.labels)
            and label == int(label)
        ):
            return int(label)
        return -1

    def number(self, label: Hashable) -> int:
        """Give the number of a node; KeyError if there is none."""
        node = self.find(label)
        if node < 0:
            raise KeyError(label)
        return node

    def named(self, nodes: NodeArray | IntArray) -> list[Any]:
        """Give the labels of many nodes."""
        numbers: list[Any] = nodes.tolist()
        if self.is_plain:
            return numbers
        labels = self.labels
        return [labels[node] for node in numbers]

    def dict_of(self, values: np.ndarray) -> dict[Any, Any]:
        """Give a dict of one value per node, in node order, as plain Python numbers."""
        return dict(zip(self.labels, values.tolist(), strict=True))


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
