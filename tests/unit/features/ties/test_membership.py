"""What a community says about a customer, worked by hand."""

from __future__ import annotations

import networkx as nx
import numpy as np
import polars as pl
import pytest

from features.ties import TieGraph, as_tie_graph, community_of, membership
from features.ties.membership import community_columns

NAN = float("nan")


def described(
    graph: TieGraph,
    community: list[int | None],
    left: dict[int, float] | None = None,
    is_member: list[bool] | None = None,
) -> pl.DataFrame:
    ages = np.full(graph.n_nodes, NAN)
    for node, age in (left or {}).items():
        ages[node] = age
    members = np.isnan(ages) if is_member is None else np.array(is_member)
    return community_columns(
        graph,
        pl.Series("community", community, dtype=pl.Int64),
        members,
        ages if left is not None else None,
    )


def test_two_cliques_on_one_bridge_are_two_communities_and_a_loner_is_in_none() -> None:
    friends = nx.barbell_graph(5, 0)
    friends.add_node("loner")
    assert community_of(as_tie_graph(friends)).to_list() == [0] * 5 + [1] * 5 + [None]


def test_communities_are_numbered_by_smallest_member_loners_left_out() -> None:
    ties = pl.DataFrame({"node_a": [1, 3], "node_b": [2, 4], "strength": [1.0, 1.0]})
    assert community_of(TieGraph.from_ties(ties, 6)).to_list() == [None, 0, 0, 1, 1, None]


def test_no_customers_have_no_communities() -> None:
    assert community_of(
        TieGraph.from_ties(pl.DataFrame({"node_a": [], "node_b": [], "strength": []}), 0)
    ).is_empty()


def test_communities_do_not_merge_as_the_base_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain modularity joins neighbouring rings once there are many of them (Fortunato & Barthelemy 2007)."""
    rings = as_tie_graph(nx.ring_of_cliques(200, 5))
    sizes = community_of(rings).value_counts()["count"].to_list()
    monkeypatch.setattr(membership, "COMMUNITY_REACH", 10_000)
    merged = community_of(rings).value_counts()["count"].to_list()
    assert max(merged) > 10
    monkeypatch.setattr(membership, "COMMUNITY_REACH", 50)
    assert set(community_of(rings).value_counts()["count"].to_list()) == {5}
    assert max(sizes) <= max(merged)


def test_churn_of_a_community_is_that_of_the_others() -> None:
    clique = as_tie_graph(nx.complete_graph(8))
    # 0 left lately, 1 long ago (no longer counted), 7 did not leave but is no customer either
    table = described(
        clique, [0] * 8, {0: 90.0, 1: 90.5}, is_member=[False, False, True, True, True, True, True, False]
    )
    rate = table["community_churn_rate_90d"].to_list()
    assert rate[0] == 0 / 5
    assert rate[2:7] == [1 / 5] * 5
    assert rate[1] == rate[7] == 1 / 6
    # five are here: too few to be told of
    assert table["community_size"].null_count() == table["is_community_leader"].null_count() == 8


def test_fewer_than_five_others_tell_nothing() -> None:
    table = described(as_tie_graph(nx.complete_graph(5)), [0] * 5, {0: 1.0})
    assert table["community_churn_rate_90d"].null_count() == 5
    table = described(as_tie_graph(nx.complete_graph(6)), [0] * 6, {0: 1.0})
    assert table["community_churn_rate_90d"].to_list() == [0.0, *[1 / 5] * 5]


def test_without_known_leavers_no_rate_is_known_and_all_else_is() -> None:
    table = described(as_tie_graph(nx.complete_graph(6)), [0] * 6)
    assert table["community_churn_rate_90d"].null_count() == 6
    assert table["community_strength_share"].to_list() == [1.0] * 6


def test_the_leader_is_the_customer_strongest_inside_and_the_first_of_equals() -> None:
    star = as_tie_graph(nx.star_graph(6))
    assert described(star, [0] * 7)["is_community_leader"].to_list() == [1, 0, 0, 0, 0, 0, 0]
    assert described(star, [0] * 7)["community_size"].to_list() == [7] * 7
    assert described(star, [0] * 7, {0: 1.0})["community_size"].to_list() == [6] * 7
    # the centre has left: the first of the equal others leads
    assert described(star, [0] * 7, {0: 1.0})["is_community_leader"].to_list() == [0, 1, 0, 0, 0, 0, 0]


def test_the_share_inside_weighs_ties_and_is_null_without_any_weight() -> None:
    ties = pl.DataFrame({"node_a": [0, 0, 3], "node_b": [1, 2, 4], "strength": [3.0, 1.0, 0.0]})
    table = described(TieGraph.from_ties(ties, 6), [0, 0, 1, 2, 2, None])
    assert table["community_strength_share"].to_list() == [0.75, 1.0, 0.0, None, None, None]
    # of so few nothing more is told: alone with a tie, one would have lost the others
    assert table["is_community_leader"].null_count() == table["community_size"].null_count() == 6
