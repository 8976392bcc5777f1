"""Communities follow their rules to the letter, and are as good as those of networkx."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.ties.communities import leiden, louvain, modularity
from tests.oracle.ties import slow_communities
from tests.oracle.ties.measure_checks import graphs, numbered, rows_of
from tests.oracle.ties.test_measures_against_networkx import small_graphs


def whole_numbers(graph: nx.Graph[int]) -> nx.Graph[int]:
    """Weights without a fraction: sums are exact, whatever their order."""
    for a, b in graph.edges:
        graph[a][b]["weight"] = 1 + (3 * a + 5 * b) % 4
    return graph


def near(graph: nx.Graph[int]) -> slow_communities.Near:
    return {node: {other: graph[node][other]["weight"] for other in sorted(graph[node])} for node in graph}


def cases() -> list[nx.Graph[int]]:
    caves = nx.relaxed_caveman_graph(6, 6, 0.15, seed=3)
    return [whole_numbers(nx.Graph(graph)) for graph in (*list(graphs())[1:], caves)]


def check_communities(graph: nx.Graph[int], resolution: float) -> None:
    indptr, indices, weights = rows_of(graph)
    levels = louvain(indptr, indices, weights, resolution=resolution)
    assert [level.tolist() for level in levels] == slow_communities.louvain(near(graph), resolution)
    parts = leiden(indptr, indices, weights, resolution=resolution)
    assert parts.tolist() == slow_communities.leiden(near(graph), resolution)


@pytest.mark.parametrize("resolution", [0.5, 1.0, 2.0])
def test_communities_are_those_of_the_rules_in_plain_python(resolution: float) -> None:
    for graph in cases():
        check_communities(graph, resolution)


@settings(max_examples=60)
@given(small_graphs(), st.sampled_from([0.5, 1.0, 2.0]))
def test_communities_of_any_small_graph_are_those_of_the_rules(
    graph: nx.Graph[int], resolution: float
) -> None:
    check_communities(whole_numbers(graph), resolution)


@settings(max_examples=60)
@given(small_graphs(), st.lists(st.integers(0, 3), min_size=9, max_size=9))
def test_modularity_is_that_of_networkx(graph: nx.Graph[int], labels: list[int]) -> None:
    indptr, indices, weights = rows_of(graph)
    ours = modularity(indptr, indices, np.array(labels[: len(graph)]), weights, resolution=1.5)
    if graph.size("weight") == 0:
        assert np.isnan(ours)
        return
    parts = [{node for node in graph if labels[node] == label} for label in set(labels[: len(graph)])]
    assert ours == pytest.approx(nx.community.modularity(graph, parts, resolution=1.5), abs=1e-12)


@settings(max_examples=60)
@given(small_graphs())
def test_levels_nest_and_gain(graph: nx.Graph[int]) -> None:
    indptr, indices, weights = rows_of(graph)
    levels = louvain(indptr, indices, weights)
    for finer, coarser in pairwise(levels):
        assert len({(int(a), int(b)) for a, b in zip(finer, coarser, strict=True)}) == finer.max() + 1
        if graph.size("weight"):
            gained = modularity(indptr, indices, coarser, weights) - modularity(
                indptr, indices, finer, weights
            )
            assert gained > 0


@settings(max_examples=60)
@given(small_graphs())
def test_each_community_of_leiden_is_connected_and_numbered_by_its_smallest_member(
    graph: nx.Graph[int],
) -> None:
    indptr, indices, weights = rows_of(graph)
    labels = leiden(indptr, indices, weights)
    parts = [{node for node in graph if labels[node] == label} for label in range(labels.max() + 1)]
    assert labels.tolist() == numbered(parts, len(graph))
    heavy = nx.Graph((a, b) for a, b, weight in graph.edges(data="weight") if weight > 0)
    heavy.add_nodes_from(graph)
    assert all(nx.is_connected(heavy.subgraph(part)) for part in parts)


@pytest.mark.parametrize("seed", range(3))
def test_communities_are_as_good_as_those_of_networkx(seed: int) -> None:
    graph = nx.relaxed_caveman_graph(30, 12, 0.3, seed=seed)
    indptr, indices, _ = rows_of(graph)
    theirs = nx.community.louvain_communities(graph, weight=None, seed=seed)
    best = nx.community.modularity(graph, theirs, weight=None) - 0.01
    assert modularity(indptr, indices, louvain(indptr, indices)[-1]) >= best
    assert modularity(indptr, indices, leiden(indptr, indices)) >= best


def test_another_seed_visits_in_another_order_and_the_same_seed_in_the_same() -> None:
    indptr, indices, _ = rows_of(nx.gnp_random_graph(200, 0.03, seed=1))
    found = [louvain(indptr, indices, seed=seed)[-1].tolist() for seed in (1, 1, 2)]
    assert found[0] == found[1]
    assert found[1] != found[2]


def test_nodes_without_ties_are_communities_of_their_own() -> None:
    indptr, indices, weights = rows_of(nx.empty_graph(3))
    assert louvain(indptr, indices, weights)[-1].tolist() == [0, 1, 2]
    assert leiden(indptr, indices, weights).tolist() == [0, 1, 2]
