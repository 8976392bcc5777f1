"""The sparse graph read by networkx code that knows nothing of it: the same answers as an ordinary graph gives."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import networkx as nx
import polars as pl
import pytest

from churnrisk.errors import UsageError
from features.ties import ContactGraph, TieGraph, tie_graph

NO_NUMBER = None
PAIRS = pl.DataFrame(
    [
        ("c", "b", 2.0, 1, 0, NO_NUMBER),
        ("a", "b", 1.0, 0, 4, 0.5),
        ("a", "c", 3.0, 2, 1, 0.1),
        ("d", "e", 1.0, 3, 0, NO_NUMBER),
        ("f", "f", 1.0, 9, 9, 0.2),
    ],
    schema=["customer_a", "customer_b", "weight", "n_ab", "n_ba", "overlap"],
    orient="row",
)


@pytest.fixture(params=["ties", "contacts"])
def pair(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    """A sparse graph and the ordinary graph of the same ties."""
    sparse = tie_graph(PAIRS)
    graph: Any = sparse if request.param == "ties" else sparse.contacts()
    return graph, graph.to_networkx()


def listed(graph: Any) -> list[Any]:
    return [(u, v, dict(facts)) for u, v, facts in graph.edges(data=True)]


def test_an_edge_tells_the_strength_and_every_column_of_its_tie() -> None:
    graph = tie_graph(PAIRS)
    assert dict(graph["a"]["b"]) == {"n_ab": 0, "n_ba": 4, "overlap": 0.5, "strength": 1.0, "weight": 1.0}
    assert math.isnan(graph["c"]["b"]["overlap"])
    assert "f" in graph
    assert list(graph["f"]) == []


def test_an_edge_of_contacts_is_seen_from_the_one_who_contacts() -> None:
    contacts = tie_graph(PAIRS).contacts()
    assert [(u, v, n) for u, v, n in contacts.edges(data="weight")] == [
        ("a", "c", 2),
        ("b", "a", 4),
        ("c", "a", 1),
        ("c", "b", 1),
        ("d", "e", 3),
    ]
    assert dict(contacts["c"]["a"]) == {"overlap": 0.1, "strength": 3.0, "n_out": 1, "n_in": 2, "weight": 1}


def test_ties_without_direction_give_no_contacts() -> None:
    with pytest.raises(UsageError, match=r"found ties without direction\. Give tie_graph both columns"):
        tie_graph(PAIRS.drop("n_ab", "n_ba")).contacts()


def test_nodes_edges_and_rows_are_those_of_the_ordinary_graph(pair: tuple[Any, Any]) -> None:
    graph, ordinary = pair
    assert list(graph) == list(ordinary)
    assert (len(graph), graph.number_of_edges()) == (len(ordinary), ordinary.number_of_edges())
    assert list(graph.edges) == list(ordinary.edges)
    assert (len(graph.edges), len(graph.edges(data=True))) == (ordinary.size(), ordinary.size())
    assert listed(graph) == listed(ordinary)
    for data in ("weight", "overlap", "nothing"):
        assert list(graph.edges(data=data, default=7)) == list(ordinary.edges(data=data, default=7))
    assert list(graph.edges(["c", "a"], data="weight")) == list(ordinary.edges(["c", "a"], data="weight"))
    for node in graph:
        assert {v: dict(facts) for v, facts in graph[node].items()} == dict(ordinary[node])
        assert list(graph.neighbors(node)) == list(ordinary.neighbors(node))


def test_degrees_are_those_of_the_ordinary_graph(pair: tuple[Any, Any]) -> None:
    graph, ordinary = pair
    kinds = ["degree", "in_degree", "out_degree"] if graph.is_directed() else ["degree"]
    for kind in kinds:
        for weight in (None, "weight", "strength", "nothing"):
            found, expected = getattr(graph, kind)(weight=weight), getattr(ordinary, kind)(weight=weight)
            assert dict(found) == dict(expected)
            assert found["b"] == expected["b"]
        assert dict(getattr(graph, kind)(["a", "d"])) == dict(getattr(ordinary, kind)(["a", "d"]))
    found, expected = (each.degree(weight="overlap") for each in pair)  # unknown somewhere
    assert repr(dict(found)) == repr(dict(expected))
    assert math.isnan(found["d"])


def test_what_comes_before_a_node_is_read_too() -> None:
    graph = tie_graph(PAIRS).contacts()
    ordinary = graph.to_networkx()
    for node in graph:
        assert {v: dict(facts) for v, facts in graph.pred[node].items()} == dict(ordinary.pred[node])
    assert list(graph.in_edges(data="weight")) == list(ordinary.in_edges(data="weight"))
    assert nx.utils.graphs_equal(graph.reverse(), ordinary.reverse())
    assert set(graph.reverse(copy=False).edges) == set(ordinary.reverse().edges)


@pytest.mark.parametrize(
    "made",
    [
        lambda graph: graph.copy(),
        lambda graph: graph.to_undirected(),
        lambda graph: graph.to_directed(),
        lambda graph: graph.subgraph(["a", "b", "c"]).copy(),
        lambda graph: graph.edge_subgraph([("c", "a")]).copy(),
        lambda graph: nx.subgraph_view(graph, filter_node=lambda node: node != "a").copy(),
        lambda graph: graph.copy(as_view=True).copy(),
        nx.Graph,
        nx.DiGraph,
        lambda graph: nx.relabel_nodes(graph, {"a": 1}),
        nx.create_empty_copy,
    ],
)
def test_what_networkx_makes_of_it_is_an_ordinary_graph(
    pair: tuple[Any, Any], made: Callable[[Any], Any]
) -> None:
    graph, ordinary = pair
    found, expected = made(graph), made(ordinary)
    assert type(found) is type(expected)
    assert nx.utils.graphs_equal(found, expected)
    found.add_edge("x", "y", weight=1)
    assert all(type(facts) is dict for _, _, facts in found.edges(data=True))


def test_what_networkx_writes_is_what_it_writes_of_the_ordinary_graph(pair: tuple[Any, Any]) -> None:
    graph, ordinary = (made.subgraph(list("abc")) for made in pair)
    assert nx.node_link_data(graph) == nx.node_link_data(ordinary)
    graph, ordinary = pair
    assert nx.to_dict_of_dicts(graph) == nx.to_dict_of_dicts(ordinary)
    assert list(nx.generate_edgelist(graph)) == list(nx.generate_edgelist(ordinary))
    assert list(nx.generate_adjlist(graph)) == list(nx.generate_adjlist(ordinary))
    assert nx.to_numpy_array(graph).tolist() == nx.to_numpy_array(ordinary).tolist()
    assert nx.degree_histogram(graph) == nx.degree_histogram(ordinary)
    assert nx.density(graph) == nx.density(ordinary)
    assert set(nx.non_edges(graph)) == set(nx.non_edges(ordinary))
    assert graph._adj.copy() == ordinary._adj
    assert graph._node.copy() == ordinary._node
    assert list(graph.nodes(data="colour", default="?")) == list(ordinary.nodes(data="colour", default="?"))


@pytest.mark.filterwarnings("ignore::features.ties.TiesCopiedWarning")
@pytest.mark.parametrize("written", ["gexf", "graphml"])
@pytest.mark.parametrize("kind", [lambda ties: ties, TieGraph.contacts, TieGraph.to_networkx])
def test_files_for_other_programs_take_instants_and_unknown_numbers(
    tmp_path: Path, written: str, kind: Callable[[TieGraph], Any]
) -> None:
    at = datetime(2026, 6, 1, 12, 30)
    pairs = tie_graph(PAIRS).ties.with_columns(
        last_contact=pl.lit(at),
        burstiness=pl.lit(None, pl.Float64),
        is_dead=pl.Series([None, True, False, None]),
        seconds=pl.Series([None, 5, 6, None]),
    )
    graph = TieGraph.from_ties(pairs, 6, list("abcdef"))
    path = tmp_path / f"ties.{written}"
    getattr(nx, f"write_{written}")(kind(graph), path)
    read = getattr(nx, f"read_{written}")(path)
    assert set(read) == set("abcdef")
    assert read["a"]["c"]["last_contact"] == graph["a"]["c"]["last_contact"] == "2026-06-01T12:30:00"
    assert math.isnan(read["a"]["c"]["burstiness"])
    assert read["a"]["c"]["is_dead"] is graph["a"]["c"]["is_dead"] is True
    assert "is_dead" not in read["d"]["e"]
    assert math.isnan(read["d"]["e"]["seconds"])
    assert graph.ties["last_contact"].to_list() == [at] * graph.n_ties
    assert {each for _, _, each in graph.contacts().edges(data="last_contact")} == {"2026-06-01T12:30:00"}


@pytest.mark.parametrize("kind", [lambda ties: ties, TieGraph.contacts, TieGraph.to_networkx])
def test_a_flag_that_is_unknown_is_no_attribute_of_the_edge_and_never_true(
    kind: Callable[[TieGraph], Any],
) -> None:
    pairs = tie_graph(PAIRS).ties.with_columns(is_dead=pl.Series([None, True, False, None]))
    graph = kind(TieGraph.from_ties(pairs, 6, list("abcdef")))
    known = {
        frozenset(edge): row["is_dead"]
        for edge, row in zip(
            [("a", "b"), ("a", "c"), ("b", "c"), ("d", "e")], pairs.iter_rows(named=True), strict=True
        )
    }
    for one, other, facts in graph.edges(data=True):
        flag = known[frozenset((one, other))]
        assert facts.get("is_dead") is flag
        assert ("is_dead" in facts) == ("is_dead" in list(facts)) == (flag is not None)
        assert len(facts) == len(dict(facts)) == len(facts.copy())
        if flag is None:
            with pytest.raises(KeyError):
                facts["is_dead"]
    listed = [flag for _, _, flag in graph.edges(data="is_dead", default="?")]
    assert listed == [facts.get("is_dead", "?") for _, _, facts in graph.edges(data=True)]


def test_what_a_tie_costs_in_memory_is_what_is_said() -> None:
    ties = pl.DataFrame(
        {"node_a": range(999), "node_b": range(1, 1000), "strength": [1.0] * 999, "n_ab": 1, "n_ba": 1}
    )
    graph = TieGraph.from_ties(ties, 1000)
    arrays = (graph.indices, graph.weights, graph.tie_rows, graph.marks)
    assert sum(array.nbytes for array in arrays if array is not None) == 34 * graph.n_ties
    assert graph.indptr.nbytes == 8 * 1001
    contacts = graph.contacts()
    assert contacts.indices.nbytes + contacts.tie_rows.nbytes == 8 * contacts.number_of_edges()
    assert contacts.in_indices.nbytes + contacts.in_tie_rows.nbytes == 8 * contacts.number_of_edges()


def test_a_pickle_and_a_deep_copy_are_sparse_graphs_again(pair: tuple[Any, Any]) -> None:
    graph, _ = pair
    for again in (pickle.loads(pickle.dumps(graph)), copy.deepcopy(graph), copy.copy(graph)):
        assert type(again) in {TieGraph, ContactGraph}
        assert listed(again) == listed(graph)


@pytest.mark.parametrize(
    "write",
    [
        lambda graph: graph.add_node("x"),
        lambda graph: graph.add_edge("a", "x"),
        lambda graph: graph.remove_node("a"),
        lambda graph: graph.remove_edges_from([("c", "a")]),
        lambda graph: graph.clear(),
        lambda graph: graph.update(edges=[("a", "x")]),
        lambda graph: graph["c"]["a"].update(weight=9),
        lambda graph: graph.nodes["a"].update(colour="red"),
        lambda graph: nx.set_node_attributes(graph, 1, "colour"),
        lambda graph: nx.set_edge_attributes(graph, 1, "colour"),
        lambda graph: nx.relabel_nodes(graph, {"a": "x"}, copy=False),
        lambda graph: nx.add_path(graph, ["a", "x"]),
    ],
)
def test_writing_is_refused_as_networkx_refuses_it(
    pair: tuple[Any, Any], write: Callable[[Any], object]
) -> None:
    graph, ordinary = pair
    assert nx.is_frozen(graph)
    with pytest.raises(nx.NetworkXError, match="Frozen graph can't be modified"):
        write(graph)
    assert listed(graph) == listed(ordinary)


def test_a_node_that_is_not_there_is_answered_as_by_networkx(pair: tuple[Any, Any]) -> None:
    graph, ordinary = pair
    for each in (graph, ordinary):
        assert "x" not in each
        assert ["a"] not in each
        assert not each.has_edge("a", "x")
        with pytest.raises(KeyError):
            each["x"]
        with pytest.raises(nx.NetworkXError):
            list(each.neighbors("x"))
        with pytest.raises(KeyError):
            each["a"]["d"]


def test_numbers_are_names_where_no_others_are_given() -> None:
    ties = pl.DataFrame({"node_a": [0], "node_b": [2], "strength": [1.5]})
    graph = TieGraph.from_ties(ties, 4)
    assert list(graph.edges(data="weight")) == [(0, 2, 1.5)]
    assert all(node in graph for node in (0, 3, 2.0, True))
    assert not any(node in graph for node in (4, -1, 0.5, "0", None, float("nan")))
    named = graph.labelled("wxyz")
    named.name = "letters"
    assert (list(named.edges), graph.name) == ([("w", "y")], "")


def test_names_that_come_twice_are_refused_when_first_needed() -> None:
    ties = pl.DataFrame({"node_a": [0], "node_b": [1], "strength": [1.0]})
    with pytest.raises(ValueError, match="all different, found 1"):
        _ = "x" in TieGraph.from_ties(ties, 3, ["x", "x", "y"])


def test_a_graph_without_ties_or_nodes_can_be_read() -> None:
    empty = TieGraph.from_ties(
        pl.DataFrame(schema={"node_a": pl.Int32, "node_b": pl.Int32, "strength": pl.Float64}), 0
    )
    alone = TieGraph.from_ties(empty.ties, 3)
    assert (list(empty), list(empty.edges), dict(empty.degree)) == ([], [], {})
    assert (list(alone), list(alone.edges(data=True)), dict(alone.degree)) == (
        [0, 1, 2],
        [],
        {0: 0, 1: 0, 2: 0},
    )
