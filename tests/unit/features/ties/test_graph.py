"""The sparse graph, and the frames and networkx graphs it is made of."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pytest

from churnrisk.errors import UsageError
from features.ties import (
    TieGraph,
    as_tie_graph,
    community_of,
    exposures,
    friends_at_risk,
    friends_stake,
    network_features,
    spreading_activation,
    tie_graph,
)


def ties(*rows: tuple[int, int, float]) -> pl.DataFrame:
    return pl.DataFrame(
        rows, schema={"node_a": pl.Int32, "node_b": pl.Int32, "strength": pl.Float64}, orient="row"
    )


def test_rows_are_ascending_whatever_the_order_of_ties() -> None:
    graph = TieGraph.from_ties(ties((2, 3, 3.0), (0, 2, 1.0), (1, 2, 2.0)), 5)
    assert graph.indptr.tolist() == [0, 1, 2, 5, 6, 6]
    assert graph.indices.tolist() == [2, 2, 0, 1, 3, 2]
    assert graph.weights.tolist() == [1, 2, 1, 2, 3, 3]
    assert graph.tie_rows.tolist() == [0, 1, 0, 1, 2, 2]
    kinds = [str(array.dtype) for array in (graph.indptr, graph.indices, graph.weights)]
    assert kinds == ["int64", "int32", "float64"]
    assert (graph.n_nodes, graph.n_ties) == (5, 3)


def test_a_graph_cannot_be_written_to() -> None:
    graph = TieGraph.from_ties(ties((0, 1, 1.0)), 2)
    with pytest.raises(ValueError, match="read-only"):
        graph.weights[0] = 2.0


def test_an_entry_is_marked_by_who_contacted_whom() -> None:
    directed = ties((0, 1, 1.0), (0, 2, 1.0), (1, 2, 1.0)).with_columns(
        n_ab=pl.Series([1, 0, 2]), n_ba=pl.Series([0, 1, 2])
    )
    #                 0->1, 0<-2 | 1<-0, 1<->2 | 2->0, 2<->1
    marks = TieGraph.from_ties(directed, 3).marks
    assert marks is not None
    assert marks.tolist() == [1, 2, 2, 3, 1, 3]


def test_cutting_a_node_leaves_it_in_the_graph_without_ties() -> None:
    graph = TieGraph.from_ties(ties((0, 1, 1.0), (1, 2, 2.0)), 4, labels=["a", "b", "c", "d"])
    cut = graph.without(np.array([True, False, False, False]))
    assert (cut.degrees.tolist(), cut.node_labels) == ([0, 1, 1, 0], ["a", "b", "c", "d"])
    assert graph.without(np.array([False, False, False, True])) is graph


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (ties((0, 3, 1.0)), "expected nodes 0 to 2"),
        (ties((-1, 2, 1.0)), "expected nodes 0 to 2"),
        (ties((1, 1, 1.0)), "node_a < node_b"),
        (ties((0, 1, -1.0)), "negative or undefined"),
        (ties((0, 1, float("nan"))), "negative or undefined"),
        (ties((0, 1, 1.0), (0, 1, 1.0)), "a pair twice"),
    ],
)
def test_ties_that_make_no_graph_are_refused(wrong: pl.DataFrame, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TieGraph.from_ties(wrong, 3)


def test_labels_must_be_one_per_node() -> None:
    with pytest.raises(ValueError, match="labels: expected 2, found 1"):
        TieGraph.from_ties(ties((0, 1, 1.0)), 2, labels=["a"])


PAIRS = pl.DataFrame({"customer_a": ["б", "a"], "customer_b": ["a", "安"], "weight": [2.0, 1.0]})


@pytest.mark.parametrize(
    "kind", [pl.DataFrame.lazy, pl.DataFrame.to_arrow, pl.DataFrame.to_pandas, pl.DataFrame.clone]
)
def test_frames_of_any_make_give_the_same_graph(kind: Callable[[pl.DataFrame], object]) -> None:
    graph = tie_graph(kind(PAIRS))
    assert graph.node_labels == ["a", "б", "安"]
    assert graph.strengths.tolist() == [3, 2, 1]
    assert graph.ties.rows() == [(0, 1, 2.0, 2.0), (0, 2, 1.0, 1.0)]


def test_pairs_named_twice_add_up_and_directions_turn_with_the_pair() -> None:
    frame = pl.DataFrame(
        {
            "customer_a": [7, 3, 3],
            "customer_b": [3, 7, 3],
            "n_ab": [5, 1, 9],
            "n_ba": [0, 0, 9],
            "name": ["x", "y", "z"],
        }
    )
    graph = tie_graph(frame, weight="n_ab")
    assert graph.node_labels == [3, 7]
    assert graph.ties.to_dicts() == [{"node_a": 0, "node_b": 1, "n_ab": 1, "n_ba": 5, "strength": 6.0}]


def test_without_any_weight_each_tie_counts_one() -> None:
    assert tie_graph(PAIRS.drop("weight")).weights.tolist() == [1, 1, 1, 1]


def test_an_empty_frame_gives_an_empty_graph() -> None:
    graph = tie_graph(PAIRS.clear())
    assert (graph.n_nodes, graph.n_ties) == (0, 0)
    assert graph.to_networkx().number_of_nodes() == 0


@pytest.mark.parametrize(
    ("frame", "weight", "code"),
    [
        ([1, 2], None, "not_a_frame"),
        (PAIRS.drop("customer_b"), None, "missing_column"),
        (PAIRS, "strength", "missing_column"),
        (PAIRS, "customer_a", "not_a_number"),
        (PAIRS.with_columns(customer_b=pl.lit(None, pl.String)), None, "null_id"),
        (PAIRS.with_columns(customer_b=pl.lit(3)), None, "ids_differ"),
        (PAIRS.with_columns(customer_a=pl.lit(0.5), customer_b=pl.lit(3.0)), None, "ids_of_another_kind"),
        (PAIRS.with_columns(node_a=pl.lit(3)), None, "reserved_column"),
        (pd.DataFrame({"customer_a": ["a", 1], "customer_b": ["b", "c"]}), None, "not_a_frame"),
        (PAIRS.with_columns(weight=pl.col("weight").cast(pl.String)), None, "not_a_number"),
        (PAIRS.with_columns(strength=pl.lit(value=True)), None, "not_a_number"),
        (PAIRS.with_columns(n_ab=pl.lit("1"), n_ba=pl.lit(1)), None, "not_a_number"),
        (PAIRS.with_columns(weight=-pl.col("weight")), None, "bad_weight"),
        (PAIRS.with_columns(weight=pl.lit(None, pl.Float64)), None, "bad_weight"),
        (PAIRS.with_columns(n_ab=pl.lit(-1), n_ba=pl.lit(1)), None, "bad_count"),
        (PAIRS.with_columns(n_ab=pl.lit(1), n_ba=pl.lit(None, pl.Int64)), None, "bad_count"),
        (PAIRS.with_columns(n_ab=pl.lit(0.5), n_ba=pl.lit(0)), None, "bad_count"),
        (PAIRS.with_columns(n_ab=pl.lit(0), n_ba=pl.lit(0)), None, "bad_count"),
        (PAIRS.with_columns(n_ab=pl.lit(1)), None, "missing_column"),
        (PAIRS.with_columns(n_ba=pl.lit(1)), None, "missing_column"),
    ],
)
def test_frames_that_make_no_graph_say_why(frame: object, weight: str | None, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        tie_graph(frame, weight=weight)
    assert caught.value.codes == (code,)


def test_a_pair_without_a_contact_either_way_is_no_tie() -> None:
    frame = pl.DataFrame(
        {
            "customer_a": ["a", "b", "c", "b"],
            "customer_b": ["b", "c", "d", "a"],
            "n_ab": [1, 0, 0, 0],
            "n_ba": [0, 0, 2, 0],
        }
    )
    for given in (frame, frame.with_columns(weight=pl.Series([1.0, 0.0, 1.0, 0.0]))):
        graph = tie_graph(given)
        assert graph.node_labels == ["a", "b", "c", "d"]
        assert graph.ties.select("node_a", "node_b", "strength").rows() == [(0, 1, 1.0), (2, 3, 1.0)]
        assert list(graph.contacts().edges) == [("a", "b"), ("d", "c")]


@pytest.mark.parametrize(
    "wrong",
    [[1.0], "abc", {"a": 1.0}, [[1.0, 2.0]], ["a", "b", "c"], [[1.0], [1.0, 2.0], []], 3, np.ones((3, 1))],
    ids=str,
)
def test_arrays_that_are_not_one_number_per_node_are_refused_with_a_remedy(wrong: Any) -> None:
    graph = tie_graph(PAIRS)
    for measure in (
        lambda given: exposures(graph, given, "churn"),
        lambda given: spreading_activation(graph, given),
        lambda given: friends_stake(graph, given, given),
        lambda given: network_features(
            graph, is_member=np.ones(3, np.bool_), leaver_age_days=given, detractor_age_days=None
        ),
        lambda given: network_features(graph, is_member=given, leaver_age_days=None, detractor_age_days=None),
    ):
        with pytest.raises(UsageError) as caught:
            measure(wrong)
        assert caught.value.codes == ("bad_array",)
        assert caught.value.faults[0].remedy


def test_lists_and_series_of_numbers_are_taken_as_arrays() -> None:
    graph = tie_graph(PAIRS)
    ages = [1, 2.0, float("nan")]
    found = exposures(graph, np.array(ages), "churn")
    for given in (ages, pl.Series([1.0, 2.0, None]), pd.Series(ages)):
        assert exposures(graph, given, "churn").equals(found)  # type: ignore[arg-type]


def test_columns_ride_along_to_networkx() -> None:
    copy = tie_graph(PAIRS.with_columns(n_contacts=pl.Series([4, 5]))).to_networkx()
    assert list(copy) == ["a", "б", "安"]
    assert copy["a"]["安"] == {"n_contacts": 5, "strength": 1.0, "weight": 1.0}


def test_an_edge_of_a_directed_graph_is_a_contact_one_way() -> None:
    graph = as_tie_graph(nx.DiGraph([("x", "y"), ("y", "x"), ("z", "x"), ("z", "z")]))
    assert graph.node_labels == ["x", "y", "z"]
    assert graph.ties.select("node_a", "node_b", "strength", "n_ab", "n_ba").rows() == [
        (0, 1, 2.0, 1, 1),
        (0, 2, 1.0, 0, 1),
    ]


def test_an_edge_counts_one_contact_whatever_its_weight() -> None:
    given = nx.DiGraph()
    given.add_weighted_edges_from([("x", "y", 5.0), ("y", "x", 2.0), ("z", "x", 0.5)])
    graph = as_tie_graph(given)
    assert graph.ties["strength"].to_list() == [7.0, 0.5]
    contacts = graph.contacts()
    assert list(contacts.edges(data="weight")) == [("x", "y", 1), ("y", "x", 1), ("z", "x", 1)]
    assert contacts["x"]["y"]["strength"] == 7.0


def test_parallel_edges_add_up() -> None:
    copy = nx.MultiGraph()
    copy.add_weighted_edges_from([("x", "y", 1.0), ("y", "x", 2.5)])
    assert as_tie_graph(copy).weights.tolist() == [3.5, 3.5]


def test_a_tie_graph_is_one_already_and_other_things_are_none() -> None:
    graph = tie_graph(PAIRS)
    assert as_tie_graph(graph) is graph
    assert as_tie_graph(nx.Graph()).n_nodes == 0
    with pytest.raises(UsageError):
        as_tie_graph(pd.DataFrame())
    for weight in (-1, float("nan"), float("inf"), None, "heavy"):
        with pytest.raises(UsageError) as caught:
            as_tie_graph(nx.Graph([(0, 1, {"weight": weight})]))
        assert caught.value.codes == ("bad_weight",)


def test_an_ordinary_graph_is_taken_wherever_a_tie_graph_is() -> None:
    club = nx.karate_club_graph()
    graph = tie_graph(club)
    assert graph.ties.equals(as_tie_graph(club).ties)
    assert tie_graph(graph) is graph
    assert tie_graph(club, weight="none").weights.tolist() != graph.weights.tolist()
    left = np.where(np.arange(34) == 5, 3.0, np.nan)
    some, every = np.full(34, 0.2), np.ones(34, np.bool_)
    measures: list[Callable[[Any], pl.DataFrame]] = [
        lambda given: exposures(given, left, "churn"),
        lambda given: network_features(given, is_member=every, leaver_age_days=left, detractor_age_days=None),
        lambda given: community_of(given).to_frame(),
        lambda given: friends_at_risk(given, 0, some, 10 * some, 0.2),
    ]
    for measure in measures:
        assert measure(club).equals(measure(graph))
    many: list[Callable[[Any], tuple[Any, ...]]] = [
        lambda given: spreading_activation(given, some),
        lambda given: friends_stake(given, some, 10 * some),
    ]
    for several in many:
        for found, expected in zip(several(club), several(graph), strict=True):
            assert found.tolist() == expected.tolist()


def test_a_graph_of_contacts_stands_for_its_ties() -> None:
    graph = tie_graph(PAIRS.with_columns(n_ab=pl.lit(1), n_ba=pl.lit(0)))
    assert as_tie_graph(graph.contacts()).ties.equals(graph.ties)


def test_ordinary_graphs_of_any_make_are_read() -> None:
    ordinary: nx.Graph[object] = nx.MultiGraph(
        [("a", 1), (1, "a"), ((2, 3), "a"), ("a", "a"), (None.__class__, "b")]
    )
    ordinary.add_node(frozenset("x"))
    frozen = nx.freeze(ordinary.copy())
    view = nx.subgraph_view(ordinary, filter_node=lambda node: node != "b")
    assert as_tie_graph(ordinary).weights.tolist() == [2, 1, 2, 1, 1, 1]
    assert as_tie_graph(frozen).node_labels == list(ordinary)
    assert as_tie_graph(view).degrees.tolist() == [2, 1, 1, 0, 0]


def test_whole_numbers_of_two_widths_are_ids_of_one_type() -> None:
    frame = pl.DataFrame({"customer_a": [1, 2], "customer_b": [2, 3]})
    narrow = frame.with_columns(customer_a=pl.col("customer_a").cast(pl.UInt8))
    assert tie_graph(narrow).node_labels == tie_graph(frame).node_labels == [1, 2, 3]


def test_reading_constants_starts_no_heavy_library() -> None:
    code = (
        "import sys, features.ties as t; t.HALF_LIVES_DAYS, t.tie_features(); "
        "sys.exit(len({'numba', 'networkx', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_public_name_can_be_loaded() -> None:
    import features.ties as room

    assert all(hasattr(room, name) for name in room.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = room.nothing
    assert "tie_table" in dir(room)
