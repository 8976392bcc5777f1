"""The ties of all customers as one sparse matrix, laid out for compiled loops.

It knows nodes by number and ties by their two ends, and refuses to know how strong a tie should be or what a
customer's label means.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.errors import Fault, UsageError
from churnrisk.networkx_info import BACKEND

from .adjacency import Layout, Nodes, Rows
from .facts import Columns, frozen_error, plain_values
from .kernels import FloatArray, IntArray, MarkArray, NodeArray, frozen, row_marks, sorted_rows
from .labels import Names
from .rows import entry_sums
from .strength import in_tie_order
from .views import (
    ContactDegreeView,
    ContactEdgeView,
    ContactInDegreeView,
    ContactOutDegreeView,
    TieDegreeView,
    TieEdgeView,
)

_MAX_NODES = np.iinfo(np.int32).max


class _Frozen:
    """What the two graphs share: they are read-only, and what networkx makes of them are ordinary graphs.

    networkx begins copies and views by calling the graph's class, so calling it gives an ordinary networkx graph.
    """

    __networkx_backend__ = BACKEND
    frozen = True
    add_node = add_nodes_from = remove_node = remove_nodes_from = frozen_error
    add_edge = add_edges_from = add_weighted_edges_from = remove_edge = remove_edges_from = frozen_error
    clear = clear_edges = update = frozen_error

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the arrays and the table; views are made again when asked for."""
        kept = {name: value for name, value in self.__dict__.items() if name in self._state}
        return _restored, (type(self), kept)

    _state: tuple[str, ...] = ()
    names: Names
    layout: Layout
    __networkx_cache__: dict[Any, Any]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.names.labels)

    def __len__(self) -> int:
        return len(self.names.labels)

    def __contains__(self, label: object) -> bool:
        try:
            return self.names.find(label) >= 0
        except TypeError:
            return False

    has_node = __contains__

    def number_of_nodes(self) -> int:
        """Number of nodes, those without ties included."""
        return len(self)

    order = number_of_nodes


def _restored(kind: type[Any], state: dict[str, Any]) -> Any:
    return kind.of_arrays(**state)


class TieGraph(_Frozen, nx.Graph):  # type: ignore[misc]
    """Undirected weighted graph of customers in compressed sparse rows: a read-only `networkx.Graph`.

    Row i is ``indices[indptr[i]:indptr[i + 1]]``, ascending; every tie stands in two rows. Make one with
    `from_ties`, `tie_graph` or `as_tie_graph`. 34 bytes per tie (17 per entry) and 8 per node beside the tie table;
    read through networkx it holds no more than that, but for a dict of labels (about 100 bytes per node) once nodes
    are looked up by label.

    For networkx it is a frozen graph: nodes are the labels, an edge's attributes are ``weight`` (strength) and every
    column of the tie table but the node numbers, instants as ISO text, unknown numbers as NaN; an
    edge has no attribute for a flag that is unknown. ``n_ab`` counts from the end that comes first among the nodes
    to the other; `contacts` is the graph with directions. Copies, subgraphs and what networkx
    makes of it are ordinary networkx graphs.

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
    >>> import networkx as nx, polars as pl
    >>> ties = pl.DataFrame({"node_a": [0, 1], "node_b": [2, 2], "strength": [1.0, 3.0]})
    >>> graph = TieGraph.from_ties(ties, n_nodes=4)
    >>> graph.degrees.tolist(), graph.strengths.tolist(), graph.neighbours(2).tolist()
    ([1, 1, 2, 0], [1.0, 3.0, 4.0, 0.0], [0, 1])
    >>> list(graph.edges(data="weight")), graph[2][0]["strength"], nx.is_frozen(graph)
    ([(0, 2, 1.0), (1, 2, 3.0)], 1.0, True)
    """

    indptr: IntArray
    indices: NodeArray
    weights: FloatArray
    tie_rows: NodeArray
    marks: MarkArray | None
    ties: pl.DataFrame
    labels: Sequence[Hashable] | None
    graph: dict[str, Any]

    _state = ("indptr", "indices", "weights", "tie_rows", "marks", "ties", "labels", "graph")

    def __new__(cls, *args: Any, **attributes: Any) -> Any:
        """Make an ordinary networkx graph, which is what networkx wants of ``graph.__class__()``."""
        return nx.Graph(*args, **attributes)

    @classmethod
    def of_arrays(cls, **state: Any) -> TieGraph:
        """Put a graph together of its attributes; nothing is checked or copied."""
        made: TieGraph = object.__new__(cls)
        names = Names(state["labels"], len(state["indptr"]) - 1)
        made.__dict__.update({"graph": {}, "__networkx_cache__": {}, **state, "names": names})
        facts = _facts(made.ties)
        layout = Layout(names, (made.indptr, made.indices, made.tie_rows), (facts, facts))
        made.__dict__.update({"layout": layout, "_adj": Rows(layout), "_node": Nodes(names)})
        return made

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
        _check_sizes(n_nodes, ties.height, labels)
        ordered = in_tie_order(ties)
        node_a, node_b = (frozen(ordered[name].to_numpy(), np.int32) for name in ("node_a", "node_b"))
        strengths = frozen(ordered["strength"].to_numpy(), np.float64)
        _check_ends(n_nodes, node_a, node_b, strengths)
        indptr, indices, tie_rows = sorted_rows(n_nodes, node_a, node_b)
        marks = None
        if {"n_ab", "n_ba"} <= set(ordered.columns):
            n_ab, n_ba = (frozen(ordered[name].to_numpy(), np.int64) for name in ("n_ab", "n_ba"))
            marks = frozen(row_marks(indptr, indices, tie_rows, n_ab, n_ba), np.uint8)
        return cls.of_arrays(
            indptr=indptr,
            indices=indices,
            weights=frozen(strengths[tie_rows], np.float64),
            tie_rows=tie_rows,
            marks=marks,
            ties=ordered,
            labels=labels,
        )

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
        return frozen(entry_sums(self.indptr, self.weights), np.float64)

    @property
    def node_labels(self) -> Sequence[Hashable]:
        """Label of each node; its number if it was given none."""
        return self.names.labels

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

    def labelled(self, labels: Sequence[Hashable]) -> TieGraph:
        """Give the same graph, sharing its arrays, with other names for its nodes."""
        _check_sizes(self.n_nodes, self.n_ties, labels)
        kept = {name: getattr(self, name) for name in self._state}
        return TieGraph.of_arrays(**kept | {"labels": labels, "graph": dict(self.graph)})

    @cached_property
    def _contacts(self) -> ContactGraph | None:
        return None if self.marks is None else ContactGraph.from_tie_graph(self)

    def contacts(self) -> ContactGraph:
        """Give who contacted whom: the directed graph of the same ties, made once.

        Raises
        ------
        UsageError
            The ties carry no direction (no columns ``n_ab`` and ``n_ba``).
        """
        if self._contacts is None:
            raise _no_direction()
        return self._contacts

    @cached_property
    def edges(self) -> TieEdgeView:
        """Edges as networkx lists them: by first end, then by second."""
        return TieEdgeView(self)

    @cached_property
    def degree(self) -> TieDegreeView:
        """Degrees as networkx gives them."""
        return TieDegreeView(self)

    def number_of_edges(self, u: Any = None, v: Any = None) -> int:
        """Number of ties, or of ties between two nodes."""
        return self.n_ties if u is None else int(self.has_edge(u, v))

    def copy(self, as_view: bool = False) -> Any:
        """Give an ordinary networkx graph: `to_networkx`, or a frozen view."""
        return nx.graphviews.generic_graph_view(self) if as_view else self.to_networkx()

    def to_networkx(self) -> nx.Graph[Hashable]:
        """Copy into an ordinary networkx graph: nodes by label, strength as ``weight``, all tie columns on the edges.

        Goes through Python objects, about 1 kB per tie: for ego networks and for code that writes to its graph.
        """
        copied: nx.Graph[Hashable] = nx.Graph()
        _fill(copied, self, _facts(self.ties))
        return copied


class ContactGraph(_Frozen, nx.DiGraph):  # type: ignore[misc]
    """Who contacted whom: a read-only `networkx.DiGraph` in compressed sparse rows.

    An edge u -> v says that u contacted v at least once; its ``weight`` is how often. Made by `TieGraph.contacts`.
    8 bytes per edge and direction of reading beside the tie table, which it shares.

    For a column ``x_ab`` of the tie table and its mirror ``x_ba``, an edge u -> v has ``x_out`` (from u to v) and
    ``x_in`` (from v to u); other columns are the tie's, ``strength`` among them.

    Attributes
    ----------
    indptr, indices, tie_rows
        int64, int32, int32: out-rows, ascending; ``tie_rows`` is the row of ``ties``.
    in_indptr, in_indices, in_tie_rows
        The same for those who contacted a node.
    ties, labels
        As in `TieGraph`.

    Examples
    --------
    >>> import polars as pl
    >>> columns = {"node_a": [0, 1], "node_b": [1, 2], "strength": [1.0, 2.0], "n_ab": [3, 0], "n_ba": [1, 4]}
    >>> graph = TieGraph.from_ties(pl.DataFrame(columns), 3).contacts()
    >>> list(graph.edges(data="weight")), graph[2][1]["n_in"]
    ([(0, 1, 3), (1, 0, 1), (2, 1, 4)], 0)
    """

    indptr: IntArray
    indices: NodeArray
    tie_rows: NodeArray
    in_indptr: IntArray
    in_indices: NodeArray
    in_tie_rows: NodeArray
    ties: pl.DataFrame
    labels: Sequence[Hashable] | None
    graph: dict[str, Any]

    _state = (
        "indptr",
        "indices",
        "tie_rows",
        "in_indptr",
        "in_indices",
        "in_tie_rows",
        "ties",
        "labels",
        "graph",
    )

    def __new__(cls, *args: Any, **attributes: Any) -> Any:
        """Make an ordinary networkx graph, which is what networkx wants of ``graph.__class__()``."""
        return nx.DiGraph(*args, **attributes)

    @classmethod
    def of_arrays(cls, **state: Any) -> ContactGraph:
        """Put a graph together of its attributes; nothing is checked or copied."""
        made: ContactGraph = object.__new__(cls)
        names = Names(state["labels"], len(state["indptr"]) - 1)
        made.__dict__.update({"graph": {}, "__networkx_cache__": {}, **state, "names": names})
        columns = _directed_facts(made.ties)
        out = Layout(names, (made.indptr, made.indices, made.tie_rows), columns)
        into = Layout(names, (made.in_indptr, made.in_indices, made.in_tie_rows), columns, is_inward=True)
        succ = Rows(out)
        made.__dict__.update(
            {"layout": out, "_adj": succ, "_succ": succ, "_pred": Rows(into), "_node": Nodes(names)}
        )
        return made

    @classmethod
    def from_tie_graph(cls, graph: TieGraph) -> ContactGraph:
        """Keep the entries of the rows along which somebody was contacted. O(n + m)."""
        marks = graph.marks
        if marks is None:
            raise _no_direction()
        rows = np.repeat(np.arange(graph.n_nodes), graph.degrees)
        parts: dict[str, Any] = {}
        for prefix, bit in (("", 1), ("in_", 2)):
            is_kept = (marks & bit) > 0
            counts = np.bincount(rows[is_kept], minlength=graph.n_nodes)
            parts[f"{prefix}indptr"] = frozen(np.concatenate([[0], np.cumsum(counts)]), np.int64)
            parts[f"{prefix}indices"] = frozen(graph.indices[is_kept], np.int32)
            parts[f"{prefix}tie_rows"] = frozen(graph.tie_rows[is_kept], np.int32)
        return cls.of_arrays(**parts, ties=graph.ties, labels=graph.labels)

    @property
    def n_nodes(self) -> int:
        """Number of nodes, those without contacts included."""
        return len(self.indptr) - 1

    @property
    def node_labels(self) -> Sequence[Hashable]:
        """Label of each node; its number if it was given none."""
        return self.names.labels

    @cached_property
    def edges(self) -> ContactEdgeView:
        """Edges as networkx lists them: by who contacts, then by who is contacted."""
        return ContactEdgeView(self)

    @property
    def out_edges(self) -> ContactEdgeView:
        """The same as `edges`."""
        return self.edges

    @cached_property
    def degree(self) -> ContactDegreeView:
        """In-degree plus out-degree as networkx gives it."""
        return ContactDegreeView(self)

    @cached_property
    def in_degree(self) -> ContactInDegreeView:
        """Number of nodes that contacted each node."""
        return ContactInDegreeView(self)

    @cached_property
    def out_degree(self) -> ContactOutDegreeView:
        """Number of nodes that each node contacted."""
        return ContactOutDegreeView(self)

    def number_of_edges(self, u: Any = None, v: Any = None) -> int:
        """Number of edges, or of edges from one node to another."""
        return len(self.indices) if u is None else int(self.has_edge(u, v))

    def copy(self, as_view: bool = False) -> Any:
        """Give an ordinary networkx graph: `to_networkx`, or a frozen view."""
        return nx.graphviews.generic_graph_view(self) if as_view else self.to_networkx()

    def to_networkx(self) -> nx.DiGraph[Hashable]:
        """Copy into an ordinary networkx graph, about 1 kB per edge."""
        copied: nx.DiGraph[Hashable] = nx.DiGraph()
        copied.graph.update(self.graph)
        copied.add_nodes_from(self)
        copied.add_edges_from((u, v, facts.copy()) for u, v, facts in self.edges(data=True))
        return copied


def _no_direction() -> UsageError:
    expected = "ties with contacts each way (n_ab, n_ba)"
    remedy = "Give tie_graph both columns, or a directed graph."
    return UsageError(Fault("no_direction", "contacts", expected, "ties without direction", remedy))


def _fill(copied: nx.Graph[Hashable], graph: TieGraph, columns: Columns) -> None:
    copied.graph.update(graph.graph)
    copied.add_nodes_from(graph)
    labels = graph.node_labels
    ends = zip(graph.ties["node_a"].to_list(), graph.ties["node_b"].to_list(), strict=True)
    rows = zip(ends, *(plain_values(column, column) for column in columns.values()), strict=True)
    named = ((labels[a], labels[b], zip(columns, values, strict=True)) for (a, b), *values in rows)
    if columns.gaps:
        copied.add_edges_from(
            (a, b, {name: value for name, value in facts if value is not None}) for a, b, facts in named
        )
    else:
        copied.add_edges_from((a, b, dict(facts)) for a, b, facts in named)


def _facts(ties: pl.DataFrame) -> Columns:
    """Edge attributes of the undirected graph: every column but the ends, and the strength as ``weight``."""
    shown = ties.select(pl.exclude("node_a", "node_b", "weight"), weight=pl.col("strength"))
    return Columns({column.name: column for column in shown.get_columns()})


def _directed_facts(ties: pl.DataFrame) -> tuple[Columns, Columns]:
    """Edge attributes seen from the first end of a tie, and from the second."""
    columns = _facts(ties)
    turned = [name.removesuffix("_ab") for name in columns if name.endswith("_ab")]
    mirrored = {name for name in turned if f"{name}_ba" in columns}
    plain = {
        name: column
        for name, column in columns.items()
        if name != "weight" and name.removesuffix("_ab").removesuffix("_ba") not in mirrored
    }
    sides = []
    for out, into in (("_ab", "_ba"), ("_ba", "_ab")):
        seen = {f"{name}_out": columns[name + out] for name in mirrored}
        seen |= {f"{name}_in": columns[name + into] for name in mirrored}
        sides.append(Columns({**plain, **dict(sorted(seen.items())), "weight": columns["n" + out]}))
    return sides[0], sides[1]


def _check_sizes(n_nodes: int, n_ties: int, labels: Sequence[Hashable] | None) -> None:
    if max(n_nodes, n_ties) > _MAX_NODES:
        msg = f"ties: expected at most {_MAX_NODES} nodes and ties, found {n_nodes} and {n_ties}"
        raise ValueError(msg)
    if labels is not None and len(labels) != n_nodes:
        msg = f"labels: expected {n_nodes}, found {len(labels)}"
        raise ValueError(msg)


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
