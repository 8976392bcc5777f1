"""Where rows lie is a matter of speed alone: any places give the same figures, in the order of the customers."""

from __future__ import annotations

import numpy as np
import polars as pl
import polars.selectors as cs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from features.ties import TieGraph, network, network_features, tie_table
from features.ties.cores import core_numbers
from features.ties.exposure import exposures_by_kind
from features.ties.kernels import NodeArray, frozen
from features.ties.locality import rows_in_place, rows_side_by_side
from features.ties.reach import leaver_similarity, second_order_reach
from features.ties.triangles import clustering
from tests.oracle.ties.slow_ties import World, worlds
from tests.property.ties.test_ties_hold_in_any_order import pair_frame

LAST_BITS = 1e-12
"""Sums over all nodes (PageRank), and two-hop shares, are added up in the order of the places."""


def tied(world: World) -> TieGraph:
    return TieGraph.from_ties(tie_table(pair_frame(world)), world.n_nodes)


@st.composite
def laid_worlds(draw: st.DrawFn) -> tuple[World, NodeArray]:
    world = draw(worlds())
    places = st.lists(st.integers(0, 5), min_size=world.n_nodes, max_size=world.n_nodes)
    return world, frozen(np.array(draw(places)), np.int32)


@given(laid_worlds())
def test_rows_hold_the_same_neighbours_in_the_same_order_wherever_they_lie(
    case: tuple[World, NodeArray],
) -> None:
    graph, labels = tied(case[0]), case[1]
    rows = rows_side_by_side(graph, labels)
    assert sorted(rows.node_of.tolist()) == list(range(graph.n_nodes))
    assert rows.node_of[rows.row_of].tolist() == list(range(graph.n_nodes))
    assert rows.node_of.tolist() == sorted(range(graph.n_nodes), key=lambda node: (labels[node], node))
    for node in range(graph.n_nodes):
        row = rows.row_of[node]
        entries = slice(rows.indptr[row], rows.indptr[row + 1])
        assert rows.node_of[rows.indices[entries]].tolist() == graph.neighbours(node).tolist()
        here = slice(graph.indptr[node], graph.indptr[node + 1])
        assert rows.weights[entries].tolist() == graph.weights[here].tolist()


@given(laid_worlds())
def test_exposures_are_the_same_wherever_the_rows_lie(case: tuple[World, NodeArray]) -> None:
    world, labels = case
    graph = tied(world)
    ages = {"churn": np.array(world.leaver_age_days), "detractor": np.array(world.detractor_age_days)}
    expected = exposures_by_kind(graph, rows_in_place(graph), ages)
    found = exposures_by_kind(graph, rows_side_by_side(graph, labels), ages)
    assert found.drop(cs.contains("two_hop")).equals(expected.drop(cs.contains("two_hop")), null_equal=True)
    assert_frame_equal(found, expected, rel_tol=LAST_BITS, abs_tol=0)


@given(laid_worlds())
def test_places_in_the_network_are_the_same_wherever_the_rows_lie(case: tuple[World, NodeArray]) -> None:
    world, labels = case
    graph = tied(world)
    rows = rows_side_by_side(graph, labels)
    here, there = (graph.indptr, graph.indices), (rows.indptr, rows.indices)
    for measure in (core_numbers, second_order_reach, clustering):
        assert measure(*there)[rows.row_of].tobytes() == measure(*here).tobytes()
    left = np.array(world.leaver_age_days) >= 0
    near = leaver_similarity(*there, frozen(left[rows.node_of], np.uint8), rows.row_of)
    for found, expected in zip(near, leaver_similarity(*here, frozen(left, np.uint8)), strict=True):
        assert found[rows.row_of].tobytes() == expected.tobytes()


@given(worlds())
def test_features_are_those_of_rows_that_were_not_moved(world: World) -> None:
    graph = tied(world)
    ages, angry = np.array(world.leaver_age_days), np.array(world.detractor_age_days)

    def featured() -> pl.DataFrame:
        members = np.array(world.is_member)
        return network_features(graph, is_member=members, leaver_age_days=ages, detractor_age_days=angry)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(network, "rows_side_by_side", lambda graph, _: rows_in_place(graph))
        unmoved = featured()
    assert_frame_equal(featured(), unmoved, rel_tol=LAST_BITS, abs_tol=0)


@given(worlds(), st.lists(st.sampled_from([7, 30, 90]), min_size=1, unique=True))
def test_windows_may_be_asked_for_in_any_order(world: World, windows_days: list[int]) -> None:
    graph = tied(world)
    ages = {"churn": np.array(world.leaver_age_days)}
    found = exposures_by_kind(graph, rows_in_place(graph), ages, windows_days)
    in_order = exposures_by_kind(graph, rows_in_place(graph), ages, sorted(windows_days))
    assert found.select(in_order.columns).equals(in_order, null_equal=True)
