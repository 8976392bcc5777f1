"""What has no compiled measure: networkx's own function, on an ordinary copy or on the sparse graph itself.

It decides which of the two, and says what a copy costs.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from typing import Any

import networkx as nx

from ..graph import ContactGraph, TieGraph
from .reading import Reading

BYTES_PER_EDGE, BYTES_PER_VALUE = 330, 47
"""What an edge of an ordinary graph takes, and each value on it: tracemalloc on CPython 3.11, 2 to 14 values."""

SECONDS_PER_EDGE, SECONDS_PER_VALUE = 3e-6, 1.2e-7
"""What copying takes: 1 M edges with 2, 6 and 14 values on one core of 2026; other machines differ by some times."""

READ_IN_PLACE = frozenset(
    """
    adjacency_matrix algebraic_connectivity all_shortest_paths all_simple_edge_paths all_simple_paths ancestors
    astar_path bethe_hessian_matrix bfs_edges bfs_labeled_edges bfs_layers bfs_predecessors bfs_successors
    bfs_tree bidirectional_dijkstra bidirectional_shortest_path boundary_expansion conductance constraint
    cut_size degree_assortativity_coefficient degree_mixing_dict degree_mixing_matrix
    degree_pearson_correlation_coefficient descendants descendants_at_distance dfs_edges dfs_labeled_edges
    dfs_preorder_nodes dfs_tree dijkstra_path dijkstra_path_length dijkstra_predecessor_and_distance dispersion
    edge_boundary edge_expansion effective_size ego_graph eigenvector_centrality_numpy fiedler_vector
    generic_bfs_edges get_edge_attributes get_node_attributes has_path hits intra_community_edges is_empty
    is_isolate is_negatively_weighted is_partition is_simple_path is_weighted isolates k_core k_corona k_crust
    k_shell laplacian_matrix local_constraint mixing_expansion modularity_matrix multi_source_dijkstra
    multi_source_dijkstra_path multi_source_dijkstra_path_length mutual_weight node_boundary node_degree_xy
    node_expansion normalized_cut_size normalized_laplacian_matrix normalized_mutual_weight number_of_isolates
    number_of_selfloops predecessor reciprocity relabel_nodes shortest_path shortest_path_length
    single_source_dijkstra single_source_dijkstra_path single_source_dijkstra_path_length
    single_source_shortest_path single_target_shortest_path single_target_shortest_path_length spectral_ordering
    to_dict_of_lists to_edgelist to_numpy_array to_pandas_adjacency to_pandas_edgelist volume
    """.split()
)
"""Functions that look at few rows, list every edge once, or rest on covered ones: a copy would cost more than it saves.
"""


class TiesCopiedWarning(UserWarning):
    """networkx needed an ordinary copy of a sparse graph: once per graph and function, with the cost."""


def dispatchable(name: str) -> Any:
    """Give what networkx knows of a function that it dispatches; None if it dispatches none of that name."""
    found = nx.utils.backends._registered_algorithms.get(name)  # noqa: SLF001
    return None if found is None else found.__wrapped__


def answered_by_networkx(
    name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], *, in_place: bool = False
) -> Any:
    """Call networkx's own function with ordinary graphs for sparse ones, unless it is to read these in place.

    Raises
    ------
    networkx.NetworkXError
        The function would write to the graph, which is frozen; whatever networkx raises.
    """
    function = dispatchable(name)
    if "networkx" not in function.backends:
        msg = f"{name}: expected finite weights of 0 or more, not all 0; for others networkx has no {name} either"
        raise nx.NetworkXNotImplemented(msg)
    writes = function._will_call_mutate_input(args, kwargs)  # noqa: SLF001
    stays = in_place or writes or name in READ_IN_PLACE

    def given(value: Any) -> Any:
        if isinstance(value, Reading):
            return value.graph
        if isinstance(value, TieGraph | ContactGraph) and not stays:
            return _ordinary_copy(name, value)
        if isinstance(value, list) and any(isinstance(each, TieGraph | ContactGraph) for each in value):
            return [given(each) for each in value]
        return value

    return function.orig_func(*map(given, args), **{key: given(value) for key, value in kwargs.items()})


def _ordinary_copy(name: str, graph: TieGraph | ContactGraph) -> Any:
    """Copy a graph; give the copy made before if networkx keeps such (``nx.config.cache_converted_graphs``)."""
    told: set[str] = graph.__dict__.setdefault("_copied_for", set())
    copied = graph.__dict__.get("_ordinary")
    if name not in told:
        told.add(name)
        warnings.warn(_cost(name, graph, is_kept=copied is not None), TiesCopiedWarning, _caller_level())
    if copied is None:
        copied = graph.to_networkx()
        if nx.config.cache_converted_graphs:
            graph.__dict__["_ordinary"] = copied
    return copied


def _cost(name: str, graph: TieGraph | ContactGraph, *, is_kept: bool) -> str:
    n_edges, n_values = graph.number_of_edges(), len(graph.layout.forward)
    n_bytes = n_edges * (BYTES_PER_EDGE + n_values * BYTES_PER_VALUE)
    seconds = n_edges * (SECONDS_PER_EDGE + n_values * SECONDS_PER_VALUE)
    size = f"about {max(n_bytes / 1e6, 0.1):,.1f} MB and {max(seconds, 0.1):,.1f} s for {n_edges:,} edges"
    cost = (
        f"the ordinary copy made before ({size}) is used" if is_kept else f"an ordinary copy is made: {size}"
    )
    return (
        f"{name} has no compiled measure for this: {cost}; then networkx's own loops run. Pass a subgraph where "
        "that is enough, or graph.to_networkx() to choose the moment."
    )


def _caller_level() -> int:
    """Stack level of whoever called networkx, as `warnings.warn` counts from this module's caller of it."""
    level, frame = 1, sys._getframe(1)  # noqa: SLF001
    inside = ("features.ties.backend", "networkx")
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(inside):
        level, frame = level + 1, frame.f_back
    return level
