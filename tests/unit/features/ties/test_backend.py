"""What networkx does with a graph of ties: where a call goes, what it costs, what it leaves alone."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import polars as pl
import pytest
from networkx.classes.reportviews import EdgeViewABC

from churnrisk.networkx_info import BACKEND, MEASURES, backend_info
from features.ties import TieGraph, as_tie_graph, tie_graph
from features.ties.backend.interface import ON_ROWS, backend
from features.ties.backend.ordinary import READ_IN_PLACE, TiesCopiedWarning, dispatchable

DOCS = Path(__file__).parents[4] / "churnrisk" / "docs"


@pytest.fixture
def ties() -> TieGraph:
    return as_tie_graph(nx.les_miserables_graph())


@pytest.fixture
def on_rows(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the covered functions that answered from the rows."""
    called: list[str] = []

    def noted(name: str, measure: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            result = measure(*args, **kwargs)
            called.append(name)
            return result

        return call

    for name, measure in list(ON_ROWS.items()):
        monkeypatch.setitem(ON_ROWS, name, noted(name, measure))
    return called


def python(text: str) -> Any:
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_is_declared_is_what_there_is() -> None:
    assert set(ON_ROWS) == set(MEASURES)
    assert all(dispatchable(name) for name in MEASURES)
    assert set(backend_info()["functions"]) == set(MEASURES)  # type: ignore[call-overload]
    assert backend_info()["backend_name"] == BACKEND
    assert "churnrisk" in nx.pagerank.__doc__
    assert not set(MEASURES) & READ_IN_PLACE
    assert not {"read_edgelist", "karate_club_graph"} & {name for name in dir(nx) if hasattr(backend, name)}


def test_importing_networkx_with_the_backend_loads_words_and_no_library() -> None:
    loaded = python(
        "import sys, json, networkx as nx; nx.pagerank.__doc__, nx.config; "
        "print(json.dumps([sorted({name.split('.')[0] for name in sys.modules} & "
        "{'numba', 'scipy', 'polars', 'numpy', 'features', 'duckdb'}), nx.config.backend_priority.algos, "
        "'churnrisk' in nx.config.backends]))"
    )
    assert loaded == [[], [], True]


def test_ordinary_graphs_stay_with_networkx_unless_asked(on_rows: list[str]) -> None:
    graph = nx.les_miserables_graph()
    nx.pagerank(graph)
    nx.clustering(graph)
    assert on_rows == []
    nx.pagerank(graph, backend="churnrisk")
    assert on_rows == ["pagerank"]


def test_asked_for_all_only_graphs_worth_reading_are_read(on_rows: list[str]) -> None:
    small, large = nx.path_graph(50), nx.gnm_random_graph(500, 3000, seed=1)
    with nx.config.backend_priority(algos=["churnrisk"]):
        assert nx.is_connected(small)
        assert on_rows == []
        assert nx.core_number(large) == nx.core_number(large, backend="networkx")
        assert on_rows == ["core_number"]
        nx.triangles(large.to_directed().to_undirected())
        nx.transitivity(large.to_directed())  # not covered with directions: networkx
    assert on_rows == ["core_number", "triangles"]


@pytest.mark.parametrize("kind", [nx.DiGraph, nx.MultiGraph])
def test_what_is_not_covered_for_a_kind_of_graph_is_refused_by_name(kind: type[nx.Graph]) -> None:
    graph = kind([(0, 1), (1, 2), (0, 2)])
    with pytest.raises(NotImplementedError, match="not implemented by 'churnrisk'"):
        nx.transitivity(graph, backend="churnrisk")
    with pytest.raises(NotImplementedError):
        nx.betweenness_centrality(graph, backend="churnrisk")


def test_a_function_without_a_compiled_measure_names_the_cost_of_its_copy_once(ties: TieGraph) -> None:
    with pytest.warns(
        TiesCopiedWarning, match=r"betweenness_centrality .* 0\.1 MB and 0\.1 s for 254 edges"
    ) as told:
        found = nx.betweenness_centrality(ties)
    assert told[0].filename == __file__
    assert found == nx.betweenness_centrality(ties.to_networkx())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert nx.betweenness_centrality(ties) == found
    with pytest.warns(TiesCopiedWarning, match="made before"):
        nx.minimum_spanning_tree(ties)
    with pytest.warns(TiesCopiedWarning, match="an ordinary copy is made"):
        nx.betweenness_centrality(ties.labelled([str(node) for node in range(77)]))


def test_no_copy_is_kept_where_networkx_is_told_to_keep_none(ties: TieGraph) -> None:
    with nx.config(cache_converted_graphs=False), pytest.warns(TiesCopiedWarning):
        nx.closeness_centrality(ties)
    assert "_ordinary" not in vars(ties)


def test_graphs_that_networkx_returns_are_ordinary(ties: TieGraph) -> None:
    for made in (
        nx.k_core(ties, 5),
        nx.ego_graph(ties, "Valjean"),
        nx.relabel_nodes(ties, {"Valjean": 24601}),
    ):
        assert type(made) is nx.Graph
        made.add_edge("x", "y")
    with pytest.warns(TiesCopiedWarning):
        assert type(nx.complement(ties)) is nx.Graph


def test_functions_that_read_few_rows_need_no_copy(ties: TieGraph) -> None:
    ordinary = ties.to_networkx()
    ends = ("Myriel", "Javert")
    assert nx.shortest_path_length(ties, *ends) == nx.shortest_path_length(ordinary, *ends)
    assert nx.dijkstra_path(ties, *ends) == nx.dijkstra_path(ordinary, *ends)
    assert nx.common_neighbors(ties, *ends) == nx.common_neighbors(ordinary, *ends)
    contacts = tie_graph(
        pl.DataFrame({"customer_a": ["a", "a"], "customer_b": ["b", "c"], "n_ab": [2, 1], "n_ba": [1, 0]})
    )
    assert nx.reciprocity(contacts.contacts(), ["a", "b", "c"]) == {"a": 2 / 3, "b": 1.0, "c": 0.0}


ONE, OTHER, SOME = "Myriel", "Javert", ["Myriel", "Javert", "Valjean"]
IN_PLACE: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(
        """
            adjacency_matrix algebraic_connectivity bethe_hessian_matrix degree_assortativity_coefficient
            degree_mixing_dict degree_mixing_matrix degree_pearson_correlation_coefficient
            eigenvector_centrality_numpy hits is_empty is_negatively_weighted is_weighted
            isolates k_core k_crust k_shell laplacian_matrix modularity_matrix node_degree_xy
            normalized_laplacian_matrix number_of_isolates number_of_selfloops
            to_dict_of_lists to_edgelist to_numpy_array to_pandas_adjacency to_pandas_edgelist
            """.split(),
        (),
    ),
    **dict.fromkeys(
        """
            ancestors bfs_edges bfs_labeled_edges bfs_layers bfs_predecessors bfs_successors bfs_tree
            descendants dfs_edges dfs_labeled_edges dfs_preorder_nodes dfs_tree
            dijkstra_predecessor_and_distance ego_graph generic_bfs_edges is_isolate predecessor
            shortest_path shortest_path_length single_source_dijkstra single_source_dijkstra_path
            single_source_dijkstra_path_length single_source_shortest_path single_target_shortest_path
            single_target_shortest_path_length
            """.split(),
        (ONE,),
    ),
    **dict.fromkeys(
        """
            all_shortest_paths astar_path bidirectional_dijkstra bidirectional_shortest_path dijkstra_path
            dijkstra_path_length dispersion has_path local_constraint mutual_weight normalized_mutual_weight
            """.split(),
        (ONE, OTHER),
    ),
    **dict.fromkeys(
        """
            boundary_expansion conductance constraint cut_size edge_boundary edge_expansion effective_size
            is_simple_path mixing_expansion multi_source_dijkstra multi_source_dijkstra_path
            multi_source_dijkstra_path_length node_boundary node_expansion normalized_cut_size volume
            """.split(),
        (SOME,),
    ),
    **dict.fromkeys(("fiedler_vector", "spectral_ordering"), ("weight", False, 1e-12, "tracemin_pcg", 0)),
    "all_simple_edge_paths": (ONE, OTHER, 2),
    "all_simple_paths": (ONE, OTHER, 2),
    "descendants_at_distance": (ONE, 2),
    "get_edge_attributes": ("weight",),
    "get_node_attributes": ("colour",),
    "intra_community_edges": ([SOME],),
    "is_partition": ([SOME],),
    "k_corona": (3,),
    "relabel_nodes": ({ONE: OTHER},),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # networkx 3.7 on bfs_predecessors
@pytest.mark.parametrize("name", sorted((READ_IN_PLACE | set(IN_PLACE)) - {"reciprocity"}))
def test_a_function_read_in_place_copies_nothing_and_says_the_same(name: str, ties: TieGraph) -> None:
    ordinary = ties.to_networkx()
    function = getattr(nx, name, None) or dispatchable(name)
    with nx.config(cache_converted_graphs=False):  # a copy would warn, and warnings are errors here
        found, expected = (plain(function(graph, *IN_PLACE[name])) for graph in (ties, ordinary))
    assert alike(found, expected)


def plain(result: Any) -> Any:
    """Lists and dicts for what networkx returns."""
    if isinstance(result, Iterator | EdgeViewABC):
        return list(result)
    if hasattr(result, "toarray") or isinstance(result, np.ndarray):
        return getattr(result, "toarray", lambda: result)().tolist()
    if isinstance(result, nx.Graph):
        return nx.to_dict_of_dicts(result)
    return result.to_dict("records") if hasattr(result, "to_dict") else result


def alike(found: Any, expected: Any) -> bool:
    if isinstance(expected, Mapping):
        return found.keys() == expected.keys() and all(alike(found[key], expected[key]) for key in expected)
    if isinstance(expected, list | tuple):
        return len(found) == len(expected) and all(map(alike, found, expected))
    return bool(found == expected) or abs(found - expected) < 1e-9


def test_a_single_node_is_looked_at_alone(ties: TieGraph, on_rows: list[str]) -> None:
    ordinary = ties.to_networkx()
    for name in ("triangles", "clustering"):  # without a copy: its warning would be an error here
        assert getattr(nx, name)(ties, "Valjean") == getattr(nx, name)(ordinary, "Valjean")
    assert on_rows == []


def test_ties_and_an_ordinary_graph_in_one_call_are_refused_by_networkx(ties: TieGraph) -> None:
    with pytest.raises(TypeError, match="Unable to convert inputs"):
        nx.compose(ties, nx.path_graph(3))
    with pytest.warns(TiesCopiedWarning):
        assert nx.compose(ties, ties).number_of_edges() == 254
    with pytest.warns(TiesCopiedWarning):
        assert nx.compose_all([ties, ties]).number_of_edges() == 254


def test_weights_that_are_no_weights_are_judged_by_networkx(on_rows: list[str]) -> None:
    graph = nx.Graph()
    for number, weight in enumerate((-1.0, float("nan"), None, "heavy", float("inf"))):
        graph.add_edge("x", number, weight=weight)
    for weight in (None, "no such attribute"):
        nx.pagerank(graph, weight=weight, backend="churnrisk")
    assert on_rows == ["pagerank", "pagerank"]
    with pytest.raises((TypeError, ValueError)):
        nx.pagerank(graph, backend="churnrisk")
    assert on_rows == ["pagerank", "pagerank"]


def test_any_numeric_column_can_be_the_weight() -> None:
    frame = pl.DataFrame(
        {"customer_a": ["a", "a", "b"], "customer_b": ["b", "c", "c"], "n_ab": [3, 1, 0], "n_ba": [1, 1, 5]}
    )
    ties = tie_graph(frame)
    ordinary = ties.to_networkx()
    for graph, same in ((ties, ordinary), (ties.contacts(), ties.contacts().to_networkx())):
        for weight in ("weight", "strength", "n_ab", "n_out", None):
            assert nx.pagerank(graph, weight=weight) == pytest.approx(
                nx.pagerank(same, weight=weight), abs=1e-12
            )


BAD_GRAPHS = {
    "empty": [],
    "one tie": [("a", "b")],
    "only calls to oneself": [("a", "a"), ("b", "b")],
    "the same tie from both ends": [("a", "b"), ("b", "a"), ("a", "b")],
    "a hub": [("hub", f"c{number}") for number in range(300)],
    "ids as numbers": [(7, 3), (3, 1_000_000_007)],
    "numbers as text": [("7", "07"), ("07", "1000000007")],
}


@pytest.mark.parametrize("pairs", BAD_GRAPHS.values(), ids=BAD_GRAPHS)
def test_odd_input_gives_what_networkx_gives_for_it(pairs: list[tuple[Any, Any]]) -> None:
    kind = pl.Int64 if pairs and isinstance(pairs[0][0], int) else pl.String
    ties = tie_graph(pl.DataFrame(pairs, schema={"customer_a": kind, "customer_b": kind}, orient="row"))
    ordinary = nx.Graph(pair for pair in pairs if pair[0] != pair[1])
    ordinary.add_nodes_from(node for pair in pairs for node in pair)
    assert set(ties) == set(ordinary)
    for name in ("pagerank", "clustering", "triangles", "core_number", "degree_centrality"):
        assert getattr(nx, name)(ties) == pytest.approx(
            getattr(nx, name)(ordinary, backend="networkx"), abs=1e-6
        )
    parts = [list(map(sorted, nx.connected_components(graph))) for graph in (ties, ordinary)]
    assert sorted(parts[0]) == sorted(parts[1])
    assert nx.community.is_partition(ties, nx.community.louvain_communities(ties))
    assert nx.transitivity(ties) == nx.transitivity(ordinary)


def test_views_and_subclasses_are_read_as_they_present_themselves() -> None:
    several = nx.MultiGraph([("a", "b"), ("b", "c"), ("b", "c"), ("c", "d"), ("a", "a")])
    view = nx.subgraph_view(several, filter_edge=lambda u, v, _: {u, v} != {"b", "c"})
    assert nx.number_connected_components(view, backend="churnrisk") == 2
    assert nx.pagerank(view, backend="churnrisk") == pytest.approx(nx.pagerank(view), abs=1e-12)

    class Complement(nx.Graph):  # type: ignore[misc]
        def adjacency(self) -> Iterator[Any]:
            return ((node, set(self) - {node} - set(self._adj[node])) for node in reversed(list(self)))

    path = Complement(nx.path_graph(4).edges)
    assert set(map(frozenset, nx.connected_components(path, backend="churnrisk"))) == {frozenset(range(4))}
    assert nx.triangles(Complement(nx.star_graph(3).edges), backend="churnrisk") == {0: 0, 1: 1, 2: 1, 3: 1}


def test_a_graph_read_once_is_not_read_again_until_it_changes(on_rows: list[str]) -> None:
    graph = nx.path_graph(4)
    assert nx.is_connected(graph, backend="churnrisk")
    with pytest.warns(UserWarning, match="cached graph is being used"):
        nx.is_connected(graph, backend="churnrisk")
    graph.add_node("alone")
    assert not nx.is_connected(graph, backend="churnrisk")
    assert on_rows == ["is_connected"] * 3


def test_the_example_of_the_page_says_what_comes_out() -> None:
    code = (DOCS / "networkx.md").read_text("utf-8").split("```python\n")[1].split("```")[0]
    space: dict[str, Any] = {}
    exec(code, space)
    ties = space["ties"]
    assert nx.clustering(ties) == {"ann": 1.0, "bob": 1.0, "cy": 1.0}
    assert ties["ann"]["bob"]["n_ab"] == 3


def test_results_hold_plain_python_numbers(ties: TieGraph) -> None:
    assert type(next(iter(nx.pagerank(ties).values()))) is float
    assert type(next(iter(nx.triangles(ties).values()))) is int
    assert type(nx.transitivity(ties)) is float
    assert type(nx.number_connected_components(ties)) is int
    assert nx.to_scipy_sparse_array(ties).dtype == np.float64
