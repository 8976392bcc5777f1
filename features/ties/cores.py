"""How deep a customer sits in the network: core numbers.

It knows rows of neighbours and refuses to know customers and weights.
"""

from __future__ import annotations

import numpy as np

from .kernels import IntArray, NodeArray, compiled


def core_numbers(indptr: IntArray, indices: NodeArray) -> IntArray:
    r"""Largest k such that the node belongs to a group in which everybody has k ties inside the group.

    Parameters
    ----------
    indptr, indices
        int64, n + 1, and int32, 2 per tie: symmetric rows, each ascending, no self-loops.

    Returns
    -------
    numpy.ndarray
        int64, n; 0 for a node without ties.

    Notes
    -----
    Nodes with at most k ties left are peeled off until none remains, then k rises to the fewest ties that a remaining
    node has. Before each rise only the nodes still there are looked through, and a node of core number c is there at
    most c times: O(n + m) in all, without the ordered buckets of the classical algorithm, whose upkeep is three random
    reads a tie.

    References
    ----------
    Seidman 1983; Batagelj & Zaversnik 2003; Dasari, Ranjan & Zubair 2014 (levels instead of buckets).

    Examples
    --------
    >>> import networkx as nx
    >>> from features.ties import as_tie_graph
    >>> graph = as_tie_graph(nx.Graph([(0, 1), (1, 2), (0, 2), (2, 3)]))
    >>> core_numbers(graph.indptr, graph.indices).tolist()
    [2, 2, 2, 1]
    """
    return peeled_levels(indptr, indices).astype(np.int64)


@compiled
def peeled_levels(indptr: IntArray, indices: NodeArray) -> NodeArray:
    """Ties that each node had left when it was peeled off, never fewer than the level of that moment."""
    n_nodes = len(indptr) - 1
    left = np.empty(n_nodes, np.int32)
    remaining = np.empty(n_nodes, np.int32)
    for node in range(n_nodes):
        left[node] = indptr[node + 1] - indptr[node]
        remaining[node] = node
    n_remaining = n_nodes
    peeled = np.empty(n_nodes, np.int32)
    level = np.int32(0)
    while n_remaining > 0:
        n_peeled, n_kept = 0, 0
        lowest = np.int32(2147483647)
        for position in range(n_remaining):
            node = remaining[position]
            if left[node] < level:
                continue  # peeled in an earlier round
            if left[node] == level:
                peeled[n_peeled] = node
                n_peeled += 1
            else:
                remaining[n_kept] = node
                n_kept += 1
                lowest = min(lowest, left[node])
        n_remaining = n_kept
        if n_peeled == 0:
            level = lowest
            continue
        position = 0
        while position < n_peeled:
            node = peeled[position]
            position += 1
            for entry in range(indptr[node], indptr[node + 1]):
                other = indices[entry]
                if left[other] > level:
                    left[other] -= 1
                    if left[other] == level:
                        peeled[n_peeled] = other
                        n_peeled += 1
        level += 1
    return left
