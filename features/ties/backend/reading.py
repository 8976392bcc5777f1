"""Any graph as sparse rows: our own without copying, an ordinary networkx graph by reading its dicts once.

It knows rows, names and edge attributes and refuses to know any measure.
"""

from __future__ import annotations

from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churnrisk.networkx_info import BACKEND

from ..graph import ContactGraph, TieGraph
from ..kernels import FloatArray, IntArray, NodeArray, frozen, transposed_rows
from ..labels import Names


class Unreadable(Exception):
    """The compiled measure does not know such input: networkx's own function answers. Never reaches a user."""


class OneNode(Unreadable):
    """Only the rows about one node matter: networkx's own function answers from them, without a copy."""


class Reading:
    """What a measure reads of a graph.

    Rows are those of outgoing edges, ascending, self-loops included (once); for a graph without directions they are
    symmetric. ``graph`` is the graph itself, for what networkx decides (which nodes an argument names).
    """

    __networkx_backend__ = BACKEND

    def __init__(self, graph: Any, names: Names, rows: tuple[IntArray, NodeArray]) -> None:
        self.graph = graph
        self.names = names
        self.indptr, self.indices = rows
        self.is_directed: bool = graph.is_directed()
        self.is_multigraph: bool = graph.is_multigraph()

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.indptr) - 1

    def raw_weights(self, name: str | None) -> NDArray[Any] | None:
        """Give an edge attribute per entry as numpy reads it, parallel edges added up; None = 1 for each."""
        raise NotImplementedError

    def weights(self, name: str | None) -> FloatArray | None:
        """Give an edge attribute per entry; None = 1 for each.

        Raises
        ------
        Unreadable
            Some value is no number, undefined, infinite or negative.
        """
        raw = self.raw_weights(name)
        if raw is None:
            return None
        if raw.dtype.kind not in "biuf":
            raise Unreadable
        values = frozen(raw, np.float64)
        if not (np.isfinite(values) & (values >= 0)).all():
            raise Unreadable
        return values

    @cached_property
    def rows(self) -> IntArray:
        """Row of each entry."""
        return np.repeat(np.arange(self.n_nodes), np.diff(self.indptr))

    @cached_property
    def is_loop(self) -> NDArray[np.bool_] | None:
        """Whether each entry joins a node to itself; None when none does."""
        if isinstance(self.graph, TieGraph):
            return None
        found: NDArray[np.bool_] = self.rows == self.indices
        return found if found.any() else None

    def refuse_loops(self) -> None:
        """Leave graphs with self-loops to networkx."""
        if self.is_loop is not None:
            raise Unreadable

    def without_loops(
        self, values: FloatArray | None = None
    ) -> tuple[IntArray, NodeArray, FloatArray | None]:
        """Give the rows, and values per entry, without self-loops."""
        if self.is_loop is None:
            return self.indptr, self.indices, values
        is_kept = ~self.is_loop
        counts = np.bincount(self.rows[is_kept], minlength=self.n_nodes)
        return (
            frozen(np.concatenate([[0], np.cumsum(counts)]), np.int64),
            frozen(self.indices[is_kept], np.int32),
            None if values is None else frozen(values[is_kept], np.float64),
        )

    @cached_property
    def inward(self) -> tuple[IntArray, NodeArray, IntArray]:
        """Rows of incoming edges, and the entry of `indices` that each of them is."""
        indptr, indices, origins = transposed_rows(self.indptr, self.indices)
        return frozen(indptr, np.int64), frozen(indices, np.int32), frozen(origins, np.int64)

    @cached_property
    def both_ways(self) -> tuple[IntArray, NodeArray]:
        """Rows of outgoing and incoming edges together; a neighbour reached both ways stands twice."""
        if not self.is_directed:
            return self.indptr, self.indices
        in_indptr, in_indices, _ = self.inward
        joined = np.empty(2 * len(self.indices), np.int32)
        entries = np.arange(len(self.indices))
        joined[entries + in_indptr[self.rows]] = self.indices
        in_rows = np.repeat(np.arange(self.n_nodes), np.diff(in_indptr))
        joined[entries + self.indptr[in_rows + 1]] = in_indices
        return frozen(self.indptr + in_indptr, np.int64), frozen(joined, np.int32)

    def out_degrees(self, weight: str | None = None) -> NDArray[Any]:
        """Give the sum over each row; in an undirected graph a self-loop counts twice, as in networkx."""
        values = self.weights(weight)
        return self._degrees(self.rows, values)

    def in_degrees(self, weight: str | None = None) -> NDArray[Any]:
        """Give the sum over each column."""
        return self._degrees(self.indices, self.weights(weight))

    def _degrees(self, ends: NDArray[Any], values: FloatArray | None) -> NDArray[Any]:
        sums = np.bincount(ends, weights=values, minlength=self.n_nodes)
        if self.is_directed or self.is_loop is None:
            return sums
        loops = None if values is None else values[self.is_loop]
        twice: NDArray[Any] = sums + np.bincount(ends[self.is_loop], weights=loops, minlength=self.n_nodes)
        return twice


class SparseReading(Reading):
    """One of our own graphs."""

    def __init__(self, graph: TieGraph | ContactGraph) -> None:
        super().__init__(graph, graph.names, (graph.indptr, graph.indices))

    def raw_weights(self, name: str | None) -> NDArray[Any] | None:
        """Give a column of the ties; a name that is no column counts 1, as an attribute that no edge has."""
        if name == "weight" and isinstance(self.graph, TieGraph):
            return self.graph.weights
        layout = self.graph.layout
        if name not in layout.forward:
            return None
        values: NDArray[Any] | None = layout.values(name)
        if values is None:
            raise Unreadable
        return values.astype(np.int64) if layout.forward[name].dtype.is_integer() else values


class OrdinaryReading(Reading):
    """An ordinary networkx graph, read from its dicts: O(n + m) in Python, attributes when they are asked for."""

    def __init__(self, graph: Any) -> None:
        # Through adjacency(), which classes that read their dicts in a way of their own override.
        by_node = dict(graph.adjacency())
        labels = list(graph)
        rows = [by_node[label] for label in labels]
        names = Names(labels, len(rows))
        near = [list(row) for row in rows]  # counted so: len() of a filtered row may count what it hides
        counts = np.fromiter(map(len, near), np.int64, len(rows))
        indptr = np.concatenate([[0], np.cumsum(counts)])
        found = map(names.numbers.__getitem__, chain.from_iterable(near))
        indices = np.fromiter(found, np.int32, int(indptr[-1]))
        order = np.lexsort((indices, np.repeat(np.arange(len(rows)), counts)))
        super().__init__(graph, names, (frozen(indptr, np.int64), frozen(indices[order], np.int32)))
        self._rows = rows
        self._order = order
        self._read: dict[str | None, NDArray[Any] | None] = {}

    def raw_weights(self, name: str | None) -> NDArray[Any] | None:
        """Read an attribute of every edge; one without it counts 1, parallel edges add up."""
        if name is None and not self.is_multigraph:
            return None
        if name not in self._read:
            try:
                facts = chain.from_iterable(row.values() for row in self._rows)
                if self.is_multigraph:
                    values = [sum(each.get(name, 1) for each in parallel.values()) for parallel in facts]
                else:
                    values = [each.get(name, 1) for each in facts]
                self._read[name] = np.array(values)[self._order] if values else np.zeros(0, np.int64)
            except (AttributeError, TypeError, ValueError, OverflowError) as error:
                raise Unreadable from error
        return self._read[name]


def reading_of(graph: Any) -> Reading:
    """Give what a measure reads of a graph."""
    if isinstance(graph, Reading):
        return graph
    return SparseReading(graph) if isinstance(graph, TieGraph | ContactGraph) else OrdinaryReading(graph)
