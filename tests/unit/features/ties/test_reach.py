"""Two steps away, with and without hubs on the way."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.ties import as_tie_graph, reach
from features.ties.kernels import frozen
from features.ties.reach import leaver_similarity, second_order_reach
from tests.oracle.ties.test_measures_against_networkx import small_graphs


def two_away(graph: nx.Graph[int]) -> list[int]:
    return [
        len({far for near in graph[node] for far in graph[near]} - set(graph[node]) - {node})
        for node in graph
    ]


def reached(graph: nx.Graph[int]) -> list[int]:
    ties = as_tie_graph(graph)
    return list(second_order_reach(ties.indptr, ties.indices))


@given(small_graphs(), st.sampled_from([0, 1, 2, 3, 5]))
def test_reach_is_exact_whoever_counts_as_a_hub(graph: nx.Graph[int], hub_ties: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reach, "HUB_TIES", hub_ties)
        assert reached(graph) == two_away(graph)


@pytest.mark.parametrize("hub_ties", [5, 20, 4096])
def test_reach_is_exact_beside_several_hubs(hub_ties: int, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = nx.barabasi_albert_graph(300, 3, seed=5)
    graph.add_edges_from((0, other) for other in range(1, 200))
    graph.add_edges_from((1, other) for other in range(100, 300))
    monkeypatch.setattr(reach, "HUB_TIES", hub_ties)
    assert reached(graph) == two_away(graph)


def test_a_hub_of_many_thousands_costs_no_more_than_its_ties() -> None:
    n_partners = 60_000
    star = nx.star_graph(n_partners)
    assert reached(star) == [0, *[n_partners - 1] * n_partners]


def test_likeness_counts_common_friends_among_all_friends() -> None:
    # 0 and 3 share 1 and 2; 3 also knows 4; 5 knows 4 only
    ties = as_tie_graph(nx.Graph([(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (4, 5)]))
    order = list(ties)
    left = np.zeros(6, np.uint8)
    left[[order.index(3), order.index(5)]] = 1
    greatest, mean = leaver_similarity(ties.indptr, ties.indices, frozen(left, np.uint8))
    found = {node: (greatest[place], mean[place]) for place, node in enumerate(order)}
    assert found[0] == (2 / 3, 2 / 3)
    assert found[3] == (1 / 3, 1 / 3)  # with 5, not with himself
    assert found[5] == (1 / 3, 1 / 3)
    assert found[1][0] == 0
    assert np.isnan(found[1][1])


def test_a_hub_is_nobodys_common_friend(monkeypatch: pytest.MonkeyPatch) -> None:
    star = as_tie_graph(nx.star_graph(4))
    left = frozen(np.array([0, 1, 0, 0, 0]), np.uint8)
    assert leaver_similarity(star.indptr, star.indices, left)[0].tolist() == [0, 0, 1, 1, 1]
    monkeypatch.setattr(reach, "HUB_TIES", 3)
    greatest, mean = leaver_similarity(star.indptr, star.indices, left)
    assert greatest.tolist() == [0] * 5
    assert np.isnan(mean).all()
