"""The ties of all customers as one sparse matrix, laid out for compiled loops.

It knows nodes by number and ties by their two ends, and refuses to know how strong a tie should be or what a
customer's label means.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .kernels import FloatArray, IntArray, MarkArray, NodeArray, frozen, row_marks, row_sums, sorted_rows
from .strength import in_tie_order

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True, eq=False)
class TieGraph:
    """Undirected weighted graph of customers in compressed sparse rows; read-only.

    Row i is ``indices[indptr[i]:indptr[i + 1]]``, ascending; every tie stands in two rows. Make one with
    `from_ties`, `tie_graph` or `as_tie_graph`. 34 bytes per tie (17 per entry) and 8 per node beside the tie table.

    Attributes
    ----------
    indptr
        int64, n_nodes + 1.
    indices
        int32, 2 per tie: the neighbour.
    weights
        float64, 2 per tie: strength, >= 0.
    tie_rows
        int32, 2 per tie: row of `ties` that the entry stands for; any column of `ties` is reached through it.
    marks
        uint8, 2 per tie: bit 1 = the row's node contacted the neighbour, bit 2 = the reverse; None if the ties
        carry no direction.
    ties
        One row per tie, ascending by (node_a, node_b), with at least ``node_a, node_b, strength``.
    labels
        What the caller calls each node; None = its number.

    Examples
    --------
    >>> import polars as pl
    >>> ties = pl.DataFrame({"node_a": [0, 1], "node_b": [2, 2], "strength": [1.0, 3.0]})
    >>> graph = TieGraph.from_ties(ties, n_nodes=4)
    >>> graph.degrees.tolist(), graph.strengths.tolist(), graph.neighbours(2).tolist()
    ([1, 1, 2, 0], [1.0, 3.0, 4.0, 0.0], [0, 1])
    """

    indptr: IntArray
    indices: NodeArray
    weights: FloatArray
    tie_rows: NodeArray
    marks: MarkArray | None
    ties: pl.DataFrame
    labels: Sequence[Hashable] | None = None

    @classmethod
    def from_ties(
        cls, ties: pl.DataFrame, n_nodes: int, labels: Sequence[Hashable] | None = None
    ) -> TieGraph:
        """Build the rows of a tie table; O(n + m) when it is sorted, as `tie_table` leaves it.

        Parameters
        ----------
        ties
            One row per tie: ``node_a < node_b`` (integers), ``strength`` (>= 0), and, for directions, ``n_ab`` and
            ``n_ba`` (contacts each way). Other columns ride along.
        n_nodes
            Number of nodes; those without a tie have an empty row.
        labels
            One per node, all different, or None.

        Raises
        ------
        ValueError
            An end is no node, a tie joins a node to itself or stands twice, or a strength is negative or undefined.
        """
        ordered = in_tie_order(ties)
        node_a, node_b = (frozen(ordered[name].to_numpy(), np.int32) for name in ("node_a", "node_b"))
        strengths = frozen(ordered["strength"].to_numpy(), np.float64)
        _check_ends(n_nodes, node_a, node_b, strengths)
        if labels is not None and len(labels) != n_nodes:
            msg = f"labels: expected {n_nodes}, found {len(labels)}"
            raise ValueError(msg)
        indptr, indices, tie_rows = sorted_rows(n_nodes, node_a, node_b)
        marks = None
        if {"n_ab", "n_ba"} <= set(ordered.columns):
            n_ab, n_ba = (frozen(ordered[name].to_numpy(), np.int64) for name in ("n_ab", "n_ba"))
            marks = frozen(row_marks(indptr, indices, tie_rows, n_ab, n_ba), np.uint8)
        return cls(indptr, indices, frozen(strengths[tie_rows], np.float64), tie_rows, marks, ordered, labels)

    @property
    def n_nodes(self) -> int:
        """Number of nodes, those without ties included."""
        return len(self.indptr) - 1

    @property
    def n_ties(self) -> int:
        """Number of ties, each counted once."""
        return len(self.indices) // 2

    @cached_property
    def degrees(self) -> IntArray:
        """Number of ties of each node."""
        return frozen(np.diff(self.indptr), np.int64)

    @cached_property
    def strengths(self) -> FloatArray:
        """Sum of the strength of each node's ties; 0 for a node without ties."""
        return frozen(
            row_sums(self.indptr, self.tie_rows, frozen(self.ties["strength"].to_numpy(), np.float64)),
            np.float64,
        )

    @property
    def node_labels(self) -> Sequence[Hashable]:
        """Label of each node; its number if it was given none."""
        return range(self.n_nodes) if self.labels is None else self.labels

    def neighbours(self, node: int) -> NodeArray:
        """Give the nodes tied to one node, ascending."""
        return self.indices[self.indptr[node] : self.indptr[node + 1]]

    def without(self, nodes: NDArray[np.bool_]) -> TieGraph:
        """Give the graph on the same nodes without any tie of the marked ones; what ties measure stays as measured."""
        if not self.degrees[nodes].any():
            return self
        is_cut = nodes[self.ties["node_a"].to_numpy()] | nodes[self.ties["node_b"].to_numpy()]
        kept = self.ties.filter(pl.Series(~is_cut))
        return TieGraph.from_ties(kept, self.n_nodes, self.labels)

    def to_networkx(self) -> nx.Graph[Hashable]:
        """Copy into an ordinary networkx graph: nodes by label, strength as ``weight``, all tie columns on the edges.

        Goes through Python objects, about 1 kB per tie: for ego networks and for code that knows only networkx.
        """
        import networkx as nx

        graph: nx.Graph[Hashable] = nx.Graph()
        labels = self.node_labels
        graph.add_nodes_from(labels[node] for node in range(self.n_nodes))
        facts = self.ties.select(pl.exclude("node_a", "node_b", "weight"), weight=pl.col("strength"))
        ends = zip(self.ties["node_a"].to_list(), self.ties["node_b"].to_list(), strict=True)
        rows = zip(ends, facts.iter_rows(named=True), strict=True)
        graph.add_edges_from((labels[a], labels[b], attributes) for (a, b), attributes in rows)
        return graph


def _check_ends(n_nodes: int, node_a: NodeArray, node_b: NodeArray, strengths: FloatArray) -> None:
    if len(node_a) and (node_a[0] < 0 or node_b.max() >= n_nodes):
        msg = f"ties: expected nodes 0 to {n_nodes - 1}, found {node_a[0]} to {node_b.max()}"
        raise ValueError(msg)
    if (node_a >= node_b).any():
        msg = "ties: expected node_a < node_b, found otherwise"
        raise ValueError(msg)
    if not (np.isfinite(strengths) & (strengths >= 0)).all():
        msg = "ties: expected a strength of 0 or more, found one that is negative or undefined"
        raise ValueError(msg)
