"""Each measure of a graph against networkx's own code: one function per measure, which raises AssertionError."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt

from features.ties import kernels
from features.ties.components import component_labels, hop_counts, strong_component_labels
from features.ties.cores import core_numbers
from features.ties.kernels import frozen
from features.ties.ranks import converged_pagerank, eigenvector_centrality, pagerank
from features.ties.similarity import pair_scores
from features.ties.triangles import (
    clustering,
    common_neighbours,
    directed_clustering,
    transitivity,
    triangle_counts,
)

Rows = tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float64]]
EXACT = 1e-13


def rows_of(graph: nx.Graph[int]) -> Rows:
    """Rows of the nodes 0 .. n - 1 (outgoing edges of a directed graph), one node after the other."""
    near = [sorted(graph[node]) for node in range(len(graph))]
    indptr = np.cumsum([0, *(len(row) for row in near)])
    weights = [graph[node][other].get("weight", 1.0) for node, row in enumerate(near) for other in row]
    return (
        frozen(indptr, np.int64),
        frozen(np.array([other for row in near for other in row]), np.int32),
        frozen(np.array(weights), np.float64),
    )


def check_triangles(graph: nx.Graph[int]) -> None:
    indptr, indices, _ = rows_of(graph)
    assert triangle_counts(indptr, indices).tolist() == in_order(nx.triangles(graph))
    assert transitivity(indptr, indices) == nx.transitivity(graph)


def check_clustering(graph: nx.Graph[int]) -> None:
    indptr, indices, weights = rows_of(graph)
    same(clustering(indptr, indices), in_order(nx.clustering(graph)))
    same(clustering(indptr, indices, weights), in_order(nx.clustering(graph, weight="weight")))


def check_directed_clustering(graph: nx.DiGraph[int]) -> None:
    indptr, indices, weights = rows_of(graph)
    same(directed_clustering(indptr, indices), in_order(nx.clustering(graph)))
    same(directed_clustering(indptr, indices, weights), in_order(nx.clustering(graph, weight="weight")))


def check_cores(graph: nx.Graph[int]) -> None:
    indptr, indices, _ = rows_of(graph)
    assert core_numbers(indptr, indices).tolist() == in_order(nx.core_number(graph))


def check_components(graph: nx.Graph[int]) -> None:
    indptr, indices, _ = rows_of(graph)
    assert component_labels(indptr, indices).tolist() == numbered(nx.connected_components(graph), len(graph))


def check_strong_components(graph: nx.DiGraph[int]) -> None:
    indptr, indices, _ = rows_of(graph)
    expected = numbered(nx.strongly_connected_components(graph), len(graph))
    assert strong_component_labels(indptr, indices).tolist() == expected


def check_hops(graph: nx.Graph[int]) -> None:
    indptr, indices, _ = rows_of(graph)
    for source in list(graph)[:3]:
        hops = nx.single_source_shortest_path_length(graph, source)
        assert hop_counts(indptr, indices, source).tolist() == [
            hops.get(node, -1) for node in range(len(graph))
        ]


def check_pagerank(graph: nx.Graph[int]) -> None:
    """With and without weights, personalised, with sinks of its own, from a first guess; networkx's rule each time."""
    indptr, indices, weights = rows_of(graph)
    n_nodes = len(graph)
    uneven = {node: 1.0 + node % 3 for node in graph}
    for given in ({}, {"alpha": 0.5}, {"personalization": uneven}, {"dangling": uneven}, {"nstart": uneven}):
        ours: dict[str, Any] = {name: array_of(values, n_nodes) for name, values in given.items()}
        for name, entries in ((None, None), ("weight", weights)):
            expected = in_order(nx.pagerank(graph, weight=name, tol=1e-8, max_iter=500, **given))
            for is_symmetric in {False, not graph.is_directed()}:
                found = pagerank(
                    indptr, indices, entries, tol=1e-8, max_iter=500, is_symmetric=is_symmetric, **ours
                )
                same(found, expected)


def check_converged_pagerank(graph: nx.Graph[int]) -> None:
    indptr, indices, weights = rows_of(graph)
    uneven = {node: float(node % 3 == 0) for node in graph}
    for given in ({}, {"alpha": 0.5}, {"personalization": uneven}):
        ours: dict[str, Any] = {name: array_of(values, len(graph)) for name, values in given.items()}
        expected = in_order(nx.pagerank(graph, tol=1e-15, max_iter=1000, **given))
        found = converged_pagerank(indptr, indices, weights, **ours)
        assert np.abs(found - expected).sum() <= 1e-10 + 1e-12
        assert (found >= 0).all()


def check_eigenvector(graph: nx.Graph[int]) -> None:
    indptr, indices, weights = rows_of(graph)
    expected = in_order(nx.eigenvector_centrality(graph, weight="weight", tol=1e-4, max_iter=1000))
    same(eigenvector_centrality(indptr, indices, weights, tol=1e-4, max_iter=1000), expected)


def check_common_neighbours(graph: nx.Graph[int]) -> None:
    """Of the two ends of every tie, which overlap is made of; and the rows that all else is made of."""
    ends = sorted((min(edge), max(edge)) for edge in graph.edges)
    node_a, node_b = (frozen(np.array([edge[end] for edge in ends]), np.int32) for end in (0, 1))
    rows = kernels.sorted_rows(len(graph), node_a, node_b)
    assert [row.tolist() for row in rows[:2]] == [row.tolist() for row in rows_of(graph)[:2]]
    expected = [len(nx.common_neighbors(graph, a, b)) for a, b in ends]
    assert common_neighbours(*rows).tolist() == expected


def check_pair_scores(graph: nx.Graph[int]) -> None:
    indptr, indices, _ = rows_of(graph)
    pairs = [(a, b) for a in graph for b in graph if a != b][:400]
    if not pairs:
        return
    left, right = np.array(pairs).T
    scores = {
        "jaccard": nx.jaccard_coefficient,
        "adamic_adar": nx.adamic_adar_index,
        "resource_allocation": nx.resource_allocation_index,
        "preferential_attachment": nx.preferential_attachment,
    }
    for kind, function in scores.items():
        expected = [score for _, _, score in function(graph, pairs)]
        same(pair_scores(kind, indptr, indices, left, right), expected)  # type: ignore[arg-type]
    common = [len(nx.common_neighbors(graph, a, b)) for a, b in pairs]
    assert pair_scores("common_neighbors", indptr, indices, left, right).tolist() == common


CHECKS: Mapping[str, Callable[[nx.Graph[int]], None]] = {
    "triangles": check_triangles,
    "clustering": check_clustering,
    "cores": check_cores,
    "components": check_components,
    "hops": check_hops,
    "pagerank": check_pagerank,
    "converged_pagerank": check_converged_pagerank,
    "eigenvector": check_eigenvector,
    "common_neighbours": check_common_neighbours,
    "pair_scores": check_pair_scores,
}
DIRECTED_CHECKS: Mapping[str, Callable[[nx.DiGraph[int]], None]] = {
    "directed_clustering": check_directed_clustering,
    "strong_components": check_strong_components,
    "pagerank": check_pagerank,
    "hops": check_hops,
}


def graphs() -> Iterator[nx.Graph[int]]:
    """Graphs with hubs, cliques, bridges, loose ends and loners, weights attached."""
    yield weighted(nx.barabasi_albert_graph(120, 5, seed=1))
    yield weighted(nx.gnp_random_graph(60, 0.06, seed=2))
    yield weighted(nx.disjoint_union(nx.barbell_graph(6, 2), nx.path_graph(5)))
    yield weighted(nx.disjoint_union(nx.star_graph(30), nx.empty_graph(3)))
    yield weighted(nx.convert_node_labels_to_integers(nx.windmill_graph(7, 4), ordering="increasing degree"))


def directed_graphs() -> Iterator[nx.DiGraph[int]]:
    """Graphs with ties one way and both ways, loops, sinks and loners."""
    for seed, share in enumerate((0.02, 0.05, 0.15)):
        graph = nx.gnp_random_graph(50, share, seed=seed, directed=True)
        yield weighted(graph)
    chain = nx.DiGraph([(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 3), (4, 5), (0, 0), (4, 4)])
    chain.add_node(6)
    yield weighted(chain)


def weighted(graph: nx.Graph[int]) -> nx.Graph[int]:
    """Give edges weights between 0 and 4 (some 0) that no two ways of adding up confuse; nodes 0 .. n - 1 in order."""
    ordered = graph.__class__()
    ordered.add_nodes_from(range(len(graph)))
    ordered.add_edges_from(
        (a, b, {"weight": (7 * a + 13 * b + a * b) % 41 / 10}) for a, b in sorted(graph.edges)
    )
    return ordered


def in_order(values: Mapping[int, float]) -> list[float]:
    return [values[node] for node in range(len(values))]


def array_of(values: object, n_nodes: int) -> object:
    return np.array([values[node] for node in range(n_nodes)]) if isinstance(values, dict) else values


def same(found: npt.NDArray[np.float64], expected: list[float]) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=EXACT * max(1.0, *np.abs(expected), 1.0))


def numbered(parts: object, n_nodes: int) -> list[int]:
    """Label by part, parts numbered by smallest member."""
    labels = [0] * n_nodes
    for number, members in enumerate(sorted(parts, key=min)):  # type: ignore[call-overload]
        for member in members:
            labels[member] = number
    return labels
