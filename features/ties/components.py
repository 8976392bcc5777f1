"""Who can be reached from whom: connected parts, strongly connected parts, distances in contacts.

It knows rows of neighbours and refuses to know customers and weights.
"""

from __future__ import annotations

import numpy as np

from .kernels import IntArray, NodeArray, compiled


def component_labels(indptr: IntArray, indices: NodeArray) -> NodeArray:
    r"""Number of the connected part that each node is in.

    Parameters
    ----------
    indptr, indices
        int64, n + 1, and int32, 2 per tie: symmetric rows.

    Returns
    -------
    numpy.ndarray
        int32, n: 0, 1, ... in the order of the parts' smallest members.

    Notes
    -----
    Union-find with path halving. The first two ties of every node join most of the largest part; nodes found in it
    are then skipped, for each of their ties that leads out of it stands in the row of the other end too. O(n + m)
    at worst, about a third of it as a rule.

    References
    ----------
    Tarjan 1975; Sutton, Ben-Nun & Barak 2018 (the sample).

    Examples
    --------
    >>> import networkx as nx
    >>> from features.ties import as_tie_graph
    >>> graph = as_tie_graph(nx.Graph([(0, 2), (1, 3)]))
    >>> component_labels(graph.indptr, graph.indices).tolist()
    [0, 0, 1, 1]
    """
    return joined_parts(indptr, indices)


def strong_component_labels(out_indptr: IntArray, out_indices: NodeArray) -> NodeArray:
    r"""Number of the strongly connected part that each node is in: those that reach each other along the edges.

    Parameters
    ----------
    out_indptr, out_indices
        int64, n + 1, and int32, 1 per edge: rows of the nodes that each node points to.

    Returns
    -------
    numpy.ndarray
        int32, n: 0, 1, ... in the order of the parts' smallest members.

    Notes
    -----
    One depth-first walk with a stack of its own, O(n + m).

    References
    ----------
    Tarjan 1972; Pearce 2016.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.array([0, 1, 3, 3]), np.array([1, 0, 2], np.int32)  # 0 <-> 1 -> 2
    >>> strong_component_labels(*rows).tolist()
    [0, 0, 1]
    """
    return numbered_by_first(strong_parts(out_indptr, out_indices))


def hop_counts(indptr: IntArray, indices: NodeArray, source: int) -> NodeArray:
    r"""Fewest ties between one node and every other.

    Parameters
    ----------
    indptr, indices
        Symmetric rows, or rows of outgoing edges.
    source
        The node to start from.

    Returns
    -------
    numpy.ndarray
        int32, n; -1 for a node that cannot be reached.

    Notes
    -----
    Breadth first, O(n + m).

    Examples
    --------
    >>> import networkx as nx
    >>> from features.ties import as_tie_graph
    >>> graph = as_tie_graph(nx.path_graph(4))
    >>> hop_counts(graph.indptr, graph.indices, 1).tolist()
    [1, 0, 1, 2]
    """
    return breadth_first(indptr, indices, source)


@compiled
def _root(parent: NodeArray, node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@compiled
def _join(parent: NodeArray, one: int, other: int) -> None:
    """Make the smaller root the root of both, so that a root is its part's smallest member."""
    one, other = _root(parent, one), _root(parent, other)
    if one < other:
        parent[other] = one
    else:
        parent[one] = other


@compiled
def joined_parts(indptr: IntArray, indices: NodeArray) -> NodeArray:
    """Connected parts, numbered by smallest member."""
    n_nodes = len(indptr) - 1
    n_sampled = 2
    parent = np.arange(n_nodes).astype(np.int32)
    for node in range(n_nodes):
        for entry in range(indptr[node], min(indptr[node] + n_sampled, indptr[node + 1])):
            _join(parent, node, indices[entry])
    for node in range(n_nodes):
        parent[node] = _root(parent, node)
    common = _commonest(parent)
    for node in range(n_nodes):
        if parent[node] != common:
            for entry in range(indptr[node] + n_sampled, indptr[node + 1]):
                _join(parent, node, indices[entry])
    n_parts = np.int32(0)
    label = np.empty(n_nodes, np.int32)
    for node in range(n_nodes):
        root = _root(parent, node)
        if root == node:
            label[node] = n_parts
            n_parts += 1
        else:
            label[node] = label[root]
    return label


@compiled
def _commonest(parent: NodeArray) -> int:
    """A root that is frequent among a thousand evenly spaced nodes; any root would do, this one saves most."""
    n_nodes = len(parent)
    step = max(1, n_nodes // 1000)
    votes = 0
    chosen = -1
    for node in range(0, n_nodes, step):
        if votes == 0:
            chosen = parent[node]
        votes += 1 if parent[node] == chosen else -1
    return chosen


@compiled
def numbered_by_first(labels: NodeArray) -> NodeArray:
    """The same parts under the numbers 0, 1, ... in the order of their first nodes; labels lie in 0 .. n - 1."""
    numbers = np.full(len(labels), -1, np.int32)
    numbered = np.empty(len(labels), np.int32)
    n_labels = np.int32(0)
    for node in range(len(labels)):
        if numbers[labels[node]] < 0:
            numbers[labels[node]] = n_labels
            n_labels += 1
        numbered[node] = numbers[labels[node]]
    return numbered


@compiled
def strong_parts(indptr: IntArray, indices: NodeArray) -> NodeArray:
    """Strongly connected parts; a part's label is one of 0 .. n - 1."""
    n_nodes = len(indptr) - 1
    first_seen = np.zeros(n_nodes, np.int32)  # 0 = not yet
    low = np.zeros(n_nodes, np.int32)
    label = np.full(n_nodes, -1, np.int32)
    path = np.empty(n_nodes, np.int32)
    place = indptr[:-1].copy()
    waiting = np.empty(n_nodes, np.int32)
    n_waiting, n_seen, n_labels = 0, np.int32(0), np.int32(0)
    for start in range(n_nodes):
        if first_seen[start]:
            continue
        depth = 0
        path[0] = start
        while depth >= 0:
            node = path[depth]
            if first_seen[node] == 0:
                n_seen += 1
                first_seen[node] = n_seen
                low[node] = n_seen
                waiting[n_waiting] = node
                n_waiting += 1
            deeper = False
            while place[node] < indptr[node + 1]:
                other = indices[place[node]]
                place[node] += 1
                if first_seen[other] == 0:
                    depth += 1
                    path[depth] = other
                    deeper = True
                    break
                if label[other] < 0:
                    low[node] = min(low[node], low[other])
            if deeper:
                continue
            depth -= 1
            if depth >= 0:
                low[path[depth]] = min(low[path[depth]], low[node])
            if low[node] == first_seen[node]:
                while True:
                    n_waiting -= 1
                    member = waiting[n_waiting]
                    label[member] = n_labels
                    if member == node:
                        break
                n_labels += 1
    return label


@compiled
def breadth_first(indptr: IntArray, indices: NodeArray, source: int) -> NodeArray:
    """Hops from one node, -1 where it does not reach."""
    hops = np.full(len(indptr) - 1, -1, np.int32)
    queue = np.empty(len(indptr) - 1, np.int32)
    queue[0] = source
    hops[source] = 0
    read, written = 0, 1
    while read < written:
        node = queue[read]
        read += 1
        for entry in range(indptr[node], indptr[node + 1]):
            other = indices[entry]
            if hops[other] < 0:
                hops[other] = hops[node] + 1
                queue[written] = other
                written += 1
    return hops
