"""The object that networkx loads for ``backend="churnrisk"`` and for our own graphs.

It decides what runs where: covered functions on sparse rows, everything else by networkx. It knows no measure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from churnrisk.networkx_info import BACKEND, MEASURES

from ..graph import ContactGraph, TieGraph
from . import centrality, clusters, communities, matrices, parts, similarity
from .ordinary import answered_by_networkx, dispatchable
from .reading import OneNode, Reading, Unreadable, reading_of

FEWEST_EDGES = 2_000
"""Ordinary graphs below this many edges are not worth converting unasked; networkx needs milliseconds for them."""

ON_ROWS: dict[str, Callable[..., Any]] = {
    name: getattr(room, name)
    for room in (centrality, clusters, communities, matrices, parts, similarity)
    for name in room.__all__
}
"""networkx function -> the same on a `Reading`; raises `Unreadable` for what only networkx can answer."""


def graphs_among(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
    """List the graphs that a call hands to a networkx function."""
    found: list[Any] = []
    wanted = dispatchable(name)
    for graph_name, position in wanted.graphs.items():
        value = args[position] if position < len(args) else kwargs.get(graph_name)
        found += value if graph_name in wanted.list_graphs and isinstance(value, list) else [value]
    return [graph for graph in found if graph is not None]


class Backend:
    """What networkx asks of a backend; the functions are made when they are asked for."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Give the function of that name: compiled where we have one, networkx's own on an ordinary copy otherwise."""
        if name in ON_ROWS:
            return partial(self._on_rows, name)
        algorithm = dispatchable(name)
        if algorithm is None or not algorithm.graphs:
            raise AttributeError(name)
        return partial(_by_networkx, name)

    @staticmethod
    def _on_rows(name: str, *args: Any, **kwargs: Any) -> Any:
        graph, rest, keywords = _split(args, kwargs)
        try:
            return ON_ROWS[name](reading_of(graph), *rest, **keywords)
        except Unreadable as why:
            return answered_by_networkx(name, args, kwargs, in_place=isinstance(why, OneNode))

    @staticmethod
    def convert_from_nx(graph: Any, **_wanted: Any) -> Reading:
        """Read an ordinary graph; its attributes are read when a measure asks for them."""
        return reading_of(graph)

    @staticmethod
    def convert_to_nx(result: Any, **_wanted: Any) -> Any:
        """Give an ordinary graph for one of ours; other results are ordinary already."""
        if isinstance(result, Reading):
            return result.graph
        return result.to_networkx() if isinstance(result, TieGraph | ContactGraph) else result

    @staticmethod
    def can_run(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool | str:
        """Say whether a call can be answered: with one of our graphs always, with ordinary ones if it is covered."""
        graphs = graphs_among(name, args, kwargs)
        if any(isinstance(graph, TieGraph | ContactGraph) for graph in graphs):
            return True
        if name not in MEASURES or not graphs:
            return "not covered: networkx's own function would run"
        measure, (graph, *_) = MEASURES[name], graphs
        if not (hasattr(graph, "is_directed") and hasattr(graph, "adjacency")):
            return "no networkx graph"
        if graph.is_directed() and not measure.is_directed:
            return "not covered for directed graphs"
        if graph.is_multigraph() and not measure.is_multi:
            return "not covered for parallel edges"
        return True

    @staticmethod
    def should_run(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool | str:
        """Say whether converting ordinary graphs is worth it."""
        graphs = graphs_among(name, args, kwargs)
        if graphs and graphs[0].number_of_edges() < FEWEST_EDGES:
            return f"fewer than {FEWEST_EDGES} edges: networkx is done before they are read"
        return True


def _split(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    if args:
        return args[0], args[1:], dict(kwargs)
    keywords = dict(kwargs)
    return keywords.pop("G"), (), keywords


def _by_networkx(name: str, *args: Any, **kwargs: Any) -> Any:
    return answered_by_networkx(name, args, kwargs)


backend = Backend()

__all__ = ["BACKEND", "Backend", "backend"]
