"""Who stands two steps away: how many customers friends lead to, and how alike one's friends are to those of leavers.

It knows rows of neighbours and who left when; it refuses to know why, and what a model makes of it.
"""

from __future__ import annotations

import numpy as np

from .kernels import FloatArray, IntArray, MarkArray, NodeArray, added, chunked, compiled, frozen

HUB_TIES = 4096
"""A node with more ties than that is walked through once for all its neighbours together, not once for each. A guess
about speed alone, but for `leaver_similarity`: nobody has so many friends, so a hub is nobody's common friend."""


def second_order_reach(indptr: IntArray, indices: NodeArray) -> IntArray:
    r"""Number of nodes exactly two ties away: friends of friends who are neither friends nor the node itself.

    Parameters
    ----------
    indptr, indices
        int64, n + 1, and int32, 2 per tie: symmetric rows, each ascending, no self-loops.

    Returns
    -------
    numpy.ndarray
        int64, n; 0 where nobody is two ties away.

    Notes
    -----
    The sum over nodes of the square of their degrees; those who share the same hubs (more than `HUB_TIES` ties) share
    one walk through them, and the result is exact all the same.

    References
    ----------
    Burt 1992, chapter 1 (effective reach of contacts).

    Examples
    --------
    >>> import networkx as nx
    >>> from features.ties import as_tie_graph
    >>> graph = as_tie_graph(nx.path_graph(5))
    >>> second_order_reach(graph.indptr, graph.indices).tolist()
    [1, 1, 2, 1, 1]
    """
    hubs = hub_sets(indptr, indices, HUB_TIES)
    with chunked(indptr) as each:
        reach = added(each(lambda _, first, last: reach_without_hubs(first, last, indptr, indices, hubs)))
    beside_hubs = np.flatnonzero(hubs)
    if len(beside_hubs):
        in_turn = beside_hubs[np.argsort(hubs[beside_hubs], kind="stable")]
        reach += reach_with_hubs(frozen(in_turn, np.int32), indptr, indices, HUB_TIES)
    return reach


def leaver_similarity(
    indptr: IntArray, indices: NodeArray, is_leaver: MarkArray, in_turn: NodeArray | None = None
) -> tuple[FloatArray, FloatArray]:
    r"""How much a node's friends are those of somebody who left: greatest and mean Jaccard similarity, 0 to 1.

    Parameters
    ----------
    indptr, indices
        Symmetric rows as for `second_order_reach`.
    is_leaver
        uint8, n: 1 = the node left lately. Nobody is compared with himself.
    in_turn
        int32, n: the order in which leavers add to a sum; None = by their numbers.

    Returns
    -------
    greatest, mean : numpy.ndarray
        float64, n: over the leavers who share a friend with the node. ``greatest`` is 0 where there is none, and
        ``mean`` is NaN there.

    Notes
    -----
    With neighbours N: :math:`J_{il} = |N_i \cap N_l| / |N_i \cup N_l|`; a common neighbour with more than `HUB_TIES`
    ties is no common friend. Two steps from every leaver: the sum over the leavers' neighbours of their degrees. Sums
    run in the order of the leavers.

    References
    ----------
    Jaccard 1901; Benedek, Lubloy & Vastag 2014 (structural similarity to churners).

    Examples
    --------
    >>> import networkx as nx, numpy as np
    >>> from features.ties import as_tie_graph
    >>> from features.ties.kernels import frozen
    >>> graph = as_tie_graph(nx.Graph([(0, 1), (1, 2), (2, 3)]))
    >>> left = frozen(np.array([0, 0, 1, 0]), np.uint8)
    >>> greatest, mean = leaver_similarity(graph.indptr, graph.indices, left)
    >>> greatest.tolist(), mean.tolist()
    ([0.5, 0.0, 0.0, 0.0], [0.5, nan, nan, nan])
    """
    leavers = np.flatnonzero(is_leaver) if in_turn is None else in_turn[is_leaver[in_turn] > 0]
    greatest, total, n_near = leavers_near(indptr, indices, frozen(leavers, np.int32), HUB_TIES)
    mean = np.divide(total, n_near, out=np.full(len(total), np.nan), where=n_near > 0)
    return greatest, mean


@compiled
def hub_sets(indptr: IntArray, indices: NodeArray, hub_ties: int) -> IntArray:
    """By node a number for the set of hubs beside it, 0 = none; different sets rarely share a number."""
    n_nodes = len(indptr) - 1
    numbers = np.zeros(n_nodes, np.int64)
    for hub in range(n_nodes):
        if indptr[hub + 1] - indptr[hub] > hub_ties:
            for entry in range(indptr[hub], indptr[hub + 1]):
                # wraps around: a multiplicative hash
                numbers[indices[entry]] = numbers[indices[entry]] * np.int64(6364136223846793005) + hub + 1
    return numbers


@compiled
def reach_without_hubs(
    first: int, last: int, indptr: IntArray, indices: NodeArray, hubs: IntArray
) -> IntArray:
    """Nodes two ties away from the nodes first to last that have no hub beside them; 0 for all others."""
    reach = np.zeros(len(indptr) - 1, np.int64)
    seen_by = np.full(len(indptr) - 1, -1, np.int32)
    for node in range(first, last):
        if hubs[node] != 0:
            continue
        seen_by[node] = node
        for entry in range(indptr[node], indptr[node + 1]):
            seen_by[indices[entry]] = node
        n_reached = 0
        for entry in range(indptr[node], indptr[node + 1]):
            near = indices[entry]
            for step in range(indptr[near], indptr[near + 1]):
                far = indices[step]
                n_reached += seen_by[far] != node
                seen_by[far] = node
        reach[node] = n_reached
    return reach


@compiled
def reach_with_hubs(in_turn: NodeArray, indptr: IntArray, indices: NodeArray, hub_ties: int) -> IntArray:
    """Nodes two ties away from each of the given nodes; what the hubs beside one reach is kept for the next."""
    n_nodes = len(indptr) - 1
    reach = np.zeros(n_nodes, np.int64)
    seen_by = np.full(n_nodes, -1, np.int32)
    is_covered = np.zeros(n_nodes, np.uint8)
    n_covered = 0
    before = -1
    for node in in_turn:
        if before < 0 or not same_hubs(before, node, indptr, indices, hub_ties):
            is_covered[:] = 0
            n_covered = 0
            for entry in range(indptr[node], indptr[node + 1]):
                hub = indices[entry]
                if indptr[hub + 1] - indptr[hub] > hub_ties:
                    for step in range(indptr[hub], indptr[hub + 1]):
                        n_covered += is_covered[indices[step]] == 0
                        is_covered[indices[step]] = 1
        before = node
        seen_by[node] = node
        n_reached = n_covered - is_covered[node]
        for entry in range(indptr[node], indptr[node + 1]):
            seen_by[indices[entry]] = node
            n_reached -= is_covered[indices[entry]]
        for entry in range(indptr[node], indptr[node + 1]):
            near = indices[entry]
            if indptr[near + 1] - indptr[near] > hub_ties:
                continue
            for step in range(indptr[near], indptr[near + 1]):
                far = indices[step]
                n_reached += seen_by[far] != node and is_covered[far] == 0
                seen_by[far] = node
        reach[node] = n_reached
    return reach


@compiled
def same_hubs(one: int, other: int, indptr: IntArray, indices: NodeArray, hub_ties: int) -> bool:
    """Whether two nodes have the same hubs beside them."""
    left, right = indptr[one], indptr[other]
    while True:
        while left < indptr[one + 1]:
            hub = indices[left]
            if indptr[hub + 1] - indptr[hub] > hub_ties:
                break
            left += 1
        while right < indptr[other + 1]:
            hub = indices[right]
            if indptr[hub + 1] - indptr[hub] > hub_ties:
                break
            right += 1
        if left == indptr[one + 1] or right == indptr[other + 1]:
            return bool(left == indptr[one + 1] and right == indptr[other + 1])
        if indices[left] != indices[right]:
            return False
        left += 1
        right += 1


@compiled
def leavers_near(
    indptr: IntArray, indices: NodeArray, leavers: NodeArray, hub_ties: int
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Per node, over the leavers who share a friend with it: greatest and summed similarity, and their number."""
    n_nodes = len(indptr) - 1
    greatest = np.zeros(n_nodes, np.float64)
    total = np.zeros(n_nodes, np.float64)
    n_near = np.zeros(n_nodes, np.int64)
    common = np.zeros(n_nodes, np.int32)
    met = np.empty(n_nodes, np.int32)
    for leaver in leavers:
        n_met = 0
        for entry in range(indptr[leaver], indptr[leaver + 1]):
            friend = indices[entry]
            if indptr[friend + 1] - indptr[friend] > hub_ties:
                continue
            for step in range(indptr[friend], indptr[friend + 1]):
                node = indices[step]
                if common[node] == 0:
                    met[n_met] = node
                    n_met += 1
                common[node] += 1
        degree = indptr[leaver + 1] - indptr[leaver]
        for position in range(n_met):
            node = met[position]
            if node != leaver:
                similarity = common[node] / (degree + indptr[node + 1] - indptr[node] - common[node])
                greatest[node] = max(greatest[node], similarity)
                total[node] += similarity
                n_near[node] += 1
            common[node] = 0
    return greatest, total, n_near
