"""Every covered function on random graphs, ours and ordinary ones: what networkx's own code says, errors included."""

from __future__ import annotations

import inspect
import math
import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnrisk.networkx_info import MEASURES
from features.ties import TieGraph, as_tie_graph

LABELS: tuple[Any, ...] = ("a", 0, "b", (1, 2), 3.5, "c", frozenset({1}), "d", -4, None.__class__, "Ж")
"""Nodes that cannot be sorted."""

CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("adamic_adar_index", {}),
    ("adamic_adar_index", {"ebunch": [("a", 0), ("b", "a")]}),
    ("average_clustering", {}),
    ("average_clustering", {"weight": "weight", "count_zeros": False}),
    ("average_clustering", {"nodes": ["a", 0]}),
    ("average_neighbor_degree", {}),
    ("average_neighbor_degree", {"weight": "weight", "nodes": ["a", 0]}),
    ("average_neighbor_degree", {"source": "in", "target": "in+out"}),
    ("average_neighbor_degree", {"source": "in+out", "target": "in", "weight": "weight"}),
    ("average_neighbor_degree", {"nodes": "a"}),
    ("clustering", {}),
    ("clustering", {"weight": "weight"}),
    ("clustering", {"weight": "no such attribute"}),
    ("clustering", {"nodes": ["b", "a", "b", "not there"]}),
    ("clustering", {"nodes": "a"}),
    ("connected_components", {}),
    ("core_number", {}),
    ("degree_centrality", {}),
    ("eigenvector_centrality", {"max_iter": 500}),
    ("eigenvector_centrality", {"weight": "weight", "max_iter": 3}),
    ("eigenvector_centrality", {"nstart": {"a": 1.0}}),
    ("in_degree_centrality", {}),
    ("is_connected", {}),
    ("is_strongly_connected", {}),
    ("is_weakly_connected", {}),
    ("jaccard_coefficient", {}),
    ("jaccard_coefficient", {"ebunch": [("a", "not there")]}),
    ("katz_centrality", {"alpha": 0.02}),
    ("katz_centrality", {"alpha": 0.02, "weight": "weight", "normalized": False}),
    ("katz_centrality", {"beta": {"a": 1}}),
    ("modularity", {"communities": [{"a"}]}),
    ("node_connected_component", {"n": "a"}),
    ("number_connected_components", {}),
    ("number_strongly_connected_components", {}),
    ("number_weakly_connected_components", {}),
    ("out_degree_centrality", {}),
    ("overall_reciprocity", {}),
    ("pagerank", {}),
    ("pagerank", {"weight": None, "alpha": 0.5, "tol": 1e-12, "max_iter": 500}),
    ("pagerank", {"personalization": {"a": 2, 0: 1, "not there": 5}, "dangling": {"a": 1}}),
    ("pagerank", {"personalization": {"not there": 5}}),
    ("pagerank", {"nstart": {"a": 1, 0: 3}, "max_iter": 2}),
    ("preferential_attachment", {}),
    ("resource_allocation_index", {}),
    ("single_source_shortest_path_length", {"source": "a"}),
    ("single_source_shortest_path_length", {"source": "a", "cutoff": 1}),
    ("single_source_shortest_path_length", {"source": "not there"}),
    ("strongly_connected_components", {}),
    ("to_scipy_sparse_array", {}),
    ("to_scipy_sparse_array", {"nodelist": ["b", "a"], "weight": None, "format": "coo", "dtype": float}),
    ("to_scipy_sparse_array", {"nodelist": ["not there"]}),
    ("to_scipy_sparse_array", {"nodelist": ["a", "a"]}),
    ("transitivity", {}),
    ("triangles", {}),
    ("triangles", {"nodes": ["b", "a"]}),
    ("triangles", {"nodes": "a"}),
    ("weakly_connected_components", {}),
)
BY_MODULARITY = {"leiden_communities", "leiden_partitions", "louvain_communities", "louvain_partitions"}
"""Another order of visits gives other communities: judged by what they reach."""


HAS_METRIC = "metric" in inspect.signature(nx.community.leiden_communities).parameters
"""networkx 3.7 has a Leiden of its own with several qualities."""


def communities(name: str, *args: Any, **asked: Any) -> Any:
    if name.startswith("leiden") and HAS_METRIC:
        asked["metric"] = "modularity"
    return function(name)(*args, **asked)


@st.composite
def graphs(draw: st.DrawFn, *, are_ties: bool = False) -> Any:
    """Up to eleven nodes in a random order; weights, loops and parallel edges that ties do not have, too."""
    kinds = (nx.Graph,) if are_ties else (nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph)
    graph = draw(st.sampled_from(kinds))()
    graph.add_nodes_from(draw(st.permutations(LABELS))[: draw(st.integers(0, len(LABELS)))])
    nodes = list(graph)
    if not nodes:
        return graph
    weights = st.sampled_from((0.5, 1, 2.25, 3, 0.0))
    odd = st.sampled_from((0.5, 2, -1.0, math.nan)) if not are_ties and draw(st.booleans()) else weights
    ends = st.tuples(st.sampled_from(nodes), st.sampled_from(nodes))
    for u, v in draw(st.lists(ends, max_size=40)):
        if not are_ties or u != v:
            graph.add_edge(u, v, **({"weight": draw(odd)} if are_ties or draw(st.booleans()) else {}))
    return graph


def plain(result: Any) -> Any:
    """What a result says, without the order that sets and generators leave open."""
    if isinstance(result, dict):
        return dict(result)
    if hasattr(result, "toarray"):
        return {
            (i, j): value for i, row in enumerate(result.toarray().tolist()) for j, value in enumerate(row)
        }
    if isinstance(result, Iterator):
        listed = list(result)
        if listed and isinstance(listed[0], set):
            return {frozenset(part): 0 for part in listed}
        return {frozenset((u, v)): score for u, v, score in listed}
    return {"answer": result} if not isinstance(result, set) else {frozenset(result): 0}


def answer(ask: Callable[[], Any]) -> Any:
    try:
        return plain(ask())
    except Exception as error:  # noqa: BLE001  (the kind of error is the answer)
        return type(error)


def assert_same(call: object, found: Any, expected: Any) -> None:
    if isinstance(expected, type):
        assert found is expected, call
        return
    assert not isinstance(found, type), (call, found)
    assert found.keys() == expected.keys(), call
    for key, value in expected.items():
        assert math.isclose(found[key], value, rel_tol=1e-10, abs_tol=1e-10) or (
            math.isnan(value) and math.isnan(found[key])
        ), (call, key, found[key], value)


def listed(graph: Any) -> tuple[str, list[Any], list[Any]]:
    return type(graph).__name__, list(graph), list(graph.edges(data="weight"))


def function(name: str) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(nx, name, None) or getattr(nx.community, name)
    return found


def test_every_covered_function_is_asked() -> None:
    assert {name for name, _ in CALLS} | BY_MODULARITY == set(MEASURES)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.filterwarnings("ignore::features.ties.backend.ordinary.TiesCopiedWarning")
@given(graph=graphs(are_ties=True))
@settings(max_examples=60, deadline=None)
def test_our_graphs_are_answered_as_ordinary_ones(graph: Any) -> None:
    ties = as_tie_graph(graph)
    for ours in (ties, ties.contacts()) if ties.marks is not None else (ties,):
        ordinary = ours.to_networkx()
        for name, asked in CALLS:
            found = answer(partial(function(name), ours, **asked))
            expected = answer(partial(function(name), ordinary, **asked))
            assert_same((name, asked, listed(ordinary)), found, expected)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@given(graph=graphs())
@settings(max_examples=120, deadline=None)
def test_ordinary_graphs_are_answered_as_by_networkx(graph: Any) -> None:
    graph.__networkx_cache__ = None
    for name, asked in CALLS:
        expected = answer(partial(function(name), graph, backend="networkx", **asked))
        found = answer(partial(function(name), graph, backend="churnrisk", **asked))
        if found is not NotImplementedError:
            assert_same((name, asked, listed(graph)), found, expected)
        else:
            measure = MEASURES[name]
            assert (graph.is_directed() and not measure.is_directed) or (
                graph.is_multigraph() and not measure.is_multi
            )


@given(graph=graphs(are_ties=True), some=st.sets(st.sampled_from(LABELS)))
@settings(max_examples=100, deadline=None)
def test_rows_are_read_as_the_dicts_of_the_ordinary_graph(graph: Any, some: set[Any]) -> None:
    ties = as_tie_graph(graph)
    assert {node: dict.fromkeys(graph[node]) for node in graph} == {n: dict.fromkeys(ties[n]) for n in ties}
    for ours in (ties, ties.contacts()) if ties.marks is not None else (ties,):
        ordinary = ours.to_networkx()
        assert ours._adj.copy() == ordinary._adj
        assert list(ours.edges(data=True)) == list(ordinary.edges(data=True))
        assert {*ours.edges(some)} == {*ordinary.edges(some)}
        assert dict(ours.degree(some, weight="weight")) == dict(ordinary.degree(some, weight="weight"))
        assert nx.utils.graphs_equal(ours.subgraph(some), ordinary.subgraph(some))
        for u in LABELS:
            assert (u in ours) == (u in ordinary)
            assert [ours.has_edge(u, v) for v in LABELS] == [ordinary.has_edge(u, v) for v in LABELS]


@given(graph=graphs(are_ties=True), seed=st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_communities_are_partitions_about_as_good_as_networkx_finds(graph: Any, seed: int) -> None:
    ties = as_tie_graph(graph)
    if not ties.weights.any():
        return
    reached = nx.community.louvain_communities(ties.to_networkx(), seed=seed)
    for name in ("louvain_communities", "leiden_communities"):
        found = communities(name, ties, seed=seed)
        assert found == communities(name, ties, seed=seed)
        assert nx.community.is_partition(graph, found)
        assert nx.community.modularity(ties, found) >= nx.community.modularity(ties, reached) - 0.08
        levels = list(communities(name.replace("communities", "partitions"), ties, seed=seed))
        assert levels[-1] == found
        assert communities(name, ties, seed=seed, max_level=1) == levels[0]


def test_without_a_seed_communities_are_the_same_every_time_and_for_any_order_of_ties() -> None:
    graph = nx.les_miserables_graph()
    edges = [(u, v, facts["weight"]) for u, v, facts in graph.edges(data=True)]
    mixed = nx.Graph()
    mixed.add_nodes_from(graph)
    random.Random(4).shuffle(edges)
    mixed.add_weighted_edges_from((v, u, weight) for u, v, weight in edges)
    for name in ("louvain_communities", "leiden_communities"):
        found = communities(name, as_tie_graph(graph))
        assert (
            found
            == communities(name, as_tie_graph(mixed))
            == communities(name, nx.Graph(mixed), backend="churnrisk")
        )
        assert found == communities(name, as_tie_graph(graph), seed=None)


def test_a_graph_of_ties_says_its_own_labels_in_every_result() -> None:
    ties: TieGraph = as_tie_graph(nx.karate_club_graph()).labelled([f"c{node:02}" for node in range(34)])
    assert list(nx.pagerank(ties)) == list(ties)
    assert next(iter(nx.connected_components(ties))) == set(ties)
    assert list(nx.jaccard_coefficient(ties, [("c00", "c01")])) == [("c00", "c01", 7 / 18)]
