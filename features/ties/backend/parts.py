"""networkx's connected parts and hop counts on sparse rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import networkx as nx
import numpy as np

from .. import components
from ..kernels import NodeArray
from .reading import Reading

__all__ = [
    "connected_components",
    "is_connected",
    "is_strongly_connected",
    "is_weakly_connected",
    "node_connected_component",
    "number_connected_components",
    "number_strongly_connected_components",
    "number_weakly_connected_components",
    "single_source_shortest_path_length",
    "strongly_connected_components",
    "weakly_connected_components",
]


def connected_components(G: Reading) -> Iterator[set[Any]]:
    """Sets of the nodes that ties connect, by first node."""
    return iter(groups(G, _weak(G)))


def number_connected_components(G: Reading) -> int:
    """Number of connected parts."""
    return _n_parts(_weak(G))


def is_connected(G: Reading) -> bool:
    """Whether every node can be reached."""
    return _is_one(G, _weak(G))


def node_connected_component(G: Reading, n: Any) -> set[Any]:
    """Set of the nodes that ties connect with one."""
    labels = _weak(G)
    return set(G.names.named(np.flatnonzero(labels == labels[G.names.number(n)])))


def weakly_connected_components(G: Reading) -> Iterator[set[Any]]:
    """Sets of the nodes that edges connect in whichever direction, by first node."""
    return iter(groups(G, _weak(G)))


def number_weakly_connected_components(G: Reading) -> int:
    """Number of weakly connected parts."""
    return _n_parts(_weak(G))


def is_weakly_connected(G: Reading) -> bool:
    """Whether there is one weakly connected part."""
    return _is_one(G, _weak(G))


def strongly_connected_components(G: Reading) -> Iterator[set[Any]]:
    """Sets of the nodes that reach each other, by first node."""
    return iter(groups(G, _strong(G)))


def number_strongly_connected_components(G: Reading) -> int:
    """Number of strongly connected parts."""
    return _n_parts(_strong(G))


def is_strongly_connected(G: Reading) -> bool:
    """Whether every node reaches every other."""
    return _is_one(G, _strong(G))


def single_source_shortest_path_length(
    G: Reading, source: Any, cutoff: float | None = None
) -> dict[Any, int]:
    """Fewest steps from one node to each that can be reached, nearest first."""
    if source not in G.graph:
        msg = f"Source {source} is not in G"
        raise nx.NodeNotFound(msg)
    hops = components.hop_counts(G.indptr, G.indices, G.names.number(source))
    is_near = (hops >= 0) & (hops <= (np.inf if cutoff is None else max(cutoff, 0)))
    nodes = np.flatnonzero(is_near)
    nodes = nodes[np.argsort(hops[nodes], kind="stable")]
    return dict(zip(G.names.named(nodes), hops[nodes].tolist(), strict=True))


def groups(G: Reading, labels: NodeArray) -> list[set[Any]]:
    """Give the nodes of each number as a set."""
    if G.n_nodes == 0:
        return []
    order = np.argsort(labels, kind="stable")
    ends = np.cumsum(np.bincount(labels)).tolist()
    members = G.names.named(order)
    return [set(members[start:end]) for start, end in zip([0, *ends[:-1]], ends, strict=True) if end > start]


def _weak(G: Reading) -> NodeArray:
    return components.component_labels(*G.both_ways)


def _strong(G: Reading) -> NodeArray:
    return components.strong_component_labels(G.indptr, G.indices)


def _n_parts(labels: NodeArray) -> int:
    return int(labels.max(initial=-1)) + 1


def _is_one(G: Reading, labels: NodeArray) -> bool:
    if G.n_nodes == 0:
        msg = "Connectivity is undefined for the null graph."
        raise nx.NetworkXPointlessConcept(msg)
    return _n_parts(labels) == 1
