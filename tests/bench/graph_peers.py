"""What networkx, igraph and networkit take for the measures of tests.bench.graph_ours, each in a process of its own.

igraph and networkit are installed beside the project, never in it (``make .venv-peers``); nothing of the project is
imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
import numpy.typing as npt

Edges = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], int]


def networkx(folder: str) -> dict[str, Any]:
    import networkx as nx

    node_a, node_b, n_nodes = _edges(folder)
    seconds: dict[str, list[float]] = {}

    def built() -> Any:
        graph = nx.Graph()
        graph.add_nodes_from(range(n_nodes))
        graph.add_edges_from(zip(node_a.tolist(), node_b.tolist(), strict=True))
        return graph

    graph = _once(seconds, "build", built)
    calls: Mapping[str, Callable[[], Any]] = {
        "strength": lambda: dict(graph.degree(weight="weight")),
        "triangles": lambda: nx.triangles(graph),
        "clustering": lambda: nx.clustering(graph),
        "core": lambda: nx.core_number(graph),
        "components": lambda: list(nx.connected_components(graph)),
        "pagerank": lambda: nx.pagerank(graph),
    }
    for name, call in calls.items():
        _once(seconds, name, call)
    return {"seconds": seconds, "quality": {}}


def igraph(folder: str, with_louvain: bool) -> dict[str, Any]:
    import igraph as ig

    node_a, node_b, n_nodes = _edges(folder)
    strength = np.load(Path(folder) / "strength.npy")
    start = np.load(Path(folder) / "start.npy")
    seconds: dict[str, list[float]] = {}
    ends = np.column_stack([node_a, node_b])
    graph = _once(seconds, "build", lambda: ig.Graph(n=n_nodes, edges=ends))
    graph.es["weight"] = strength
    calls: Mapping[str, Callable[[], Any]] = {
        "strength": lambda: graph.strength(weights="weight"),
        "clustering": lambda: graph.transitivity_local_undirected(mode="zero"),
        "clustering, weighted": lambda: graph.transitivity_local_undirected(mode="zero", weights="weight"),
        "core": graph.coreness,
        "components": graph.connected_components,
        "pagerank 1e-10": graph.pagerank,
        "overlap": lambda: graph.similarity_jaccard(pairs=ends.tolist()),
    }
    for name, call in calls.items():
        _once(seconds, name, call)
    ranks = _once(seconds, "pagerank 1e-10, personalised", lambda: graph.personalized_pagerank(reset=start))
    np.save(Path(folder) / "ranks_igraph.npy", ranks)
    parts = {}
    if with_louvain:
        parts["Louvain"] = _once(seconds, "Louvain", graph.community_multilevel)
    parts["Leiden"] = _once(seconds, "Leiden", lambda: graph.community_leiden("modularity", n_iterations=2))
    return {"seconds": seconds, "quality": {name: found.modularity for name, found in parts.items()}}


def networkit(folder: str) -> dict[str, Any]:
    import networkit as nk

    node_a, node_b, n_nodes = _edges(folder)
    strength = np.load(Path(folder) / "strength.npy")
    ends = node_a.astype(np.uint64), node_b.astype(np.uint64)
    seconds: dict[str, list[float]] = {}
    graph = _once(seconds, "build", lambda: nk.GraphFromCoo(ends, n=n_nodes))
    graph.indexEdges()
    weighted = nk.GraphFromCoo((strength, ends), n=n_nodes, weighted=True)

    def to_1e_10() -> Any:
        ranks = nk.centrality.PageRank(graph, 0.85, 1e-10)
        ranks.norm = nk.centrality.Norm.L1_NORM
        return ranks.run().scores()

    calls: Mapping[str, Callable[[], Any]] = {
        "strength": lambda: [weighted.weightedDegree(node) for node in range(n_nodes)],
        "triangles": lambda: nk.sparsification.TriangleEdgeScore(graph).run().scores(),
        "clustering": lambda: nk.centrality.LocalClusteringCoefficient(graph, True).run().scores(),
        "core": lambda: nk.centrality.CoreDecomposition(graph).run().scores(),
        "components": lambda: nk.components.ConnectedComponents(graph).run().getPartition(),
        "pagerank 1e-10": to_1e_10,
        "overlap": lambda: nk.sparsification.TriangleEdgeScore(graph).run().scores(),
    }
    for name, call in calls.items():
        _once(seconds, name, call)
    quality = {}
    methods = {
        "Louvain": nk.community.PLM(graph),
        "Leiden": nk.community.ParallelLeiden(graph, iterations=2),
    }
    for name, method in methods.items():
        found = _once(seconds, name, method.run).getPartition()
        quality[name] = nk.community.Modularity().getQuality(found, graph)
    return {"seconds": seconds, "quality": quality}


def _edges(folder: str) -> Edges:
    node_a, node_b, start = (np.load(Path(folder) / f"{name}.npy") for name in ("node_a", "node_b", "start"))
    return node_a, node_b, len(start)


def _once(seconds: dict[str, list[float]], name: str, call: Callable[[], Any]) -> Any:
    started, busy = perf_counter(), process_time()
    found = call()
    seconds[name] = [perf_counter() - started, process_time() - busy]
    return found
