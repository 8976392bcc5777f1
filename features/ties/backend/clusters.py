"""networkx's triangles, clustering, transitivity and core numbers on sparse rows."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from .. import cores
from .. import triangles as kernels
from ..kernels import FloatArray
from .reading import OneNode, Reading, Unreadable

__all__ = ["average_clustering", "clustering", "core_number", "transitivity", "triangles"]


def triangles(G: Reading, nodes: Any = None) -> Any:
    """Number of triangles through each node, or through one."""
    _leave_single(G, nodes)
    indptr, indices, _ = G.without_loops()
    return _chosen(G, kernels.triangle_counts(indptr, indices), nodes)


def clustering(G: Reading, nodes: Any = None, weight: Any = None) -> Any:
    """Clustering coefficient of each node, or of one."""
    _leave_single(G, nodes)
    return _chosen(G, _coefficients(G, weight), nodes)


def average_clustering(
    G: Reading,
    nodes: Any = None,
    weight: Any = None,
    count_zeros: bool = True,
) -> float:
    """Mean of the clustering coefficients, of all or of the positive ones."""
    _leave_single(G, nodes)
    values = list(_chosen(G, _coefficients(G, weight), nodes).values())
    if not count_zeros:
        values = [value for value in values if value > 0]
    return float(sum(values) / len(values))


def transitivity(G: Reading) -> float:
    """Share of connected triples that are closed."""
    if G.is_directed or G.is_multigraph:
        raise Unreadable
    indptr, indices, _ = G.without_loops()
    return float(kernels.transitivity(indptr, indices))


def core_number(G: Reading) -> dict[Any, int]:
    """Largest k such that each node is in the k-core."""
    if G.is_loop is not None:
        msg = (
            "Input graph has self loops which is not permitted; "
            "Consider using G.remove_edges_from(nx.selfloop_edges(G))."
        )
        raise nx.NetworkXNotImplemented(msg)
    return G.names.dict_of(cores.core_numbers(*G.both_ways))


def _leave_single(G: Reading, nodes: Any) -> None:
    """Leave a single node to networkx, which looks at its neighbours only; parallel edges too."""
    if nodes in G.graph:
        raise OneNode
    if G.is_multigraph:
        raise Unreadable


def _coefficients(G: Reading, weight: Any) -> FloatArray:
    values = None if weight is None else G.weights(weight)
    if values is not None and not values.any():
        raise Unreadable  # 0 / 0
    indptr, indices, sides = G.without_loops(values)
    find = kernels.directed_clustering if G.is_directed else kernels.clustering
    found = find(indptr, indices, sides)
    if values is not None and sides is not None and sides.any():
        found = found * (
            sides.max() / values.max()
        )  # networkx scales by the largest weight, self-loops included
    return found


def _chosen(G: Reading, values: NDArray[Any], nodes: Any) -> dict[Any, Any]:
    if nodes is None:
        return G.names.dict_of(values)
    labels = list(dict.fromkeys(G.graph.nbunch_iter(nodes)))
    numbers = np.array([G.names.number(label) for label in labels], np.int64)
    return dict(zip(labels, values[numbers].tolist(), strict=True))
