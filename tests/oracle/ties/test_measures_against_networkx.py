"""Every measure of a graph is what networkx says, on graphs with hubs and on whatever Hypothesis draws."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.ties.ranks import NotConverged, eigenvector_centrality, pagerank
from features.ties.similarity import pair_scores
from tests.oracle.ties.measure_checks import (
    CHECKS,
    DIRECTED_CHECKS,
    directed_graphs,
    graphs,
    rows_of,
    weighted,
)


@st.composite
def small_graphs(draw: st.DrawFn, *, directed: bool = False) -> nx.Graph[int]:
    """Graphs of 1 to 9 nodes, loners included."""
    n_nodes = draw(st.integers(1, 9))
    node = st.integers(0, n_nodes - 1)
    pairs = draw(st.lists(st.tuples(node, node), max_size=30))
    graph = nx.DiGraph() if directed else nx.Graph()
    graph.add_nodes_from(range(n_nodes))
    graph.add_edges_from((a, b) for a, b in pairs if a != b or directed)
    return weighted(graph)


@pytest.mark.parametrize("measure", CHECKS)
def test_a_measure_is_that_of_networkx(measure: str) -> None:
    for graph in graphs():
        CHECKS[measure](graph)


@pytest.mark.parametrize("measure", DIRECTED_CHECKS)
def test_a_measure_of_a_directed_graph_is_that_of_networkx(measure: str) -> None:
    for graph in directed_graphs():
        DIRECTED_CHECKS[measure](graph)


@pytest.mark.parametrize("measure", [name for name in CHECKS if name != "eigenvector"])
@settings(max_examples=40)
@given(graph=small_graphs())
def test_a_measure_is_that_of_networkx_on_any_small_graph(measure: str, graph: nx.Graph[int]) -> None:
    CHECKS[measure](graph)


@pytest.mark.parametrize("measure", DIRECTED_CHECKS)
@settings(max_examples=40)
@given(graph=small_graphs(directed=True))
def test_a_measure_is_that_of_networkx_on_any_small_directed_graph(
    measure: str, graph: nx.DiGraph[int]
) -> None:
    DIRECTED_CHECKS[measure](graph)


def test_ranks_that_do_not_settle_say_after_how_many_steps() -> None:
    indptr, indices, _ = rows_of(nx.barabasi_albert_graph(50, 2, seed=0))
    with pytest.raises(NotConverged) as caught:
        pagerank(indptr, indices, max_iter=2, tol=1e-12)
    assert caught.value.n_steps == 2
    with pytest.raises(NotConverged):
        eigenvector_centrality(indptr, indices, max_iter=1, tol=1e-12)


def test_starting_again_nowhere_is_refused_as_networkx_refuses_it() -> None:
    indptr, indices, _ = rows_of(nx.path_graph(3))
    with pytest.raises(ZeroDivisionError):
        pagerank(indptr, indices, personalization=np.zeros(3))


def test_an_array_of_another_length_is_refused() -> None:
    indptr, indices, _ = rows_of(nx.path_graph(3))
    with pytest.raises(ValueError, match="each of 3 nodes"):
        pagerank(indptr, indices, personalization=np.ones(4))


def test_an_unknown_score_is_refused_with_those_there_are() -> None:
    indptr, indices, _ = rows_of(nx.path_graph(3))
    with pytest.raises(ValueError, match="adamic_adar"):
        pair_scores("cosine", indptr, indices, np.array([0]), np.array([1]))  # type: ignore[arg-type]
