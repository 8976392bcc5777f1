"""A customer's place in the network, in plain Python and networkx: one line per definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import networkx as nx

Value = float | int | None


def place(
    graph: nx.Graph[int],
    node: int,
    community: Sequence[int | None],
    is_member: Sequence[bool],
    leaver_age_days: Sequence[float],
) -> Mapping[str, Value]:
    """Columns of one node; ``graph`` holds only ties that may be used, ``community`` what `community_of` says."""
    near = set(graph[node])
    left = {other for other in graph if 0 <= leaver_age_days[other] <= 90}
    similarities = {
        other: len(near & set(graph[other])) / len(near | set(graph[other]))
        for other in left - {node}
        if near & set(graph[other])
    }
    return {
        "clustering": nx.clustering(graph, node) if len(near) > 1 else None,
        "core_number": nx.core_number(graph)[node],
        "pagerank_ratio": rank_ratio(graph, node),
        "n_second_order": len({far for other in near for far in graph[other]} - near - {node}),
        "leaver_similarity_max_90d": max(similarities.values(), default=0) if near else None,
        "leaver_similarity_mean_90d": sum(similarities.values()) / len(similarities)
        if similarities
        else None,
        **_community(graph, node, community, is_member, left),
    }


def rank_ratio(graph: nx.Graph[int], node: int) -> float | None:
    ranked = [other for other in graph if graph.degree(other, weight="weight") > 0]
    if node not in ranked:
        return None
    return len(ranked) * float(nx.pagerank(graph.subgraph(ranked), tol=1e-15, max_iter=2000)[node])


def _community(
    graph: nx.Graph[int],
    node: int,
    community: Sequence[int | None],
    is_member: Sequence[bool],
    left: set[int],
) -> Mapping[str, Value]:
    mine = {other for other in graph if community[other] == community[node] is not None}
    counted = {other for other in mine - {node} if is_member[other] or other in left}
    inside = {other: inner_strength(graph, other, mine) for other in sorted(mine)}
    leader = max((other for other in inside if is_member[other]), key=inside.__getitem__, default=None)
    n_here = sum(is_member[other] for other in mine)
    whole = graph.degree(node, weight="weight")
    return {
        "community_size": n_here if n_here > 5 else None,
        "community_churn_rate_90d": len(counted & left) / len(counted) if len(counted) >= 5 else None,
        "is_community_leader": int(leader == node) if n_here > 5 else None,
        "community_strength_share": inside[node] / whole if mine and whole else None,
    }


def inner_strength(graph: nx.Graph[int], node: int, mine: set[int]) -> float:
    """Added up by rising neighbour: equal sums stay equal."""
    return float(sum(graph[node][other]["weight"] for other in sorted(graph[node]) if other in mine))
