"""What networkx is told about our compiled measures before it needs any of them.

Every program that imports networkx where churnrisk is installed reads this, so it holds words and nothing else: no
library is imported here, and networkx goes on as before until somebody asks for the backend by name or brings one of
its graphs. The measures themselves are in features.ties.backend.
"""

from __future__ import annotations

from typing import NamedTuple

BACKEND = "churnrisk"
"""Name under which networkx finds the backend: ``nx.pagerank(G, backend="churnrisk")``."""

SUMMARY = "Compiled measures on sparse rows; its graphs are read-only networkx graphs of customers' ties."


class Measure(NamedTuple):
    """A networkx function that runs on sparse rows: what is special about it, and for which graphs."""

    note: str
    is_directed: bool = False
    is_weighted: bool = False
    is_multi: bool = False


MEASURES = {
    "adamic_adar_index": Measure("Scores are computed 65,536 pairs at a time."),
    "average_clustering": Measure("As `clustering`.", is_directed=True, is_weighted=True),
    "average_neighbor_degree": Measure(
        "All `source` and `target` degrees.", is_directed=True, is_weighted=True
    ),
    "clustering": Measure(
        "For some nodes it still costs what it costs for all, but for a single node.",
        is_directed=True,
        is_weighted=True,
    ),
    "connected_components": Measure("Parts in the order of their first node.", is_multi=True),
    "core_number": Measure(
        "In-degree plus out-degree for directed graphs, as in networkx.", is_directed=True
    ),
    "degree_centrality": Measure("", is_directed=True, is_multi=True),
    "eigenvector_centrality": Measure("", is_directed=True, is_weighted=True),
    "in_degree_centrality": Measure("", is_directed=True, is_multi=True),
    "is_connected": Measure("", is_multi=True),
    "is_strongly_connected": Measure("", is_directed=True, is_multi=True),
    "is_weakly_connected": Measure("", is_directed=True, is_multi=True),
    "jaccard_coefficient": Measure("Scores are computed 65,536 pairs at a time."),
    "katz_centrality": Measure("", is_directed=True, is_weighted=True),
    "leiden_communities": Measure(
        "Modularity: networkx 3.6 has no Leiden of its own; where 3.7 has, pass `metric='modularity'`. The same ties "
        "and seed give the same communities on any machine.",
        is_weighted=True,
        is_multi=True,
    ),
    "leiden_partitions": Measure(
        "As `leiden_communities`, one partition per level.", is_weighted=True, is_multi=True
    ),
    "louvain_communities": Measure(
        "Visits nodes in an order of its own: other communities than networkx's, of like modularity. The same ties and "
        "seed give the same communities on any machine; without a seed, the same every time.",
        is_weighted=True,
        is_multi=True,
    ),
    "louvain_partitions": Measure(
        "As `louvain_communities`, one partition per level.", is_weighted=True, is_multi=True
    ),
    "modularity": Measure("", is_directed=True, is_weighted=True, is_multi=True),
    "node_connected_component": Measure("", is_multi=True),
    "number_connected_components": Measure("", is_multi=True),
    "number_strongly_connected_components": Measure("", is_directed=True, is_multi=True),
    "number_weakly_connected_components": Measure("", is_directed=True, is_multi=True),
    "out_degree_centrality": Measure("", is_directed=True, is_multi=True),
    "overall_reciprocity": Measure("", is_directed=True),
    "pagerank": Measure(
        "networkx's steps and stopping rule: it stops when the *sum* of changes is below N x tol; on a large graph "
        "pass tol = x / N where the order of nodes matters.",
        is_directed=True,
        is_weighted=True,
        is_multi=True,
    ),
    "preferential_attachment": Measure("Scores are computed 65,536 pairs at a time."),
    "resource_allocation_index": Measure("Scores are computed 65,536 pairs at a time."),
    "single_source_shortest_path_length": Measure("", is_directed=True, is_multi=True),
    "strongly_connected_components": Measure(
        "Parts in the order of their first node.", is_directed=True, is_multi=True
    ),
    "to_scipy_sparse_array": Measure("Shares no memory with the graph.", is_directed=True, is_weighted=True),
    "transitivity": Measure(""),
    "triangles": Measure("For some nodes it still costs what it costs for all, but for a single node."),
    "weakly_connected_components": Measure(
        "Parts in the order of their first node.", is_directed=True, is_multi=True
    ),
}
"""networkx function -> what the backend does with it. networkx 3.6 and 3.7 dispatch all of them."""


def backend_info() -> dict[str, object]:
    """Say what networkx shows in its docs and asks at its start (entry point ``networkx.backend_info``)."""
    return {
        "backend_name": BACKEND,
        "project": "churnrisk",
        "package": "churnrisk",
        "short_summary": SUMMARY,
        "functions": {
            name: {"additional_docs": measure.note} if measure.note else {}
            for name, measure in MEASURES.items()
        },
    }
