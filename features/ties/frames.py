"""Graphs that others bring: a frame of pairs by customer id, or an ordinary networkx graph.

It knows how to number what others call their nodes, and refuses to know what any measure does with them.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NoReturn, TypeAlias

import networkx as nx
import polars as pl

from churnrisk.errors import Fault, UsageError

from .graph import ContactGraph, TieGraph
from .numbering import numbered_ends
from .strength import is_in_tie_order, sorted_ties

AnyGraph: TypeAlias = "TieGraph | nx.Graph[Hashable]"
"""What functions on ties take: a tie graph, or any networkx graph, which `as_tie_graph` reads."""

_ENDS = ("customer_a", "customer_b")
_CONTACTS = ("n_ab", "n_ba")
_TAKEN = {"node_a", "node_b", "first", "second", "label"}


def tie_graph(frame: object, *, weight: str | None = None) -> TieGraph:
    """Make a graph of a frame of pairs named by customer id, or of another graph.

    Parameters
    ----------
    frame
        Polars, Arrow or pandas frame with ``customer_a``, ``customer_b`` (never null; text or integers) and any other
        columns, of which the numeric ones are kept. Which end stands first does not matter, nor the order of rows; a
        pair that comes several times is one tie and its numbers are added up; a customer paired with itself is not
        tied to anybody by that, but is a node, and so are two without a contact either way (``n_ab`` and ``n_ba`` 0).
        A networkx graph is taken as `as_tie_graph` takes it.
    weight
        Column to take as strength, each value 0 or more. None = ``strength``, else ``weight``, else 1 for each tie.
        Of a graph: the edge attribute, None = ``weight``.

    Returns
    -------
    TieGraph
        Nodes in ascending order of customer id, labelled by it. With columns ``n_ab`` and ``n_ba`` (contacts from
        the first to the second end and back) ties have directions. Of a graph: nodes in its own order.

    Raises
    ------
    UsageError
        It is neither frame nor graph, a column is missing or has a name that is taken, an id is null or neither text
        nor a whole number, or a weight or a number of contacts is no number, negative, null or undefined; one of
        ``n_ab`` and ``n_ba`` is there without the other, or a pair without a contact has a strength above 0.

    Examples
    --------
    >>> import polars as pl
    >>> graph = tie_graph(
    ...     pl.DataFrame({"customer_a": ["c", "a"], "customer_b": ["b", "b"], "weight": [2.0, 1.0]})
    ... )
    >>> list(graph.node_labels), graph.strengths.tolist()
    (['a', 'b', 'c'], [1.0, 3.0, 2.0])
    >>> import networkx as nx
    >>> tie_graph(nx.path_graph(["x", "y", "z"])).degrees.tolist()
    [1, 2, 1]
    """
    if isinstance(frame, nx.Graph):
        return as_tie_graph(frame, weight or "weight")
    pairs = _pair_frame(frame, weight)
    labels, first, second = numbered_ends(*(pairs[end] for end in _ENDS))
    numbered = pairs.drop(_ENDS).with_columns(pl.Series("first", first), pl.Series("second", second))
    return TieGraph.from_ties(_contacted(_merged_ties(numbered)), len(labels), labels.to_list())


def as_tie_graph(graph: AnyGraph, weight: str = "weight") -> TieGraph:
    """Take any graph as a tie graph: a `TieGraph` as it is, its graph of contacts as the ties it came from, any other
    networkx graph (of several edges per pair, frozen, a view) by copying it.

    Parameters
    ----------
    graph
        Directed graphs give directions: each edge u -> v counts as one contact from u to v, whatever its weight, and
        weights of both ways add up to the strength. `TieGraph.contacts` so has a ``weight`` of 1 per edge, not that of
        the edge. Parallel edges add up, self-loops are dropped.
    weight
        Edge attribute to take as strength; an edge without it counts 1.

    Returns
    -------
    TieGraph
        Nodes in the graph's own order, labelled by its nodes.

    Raises
    ------
    UsageError
        It is no graph, or a weight is negative, infinite, undefined or no number.

    Examples
    --------
    >>> import networkx as nx
    >>> as_tie_graph(nx.path_graph(["a", "b", "c"])).degrees.tolist()
    [1, 2, 1]
    """
    if isinstance(graph, TieGraph):
        return graph
    if isinstance(graph, ContactGraph):
        return TieGraph.from_ties(graph.ties, graph.n_nodes, graph.labels)
    if not isinstance(graph, nx.Graph):
        _refuse(
            "not_a_graph",
            "graph",
            "a TieGraph or a networkx graph",
            type(graph).__name__,
            "Pass one of the two.",
        )
    labels = list(graph)
    numbers = {label: node for node, label in enumerate(labels)}
    try:
        edges = [
            (numbers[u], numbers[v], float(value)) for u, v, value in graph.edges(data=weight, default=1)
        ]
    except (TypeError, ValueError, OverflowError):
        _refuse(
            "bad_weight", f"graph, {weight}", "a number on every edge", "something else", "Mend or drop it."
        )
    schema = {"first": pl.Int32, "second": pl.Int32, "strength": pl.Float64}
    numbered = pl.DataFrame(edges, schema=schema, orient="row")
    if graph.is_directed():
        numbered = numbered.with_columns(n_ab=pl.lit(1), n_ba=pl.lit(0))
    _check_strength(numbered, "graph", weight)
    return TieGraph.from_ties(_merged_ties(numbered), len(labels), labels)


def _merged_ties(numbered: pl.DataFrame) -> pl.DataFrame:
    """One row per unordered pair of ``first``, ``second``: other columns added up, n_ab and n_ba turned to fit."""
    is_turned = pl.col("first") > pl.col("second")
    if {"n_ab", "n_ba"} <= set(numbered.columns):
        numbered = numbered.with_columns(
            n_ab=pl.when(is_turned).then("n_ba").otherwise("n_ab"),
            n_ba=pl.when(is_turned).then("n_ab").otherwise("n_ba"),
        )
    ends = [
        pl.min_horizontal("first", "second").alias("node_a"),
        pl.max_horizontal("first", "second").alias("node_b"),
    ]
    ties = numbered.select(*ends, pl.exclude("first", "second"))
    if ties.select((pl.col("node_a") == pl.col("node_b")).any()).item():
        ties = ties.filter(pl.col("node_a") < pl.col("node_b"))
    ordered = sorted_ties(ties)
    if is_in_tie_order(ordered):
        return ordered
    # Sorted by every column before adding up: floating sums then do not depend on the order of rows.
    # The sum of nothing but nulls is unknown, not 0.
    sums = pl.when(pl.all().is_not_null().any()).then(pl.all().sum()).name.keep()
    return ties.sort(pl.all()).group_by("node_a", "node_b", maintain_order=True).agg(sums)


def _contacted(ties: pl.DataFrame) -> pl.DataFrame:
    """Leave out pairs that were in contact neither way; refuse them where a strength says that they were."""
    if not set(_CONTACTS) <= set(ties.columns):
        return ties
    is_silent = pl.all_horizontal(pl.col(_CONTACTS) == 0)
    n_wrong = ties.select((is_silent & (pl.col("strength") > 0)).sum()).item()
    if n_wrong:
        expected, found = "a contact in each pair of some strength", f"{n_wrong} pairs with 0 both ways"
        _refuse("bad_count", "frame, n_ab and n_ba", expected, found, "Drop the pairs, or mend the counts.")
    return ties.filter(~is_silent)


def _pair_frame(given: object, weight: str | None) -> pl.DataFrame:
    frame = _as_polars(given)
    names = tuple(frame.columns)
    for name in (*_ENDS, *([weight] if weight else [])):
        if name not in names:
            _refuse(
                "missing_column", "frame", f"a column {name}", "none", "Rename or add it.", available=names
            )
    for one, other in (_CONTACTS, _CONTACTS[::-1]):
        if one in names and other not in names:
            remedy = f"Add it (0 where there was none), or drop {one}: then ties have no direction."
            _refuse(
                "missing_column", "frame", f"a column {other} beside {one}", "none", remedy, available=names
            )
    taken = sorted(_TAKEN & set(names))
    if taken:
        _refuse("reserved_column", "frame", "other names", ", ".join(taken), "Rename them.")
    frame = _with_ids_of_one_type(frame)
    numeric = tuple(name for name in names if frame.schema[name].is_numeric() and name not in _ENDS)
    chosen = weight or next((name for name in ("strength", "weight") if name in names), None)
    for name in (*([chosen] if chosen else []), *(name for name in _CONTACTS if name in names)):
        if name not in numeric and (frame.height or weight):
            found = str(frame.schema[name])
            _refuse("not_a_number", f"frame, {name}", "numbers", found, "Convert it.", available=numeric)
    chosen = chosen if chosen in numeric else None
    is_counted = set(_CONTACTS) <= set(names)
    unweighed = pl.any_horizontal(pl.col(_CONTACTS) != 0).cast(pl.Float64) if is_counted else pl.lit(1.0)
    strength = pl.col(chosen).cast(pl.Float64) if chosen else unweighed.fill_null(1.0)
    pairs = frame.select(*_ENDS, *numeric).with_columns(strength=strength)
    _check_strength(pairs, "frame", chosen or "strength")
    _check_contacts(pairs)
    return pairs


def _as_polars(frame: object) -> pl.DataFrame:
    if isinstance(frame, pl.LazyFrame | pl.DataFrame):
        return frame.lazy().collect()
    if not hasattr(frame, "__arrow_c_stream__"):
        found = type(frame).__name__
        _refuse("not_a_frame", "frame", "a frame or a networkx graph", found, "Pass one of them.")
    try:
        return pl.DataFrame(frame)
    except (TypeError, ValueError, pl.exceptions.PolarsError):
        expected, found = "one type in each column", "a column of several"
        _refuse("not_a_frame", "frame", expected, found, "Make ids text and figures numbers.")


def _with_ids_of_one_type(frame: pl.DataFrame) -> pl.DataFrame:
    first, second = (frame.schema[end] for end in _ENDS)
    if first != second and first.is_integer() and second.is_integer():
        frame = frame.with_columns(pl.col(_ENDS).cast(pl.Int128))
    elif first != second:
        _refuse("ids_differ", "frame", "both ids of one type", f"{first} and {second}", "Make both text.")
    elif not (first.is_integer() or first in {pl.String, pl.Null}):
        expected = "ids that are text or whole numbers"
        _refuse("ids_of_another_kind", "frame", expected, str(first), "Make both text.")
    if any(frame[end].null_count() for end in _ENDS):
        _refuse("null_id", "frame", "a customer on both ends", "a null id", "Drop those rows.")
    return frame


def _check_strength(pairs: pl.DataFrame, where: str, name: str) -> None:
    strength = pl.col("strength")
    n_wrong = pairs.select((~(strength.is_finite() & (strength >= 0)).fill_null(value=False)).sum()).item()
    if n_wrong:
        found = f"{n_wrong} negative, null or undefined"
        _refuse("bad_weight", f"{where}, {name}", "weights of 0 or more", found, "Mend or drop them.")


def _check_contacts(pairs: pl.DataFrame) -> None:
    if not set(_CONTACTS) <= set(pairs.columns):
        return
    counts = pl.col(_CONTACTS).cast(pl.Float64)
    is_count = pl.all_horizontal(counts.is_between(0, float("inf"), "left") & (counts == counts.floor()))
    n_wrong = pairs.select((~is_count.fill_null(value=False)).sum()).item()
    if n_wrong:
        found = f"{n_wrong} negative, fractional, null or undefined"
        _refuse("bad_count", "frame, n_ab and n_ba", "whole counts of 0 or more", found, "Mend or drop them.")


def _refuse(
    code: str, where: str, expected: str, found: str, remedy: str, *, available: tuple[str, ...] = ()
) -> NoReturn:
    raise UsageError(Fault(code, where, expected, found, remedy, available))
