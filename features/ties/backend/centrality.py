"""networkx's centralities of nodes on sparse rows: degrees, PageRank, eigenvector, Katz, neighbours' degrees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from .. import ranks
from ..kernels import FloatArray, frozen
from ..rows import neighbour_sums
from .reading import OneNode, Reading, Unreadable

__all__ = [
    "average_neighbor_degree",
    "degree_centrality",
    "eigenvector_centrality",
    "in_degree_centrality",
    "katz_centrality",
    "out_degree_centrality",
    "overall_reciprocity",
    "pagerank",
]


def pagerank(
    G: Reading,
    alpha: float = 0.85,
    personalization: Mapping[Any, float] | None = None,
    max_iter: int = 100,
    tol: float = 1.0e-6,
    nstart: Mapping[Any, float] | None = None,
    weight: Any = "weight",
    dangling: Mapping[Any, float] | None = None,
) -> dict[Any, float]:
    """PageRank of each node by networkx's stopping rule."""
    if G.n_nodes == 0:
        return {}
    given = {
        "personalization": _per_node(G, personalization),
        "dangling": _per_node(G, dangling),
        "nstart": _per_node(G, nstart),
    }
    if any(given[name] is not None and _is_odd(given[name]) for name in ("dangling", "nstart")):
        raise Unreadable
    try:
        found = ranks.pagerank(
            G.indptr,
            G.indices,
            G.weights(weight),
            alpha=alpha,
            max_iter=max_iter,
            tol=tol,
            is_symmetric=not G.is_directed,
            **given,
        )
    except ranks.NotConverged as error:
        raise nx.PowerIterationFailedConvergence(max_iter) from error
    return G.names.dict_of(found)


def eigenvector_centrality(
    G: Reading,
    max_iter: int = 100,
    tol: float = 1.0e-6,
    nstart: Mapping[Any, float] | None = None,
    weight: Any = None,
) -> dict[Any, float]:
    """Eigenvector centrality of each node by networkx's stopping rule."""
    if G.n_nodes == 0:
        msg = "cannot compute centrality for the null graph"
        raise nx.NetworkXPointlessConcept(msg)
    start = _complete(G, nstart)
    if start is not None and not start.any():
        msg = "initial vector cannot have all zero values"
        raise nx.NetworkXError(msg)
    try:
        found = ranks.eigenvector_centrality(
            G.indptr,
            G.indices,
            G.weights(weight) if weight else None,
            nstart=start,
            max_iter=max_iter,
            tol=tol,
            is_symmetric=not G.is_directed,
        )
    except ranks.NotConverged as error:
        raise nx.PowerIterationFailedConvergence(max_iter) from error
    return G.names.dict_of(found)


def katz_centrality(
    G: Reading,
    alpha: float = 0.1,
    beta: Any = 1.0,
    max_iter: int = 1000,
    tol: float = 1.0e-6,
    nstart: Mapping[Any, float] | None = None,
    normalized: bool = True,
    weight: Any = None,
) -> dict[Any, float]:
    """Katz centrality of each node by networkx's stopping rule."""
    if G.n_nodes == 0:
        return {}
    start = _complete(G, nstart)
    base = _bases(G, beta)
    indptr, indices, origins = G.inward
    weights = G.weights(weight)
    given = frozen(np.zeros(0) if weights is None else weights[origins], np.float64)
    values = np.zeros(G.n_nodes) if start is None else start
    for _ in range(max_iter):
        last = values
        values = alpha * neighbour_sums((indptr, indices, given), last) + base
        if np.abs(values - last).sum() < G.n_nodes * tol:
            length = float(np.sqrt(np.square(values).sum())) or 1.0
            return G.names.dict_of(values / length if normalized else values)
    raise nx.PowerIterationFailedConvergence(max_iter)


def degree_centrality(G: Reading) -> dict[Any, float]:
    """Degree of each node over the largest possible one."""
    return _share_of_others(G, G.out_degrees() + G.in_degrees() if G.is_directed else G.out_degrees())


def in_degree_centrality(G: Reading) -> dict[Any, float]:
    """In-degree of each node over the largest possible one."""
    return _share_of_others(G, G.in_degrees())


def out_degree_centrality(G: Reading) -> dict[Any, float]:
    """Out-degree of each node over the largest possible one."""
    return _share_of_others(G, G.out_degrees())


def average_neighbor_degree(
    G: Reading, source: str = "out", target: str = "out", nodes: Any = None, weight: Any = None
) -> Any:
    """Mean degree of each node's neighbours."""
    sides = {"in", "out", "in+out"} if G.is_directed else {"out"}
    if nodes in G.graph:
        raise OneNode
    if G.is_multigraph or not {source, target} <= sides:
        raise Unreadable
    targets = frozen(_side_degrees(G, target, None), np.float64)
    weights = G.weights(weight)
    totals = np.zeros(G.n_nodes)
    if "out" in source:
        given = frozen(np.zeros(0) if weights is None else weights, np.float64)
        totals = totals + neighbour_sums((G.indptr, G.indices, given), targets)
    if "in" in source:
        indptr, indices, origins = G.inward
        given = frozen(np.zeros(0) if weights is None else weights[origins], np.float64)
        totals = totals + neighbour_sums((indptr, indices, given), targets)
    whole = _side_degrees(G, source, weight)
    found = np.divide(totals, whole, out=np.zeros(G.n_nodes), where=whole != 0)
    everybody = G.names.dict_of(found)
    return everybody if nodes is None else {node: everybody[node] for node in G.graph.nbunch_iter(nodes)}


def overall_reciprocity(G: Reading) -> float:
    """Share of edges that are answered by one the other way."""
    if not G.is_directed:
        raise Unreadable
    n_edges = len(G.indices)
    if n_edges == 0:
        msg = "Not defined for empty graphs"
        raise nx.NetworkXError(msg)
    ends = G.rows.astype(np.int64), G.indices.astype(np.int64)
    ahead = ends[0] < ends[1]
    behind = ends[0] > ends[1]
    there = ends[0][ahead] * G.n_nodes + ends[1][ahead]
    back = ends[1][behind] * G.n_nodes + ends[0][behind]
    return 2 * len(np.intersect1d(there, back, assume_unique=True)) / n_edges


def _side_degrees(G: Reading, side: str, weight: Any) -> NDArray[Any]:
    if side == "in+out":
        both: NDArray[Any] = G.in_degrees(weight) + G.out_degrees(weight)
        return both
    return G.in_degrees(weight) if side == "in" else G.out_degrees(weight)


def _share_of_others(G: Reading, degrees: NDArray[Any]) -> dict[Any, Any]:
    if G.n_nodes <= 1:
        return dict.fromkeys(G.names.labels, 1)
    return G.names.dict_of(degrees * (1.0 / (G.n_nodes - 1.0)))


def _per_node(G: Reading, given: Mapping[Any, float] | None) -> FloatArray | None:
    """One value per node, 0 for those not named."""
    if given is None:
        return None
    values = np.zeros(G.n_nodes)
    for label, value in given.items():
        node = G.names.find(label)
        if node >= 0:
            values[node] = value
    return values


def _is_odd(values: FloatArray | None) -> bool:
    """Values that networkx would turn into undefined ones: it answers then, with its warnings."""
    return values is not None and not (np.isfinite(values).all() and values.sum() != 0)


def _complete(G: Reading, given: Mapping[Any, float] | None) -> FloatArray | None:
    if given is None:
        return None
    if len(given) != G.n_nodes:
        raise Unreadable
    try:
        return np.array([given[label] for label in G.names.labels], np.float64)
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable from error


def _bases(G: Reading, beta: Any) -> FloatArray:
    try:
        return np.full(G.n_nodes, float(beta))
    except (TypeError, ValueError, AttributeError) as error:
        if set(beta) != set(G.names.labels):
            msg = "beta dictionary must have a value for every node"
            raise nx.NetworkXError(msg) from error
        return np.array([beta[label] for label in G.names.labels], np.float64)
