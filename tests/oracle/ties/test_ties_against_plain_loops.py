"""The sparse code gives what plain loops over the contacts give."""

from __future__ import annotations

import networkx as nx
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from polars.testing import assert_frame_equal

from features.ties import (
    EXPOSURE_WINDOWS_DAYS,
    TieGraph,
    as_tie_graph,
    community_of,
    network_features,
    tie_feature_names,
    tie_table,
)
from features.ties.contract import PAIR_COLUMNS
from features.ties.triangles import common_neighbours
from tests.oracle.ties import slow_place, slow_ties
from tests.oracle.ties.slow_ties import World, worlds

NAMES = tie_feature_names()
PLACE = NAMES[NAMES.index("clustering") : NAMES.index("community_strength_share") + 1]

FIXED_POINT = 3e-5
"""Each contact's weight is rounded to 2^-20, and that of a contact 90 days old is 2^-4.3; a ratio doubles the error."""


def tied(world: World) -> TieGraph:
    facts = pl.DataFrame(slow_ties.pairs(world.contacts), schema=PAIR_COLUMNS)
    ties = tie_table(facts, as_of_us=slow_ties.AS_OF_US)
    return TieGraph.from_ties(ties, world.n_nodes)


def featured(world: World) -> pl.DataFrame:
    return network_features(
        tied(world),
        is_member=np.array(world.is_member),
        leaver_age_days=np.array(world.leaver_age_days),
        detractor_age_days=np.array(world.detractor_age_days),
        may_use=np.array(world.may_use),
    )


@given(worlds())
def test_each_tie_measure_is_that_of_the_contacts(world: World) -> None:
    ties = tied(world).ties
    assert len(ties) == len(slow_ties.pairs(world.contacts))
    for tie in ties.iter_rows(named=True):
        a, b = tie["node_a"], tie["node_b"]
        assert tie["strength"] == pytest.approx(slow_ties.strength(world.contacts, a, b), rel=FIXED_POINT)
        assert tie["overlap"] == pytest.approx(slow_ties.overlap(world.contacts, a, b))
        burstiness, silence = slow_ties.silences(world.contacts, a, b)
        assert tie["burstiness"] == pytest.approx(burstiness, abs=1e-7)
        assert tie["silence_ratio"] == pytest.approx(silence)
        assert tie["is_dead"] == (None if silence is None else tie["silence_ratio"] > 8)
        for end, name in ((a, "attention_ab"), (b, "attention_ba")):
            others = slow_ties.partners(world.contacts, end)
            whole = sum(slow_ties.strength(world.contacts, end, other) for other in others)
            assert tie[name] == pytest.approx(
                slow_ties.strength(world.contacts, a, b) / whole, rel=FIXED_POINT
            )


@given(worlds())
def test_each_feature_of_each_member_is_that_of_the_contacts(world: World) -> None:
    fast = featured(world)
    permitted = tied(world).without(~np.array(world.may_use))
    copy, community = permitted.to_networkx(), community_of(permitted).to_list()
    members = [node for node in range(world.n_nodes) if world.is_member[node]]
    places = [
        slow_place.place(copy, node, community, world.is_member, world.leaver_age_days)
        if world.may_use[node]
        else dict.fromkeys(PLACE)
        for node in members
    ]
    rows = slow_ties.features(world, EXPOSURE_WINDOWS_DAYS)
    slow = [{**row, **place} for row, place in zip(rows, places, strict=True)]
    assert all(set(row) == set(fast.columns) for row in slow)
    assert_frame_equal(fast, pl.DataFrame(slow, schema=fast.schema), rel_tol=FIXED_POINT, abs_tol=0)


@given(worlds())
def test_rows_hold_what_networkx_holds(world: World) -> None:
    graph = tied(world)
    copy = graph.to_networkx()
    assert list(copy) == list(range(world.n_nodes))
    for node in range(world.n_nodes):
        assert graph.neighbours(node).tolist() == sorted(copy[node])
    assert graph.degrees.tolist() == [degree for _, degree in copy.degree]
    assert graph.strengths.tolist() == pytest.approx([total for _, total in copy.degree(weight="weight")])


@given(worlds())
def test_a_graph_comes_back_from_networkx_as_it_went(world: World) -> None:
    graph = tied(world)
    back = as_tie_graph(graph.to_networkx())
    assert back.ties.equals(graph.ties.select("node_a", "node_b", "strength"))
    assert back.indices.tolist() == graph.indices.tolist()
    assert back.weights.tolist() == graph.weights.tolist()


@pytest.mark.parametrize("seed", range(3))
def test_common_neighbours_are_those_of_networkx_on_a_graph_with_hubs(seed: int) -> None:
    copy = nx.barabasi_albert_graph(300, 6, seed=seed)
    copy.add_edges_from((0, other) for other in range(1, 300))
    graph = as_tie_graph(copy)
    common = common_neighbours(graph.indptr, graph.indices, graph.tie_rows)
    ends = zip(graph.ties["node_a"], graph.ties["node_b"], strict=True)
    assert common.tolist() == [len(nx.common_neighbors(copy, a, b)) for a, b in ends]
