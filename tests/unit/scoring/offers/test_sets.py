"""Sets of friends: beside exact sums, beside every possible set, and no friend spared twice."""

from itertools import combinations

import networkx as nx
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.ties import TieGraph
from features.ties.coverage import spared_sets
from features.ties.influence import friends_stake
from scoring.offers.sets import Around, friends_set


def drawn(seed: int, n: int = 10, ties: int = 16) -> tuple[TieGraph, Around, np.ndarray, np.ndarray]:
    """A small graph with risks, values, effects and costs."""
    rng = np.random.default_rng(seed)
    pairs = sorted({tuple(sorted(map(int, rng.choice(n, 2, replace=False)))) for _ in range(ties)})
    frame = pl.DataFrame(
        {
            "node_a": [a for a, _ in pairs],
            "node_b": [b for _, b in pairs],
            "strength": rng.uniform(1, 3, len(pairs)),
        }
    )
    risk = rng.uniform(0.1, 0.6, n)
    around = Around(risk, rng.uniform(50, 300, n), 0.9)
    return TieGraph.from_ties(frame, n), around, risk * rng.uniform(0.1, 0.6, n), rng.uniform(5, 15, n)


def worth(graph: TieGraph, around: Around, effect: np.ndarray, chosen: tuple[int, ...]) -> float:
    """The exact value of a set at one hop, friend by friend."""
    total = 0.0
    for node in range(graph.n_nodes):
        unspared = 1.0
        start = graph.indptr[node]
        for place, near in enumerate(graph.neighbours(node)):
            if near in chosen:
                share = graph.weights[start + place] / graph.strengths[node]
                unspared *= 1 - effect[near] * min(1.0, around.kappa * share)
        own = effect[node] * around.value[node] if node in chosen else 0.0
        total += own + (around.risk[node] * around.value[node] - own) * (1 - unspared)
    return total


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1_000))
def test_the_set_chosen_is_worth_at_least_632_of_1000_of_the_best_there_is(seed: int) -> None:
    graph, around, effect, _ = drawn(seed)
    cost = np.full(10, 9.0)
    found = friends_set(
        graph, around, effect, cost, is_candidate=np.ones(10, bool), budget=36.0, hops=1, seed=seed
    )
    assert found.cost <= 36.0
    best = max(
        worth(graph, around, effect, some) for size in range(5) for some in combinations(range(10), size)
    )
    assert worth(graph, around, effect, tuple(found.nodes.tolist())) >= 0.632 * best


@pytest.mark.parametrize("seed", range(4))
def test_what_a_set_is_said_to_be_worth_is_near_the_exact_sum(seed: int) -> None:
    graph, around, effect, cost = drawn(seed, n=30, ties=90)
    found = friends_set(graph, around, effect, cost, is_candidate=np.ones(30, bool), budget=120.0, hops=1)
    exact = worth(graph, around, effect, tuple(found.nodes.tolist()))
    assert found.direct + found.around == pytest.approx(exact, rel=0.1)
    assert found.around > 0


def test_one_customer_alone_is_worth_the_spillover_of_the_networks_own_formula() -> None:
    graph, around, effect, cost = drawn(3, n=30, ties=90)
    alone = np.zeros(30, dtype=bool)
    alone[7] = True
    many = [
        friends_set(graph, around, effect, 0 * cost, is_candidate=alone, hops=1, seed=seed).around
        for seed in range(30)
    ]
    shared = friends_stake(graph, around.risk, around.value).shared[7]
    assert np.mean(many) == pytest.approx(effect[7] * around.kappa * shared, rel=0.05)


def test_a_shared_friend_is_spared_once() -> None:
    star = pl.DataFrame({"node_a": [0, 0, 0], "node_b": [1, 2, 3], "strength": [1.0, 1.0, 1.0]})
    graph = TieGraph.from_ties(star, 4)
    # only the middle has something to lose; all three around it are kept for sure
    around = Around(np.array([0.5, 0.5, 0.5, 0.5]), np.array([600.0, 1.0, 1.0, 1.0]), 3.0)
    effect = np.array([0.0, 0.5, 0.5, 0.5])
    found = friends_set(graph, around, effect, np.ones(4), is_candidate=np.ones(4, bool), hops=1)
    # 300 at stake: 150, then 75, then 37.5; added up singly it would be 450
    assert found.around == pytest.approx(262.5, abs=1.5)
    assert len(found.nodes) == 3


def test_nobody_is_chosen_who_costs_more_than_they_add_or_is_harmed_or_may_not() -> None:
    graph, around, effect, cost = drawn(5)
    everybody = np.ones(10, dtype=bool)
    assert len(friends_set(graph, around, effect, 1e6 + cost, is_candidate=everybody).nodes) == 0
    assert len(friends_set(graph, around, -effect, cost, is_candidate=everybody).nodes) == 0
    some = np.arange(10) < 4
    assert set(friends_set(graph, around, effect, 0 * cost, is_candidate=some).nodes.tolist()) <= {0, 1, 2, 3}
    assert len(friends_set(graph, around, effect, cost, is_candidate=everybody, budget=0.0).nodes) == 0


def test_reverse_reachable_sets_hold_whom_a_walk_along_live_ties_reaches() -> None:
    plain = nx.path_graph(5)
    frame = pl.DataFrame(
        {"node_a": [a for a, _ in plain.edges], "node_b": [b for _, b in plain.edges], "strength": 1.0}
    )
    graph = TieGraph.from_ties(frame, 5)
    stake = np.array([1.0, 0, 0, 0, 0])
    for hops in (1, 2, 3):
        sets = spared_sets(graph.indptr, graph.indices, np.ones(8), stake, hops=hops, per_node=1)
        near = nx.single_source_shortest_path_length(plain, 0, cutoff=hops)
        assert sorted(sets.members.tolist()) == sorted(set(near) - {0})
    half = spared_sets(graph.indptr, graph.indices, np.full(8, 0.5), stake, hops=2, per_node=20_000)
    # the neighbour in half of the sets, the one behind in a quarter
    assert np.bincount(half.members, minlength=5) / 20_000 == pytest.approx([0, 0.5, 0.25, 0, 0], abs=0.02)
    with pytest.raises(ValueError, match="1 to 3 hops"):
        spared_sets(graph.indptr, graph.indices, np.ones(8), stake, hops=4)
