"""Which customers belong together: communities by modularity, the same for the same ties on any machine.

It knows rows of neighbours and weights, and refuses to know customers and what a community is used for.
"""

from __future__ import annotations

import numpy as np

from .components import numbered_by_first
from .kernels import FloatArray, IntArray, NodeArray, compiled, frozen


def louvain(
    indptr: IntArray,
    indices: NodeArray,
    weights: FloatArray | None = None,
    *,
    resolution: float = 1.0,
    threshold: float = 1e-7,
    seed: int | None = None,
    loops: FloatArray | None = None,
) -> list[NodeArray]:
    r"""Communities by the Louvain method, level by level.

    Parameters
    ----------
    indptr, indices
        int64, n + 1, and int32, 2 per tie: symmetric rows, each ascending, no self-loops.
    weights
        float64, 2 per tie, >= 0 and equal both ways; None = all alike.
    resolution
        Above 1 for smaller communities, below for larger ones.
    threshold
        A level that gains no more modularity than this is the last.
    seed
        Visits nodes in an order drawn from it; None = in the order of their numbers.
    loops
        float64, n: twice the weight of each node's tie to itself, where a graph has such; None = none has.

    Returns
    -------
    list of numpy.ndarray
        int32, n, per level: community of each node, 0, 1, ... in the order of the smallest members; each level merges
        communities of the one before, the last is the best.

    Notes
    -----
    Moves single nodes to the neighbouring community that gains most of

    .. math:: Q = \sum_c \left[\frac{W_c}{2m} - \gamma \left(\frac{K_c}{2m}\right)^2\right]

    (W_c: weight of the ties inside, both ways; K_c: strength of the members; 2m: strength of all), looks again only at
    nodes whose neighbours moved, then takes communities for nodes and starts over. One processor, a fixed order, sums
    in the order of the rows: the same ties give the same communities, whatever the machine and the order of tie rows.
    About O(m) per level.

    References
    ----------
    Newman & Girvan 2004; Reichardt & Bornholdt 2006 (resolution); Blondel et al. 2008; Ozaki, Tezuka & Inaba 2016 (the
    queue).

    Examples
    --------
    >>> import networkx as nx
    >>> from features.ties import as_tie_graph
    >>> graph = as_tie_graph(nx.barbell_graph(3, 0))
    >>> louvain(graph.indptr, graph.indices)[-1].tolist()
    [0, 0, 0, 1, 1, 1]
    """
    level = _first_level(indptr, indices, weights, loops)
    n_nodes = len(indptr) - 1
    total = float(level[3].sum())
    membership = np.arange(n_nodes, dtype=np.int32)
    if total == 0:
        return [membership]
    scale = resolution / total
    quality = _quality(level, np.arange(n_nodes, dtype=np.int32), scale, total)
    levels: list[NodeArray] = []
    while True:
        labels = np.arange(len(level[3]), dtype=np.int32)
        moved_nodes(*level[:2], level[2], level[3], labels, _visits(len(labels), seed), scale)
        labels = numbered_by_first(labels)
        found = _quality(level, labels, scale, total)
        if levels and found - quality <= threshold:
            return levels
        membership = frozen(labels[membership], np.int32)
        levels.append(membership)
        if found - quality <= threshold or int(labels.max()) + 1 == len(labels):
            return levels
        quality = found
        level = _merged(level, labels)


def leiden(
    indptr: IntArray,
    indices: NodeArray,
    weights: FloatArray | None = None,
    *,
    resolution: float = 1.0,
    n_passes: int = 2,
    seed: int | None = None,
    loops: FloatArray | None = None,
) -> NodeArray:
    r"""Communities by the Leiden method: each is connected, and no part of one would do better alone.

    Parameters
    ----------
    indptr, indices, weights, resolution, seed, loops
        As for `louvain`.
    n_passes
        How often the whole is done, each time from the communities of the time before; ends early when nothing moves.

    Returns
    -------
    numpy.ndarray
        int32, n: community of each node, 0, 1, ... in the order of the smallest members.

    Notes
    -----
    As Louvain, but what is merged into one node is not a community: it is a part of one, grown from single nodes that
    are well connected to it, so that a later level can still take communities apart. Nodes join the part that gains
    most, where the original draws among those that gain: no chance, the same communities every time. About O(m) per
    level and pass.

    References
    ----------
    Traag, Waltman & van Eck 2019.

    Examples
    --------
    >>> import networkx as nx
    >>> from features.ties import as_tie_graph
    >>> graph = as_tie_graph(nx.barbell_graph(3, 1))
    >>> leiden(graph.indptr, graph.indices).tolist()
    [0, 0, 0, 1, 1, 1, 0]
    """
    level = _first_level(indptr, indices, weights, loops)
    n_nodes = len(indptr) - 1
    total = float(level[3].sum())
    membership: NodeArray = np.arange(n_nodes, dtype=np.int32)
    if total == 0:
        return membership
    for _ in range(n_passes):
        found = _leiden_pass(level, membership, resolution / total, seed)
        if np.array_equal(found, membership):
            break
        membership = found
    return membership


def modularity(
    indptr: IntArray,
    indices: NodeArray,
    labels: NodeArray,
    weights: FloatArray | None = None,
    *,
    resolution: float = 1.0,
) -> float:
    r"""Weight of the ties inside communities, beyond what chance would put there; a share, -0.5 to 1.

    Parameters
    ----------
    indptr, indices, weights, resolution
        As for `louvain`.
    labels
        int32, n: community of each node, numbers from 0.

    Returns
    -------
    float
        NaN when there is no weight at all.

    References
    ----------
    Newman & Girvan 2004. O(n + m).

    Examples
    --------
    >>> import networkx as nx, numpy as np
    >>> from features.ties import as_tie_graph
    >>> graph = as_tie_graph(nx.barbell_graph(3, 0))
    >>> round(modularity(graph.indptr, graph.indices, np.array([0, 0, 0, 1, 1, 1])), 4)
    0.3571
    """
    level = _first_level(indptr, indices, weights)
    total = float(level[3].sum())
    return _quality(level, frozen(labels, np.int32), resolution / total, total) if total else float("nan")


Level = tuple[IntArray, NodeArray, FloatArray, FloatArray, FloatArray]
"""A graph on its way up: indptr, indices, weights (without loops), strength of each node, weight of its loop."""


def _first_level(
    indptr: IntArray, indices: NodeArray, weights: FloatArray | None, loops: FloatArray | None = None
) -> Level:
    values = np.ones(len(indices)) if weights is None else weights
    rows = frozen(indptr, np.int64), frozen(indices, np.int32), frozen(values, np.float64)
    own = np.zeros(len(indptr) - 1) if loops is None else loops
    return *rows, frozen(strengths_of(rows[0], rows[2], frozen(own, np.float64)), np.float64), own


def _merged(level: Level, labels: NodeArray) -> Level:
    n_labels = int(labels.max()) + 1
    indptr, indices, weights, loops = merged_rows(
        *level[:3], frozen(level[4], np.float64), frozen(labels, np.int32), n_labels
    )
    rows = frozen(indptr, np.int64), frozen(indices, np.int32), frozen(weights, np.float64)
    strengths = strengths_of(rows[0], rows[2], frozen(loops, np.float64))
    return *rows, frozen(strengths, np.float64), loops


def _leiden_pass(bottom: Level, start: NodeArray, scale: float, seed: int | None) -> NodeArray:
    level = bottom
    labels = start.copy()
    node_of = np.arange(len(start), dtype=np.int32)
    while True:
        n_level = len(level[3])
        moved_nodes(*level[:4], labels, _visits(n_level, seed), scale)
        labels = numbered_by_first(labels)
        if int(labels.max()) + 1 == n_level:
            return numbered_by_first(labels[node_of])
        parts = numbered_by_first(
            refined_parts(*level[:4], frozen(labels, np.int32), _visits(n_level, seed), scale)
        )
        n_parts = int(parts.max()) + 1
        if n_parts == n_level:
            return numbered_by_first(labels[node_of])
        level = _merged(level, parts)
        upper = np.empty(n_parts, np.int32)
        upper[parts] = labels
        labels, node_of = upper, parts[node_of]


def _visits(n_nodes: int, seed: int | None) -> NodeArray:
    order = (
        np.arange(n_nodes)
        if seed is None
        else np.random.Generator(np.random.PCG64(seed)).permutation(n_nodes)
    )
    return frozen(order, np.int32)


def _quality(level: Level, labels: NodeArray, scale: float, total: float) -> float:
    return (
        inner_weight(*level[:3], frozen(level[4], np.float64), frozen(labels, np.int32))
        - scale * squared_strength(level[3], frozen(labels, np.int32))
    ) / total


@compiled
def strengths_of(indptr: IntArray, weights: FloatArray, loops: FloatArray) -> FloatArray:
    """Sum of each row and its loop."""
    strengths = np.empty(len(indptr) - 1, np.float64)
    for node in range(len(indptr) - 1):
        total = loops[node]
        for entry in range(indptr[node], indptr[node + 1]):
            total += weights[entry]
        strengths[node] = total
    return strengths


@compiled
def inner_weight(
    indptr: IntArray, indices: NodeArray, weights: FloatArray, loops: FloatArray, labels: NodeArray
) -> float:
    """Weight of the entries that stay inside a community, loops included."""
    total = 0.0
    for node in range(len(indptr) - 1):
        total += loops[node]
        for entry in range(indptr[node], indptr[node + 1]):
            if labels[indices[entry]] == labels[node]:
                total += weights[entry]
    return total


@compiled
def squared_strength(strengths: FloatArray, labels: NodeArray) -> float:
    """Sum over communities of the square of their strength."""
    totals = np.zeros(labels.max() + 1, np.float64)
    for node in range(len(labels)):
        totals[labels[node]] += strengths[node]
    squares = 0.0
    for total in totals:
        squares += total * total
    return squares


@compiled
def moved_nodes(
    indptr: IntArray,
    indices: NodeArray,
    weights: FloatArray,
    strengths: FloatArray,
    labels: NodeArray,
    visits: NodeArray,
    scale: float,
) -> None:
    """Move nodes between communities, in place, until no single move gains; labels lie in 0 .. n - 1.

    A node leaves only for a strict gain, beyond rounding: the walk ends, and equal offers go to the first met.
    """
    n_nodes = len(strengths)
    totals = np.zeros(n_nodes, np.float64)
    for node in range(n_nodes):
        totals[labels[node]] += strengths[node]
    queue = visits.copy()
    is_queued = np.ones(n_nodes, np.uint8)
    toward = np.zeros(n_nodes, np.float64)
    met = np.empty(n_nodes, np.int32)
    head, n_queued = 0, n_nodes
    while n_queued > 0:
        node = queue[head]
        head = head + 1 if head + 1 < n_nodes else 0
        n_queued -= 1
        is_queued[node] = 0
        start, stop = indptr[node], indptr[node + 1]
        n_met = 0
        for entry in range(start, stop):
            label = labels[indices[entry]]
            if toward[label] == 0.0:
                met[n_met] = label
                n_met += 1
            toward[label] += weights[entry]
        home = labels[node]
        pull = scale * strengths[node]
        totals[home] -= strengths[node]
        best = home
        best_gain = toward[home] - pull * totals[home] + 1e-12 * strengths[node]
        for position in range(n_met):
            label = met[position]
            gain = toward[label] - pull * totals[label]
            if gain > best_gain:
                best, best_gain = label, gain
            toward[label] = 0.0
        totals[best] += strengths[node]
        if best == home:
            continue
        labels[node] = best
        for entry in range(start, stop):
            other = indices[entry]
            if not is_queued[other] and labels[other] != best:
                is_queued[other] = 1
                tail = head + n_queued
                queue[tail if tail < n_nodes else tail - n_nodes] = other
                n_queued += 1


@compiled
def refined_parts(
    indptr: IntArray,
    indices: NodeArray,
    weights: FloatArray,
    strengths: FloatArray,
    labels: NodeArray,
    visits: NodeArray,
    scale: float,
) -> NodeArray:
    """Parts of communities: nodes, alone at first, join the well-connected part of theirs that gains most."""
    n_nodes = len(strengths)
    whole = np.zeros(n_nodes, np.float64)
    for node in range(n_nodes):
        whole[labels[node]] += strengths[node]
    parts = np.empty(n_nodes, np.int32)
    part_strength = strengths.copy()
    outward = np.zeros(n_nodes, np.float64)  # weight from a part to the rest of its community
    size = np.ones(n_nodes, np.int32)
    for node in range(n_nodes):
        parts[node] = node
        for entry in range(indptr[node], indptr[node + 1]):
            if labels[indices[entry]] == labels[node]:
                outward[node] += weights[entry]
    toward = np.zeros(n_nodes, np.float64)
    met = np.empty(n_nodes, np.int32)
    for visit in range(n_nodes):
        node = visits[visit]
        strength = strengths[node]
        community = labels[node]
        inward = outward[node]
        if size[node] != 1 or inward < scale * strength * (whole[community] - strength):
            continue
        n_met = 0
        for entry in range(indptr[node], indptr[node + 1]):
            if labels[indices[entry]] == community:
                part = parts[indices[entry]]
                if toward[part] == 0.0:
                    met[n_met] = part
                    n_met += 1
                toward[part] += weights[entry]
        best = node
        best_gain = 0.0
        for position in range(n_met):
            part = met[position]
            gain = toward[part] - scale * strength * part_strength[part]
            if gain > best_gain and outward[part] >= scale * part_strength[part] * (
                whole[community] - part_strength[part]
            ):
                best, best_gain = part, gain
        if best != node:
            parts[node] = best
            size[node] = 0
            size[best] += 1
            part_strength[best] += strength
            outward[best] += inward - 2.0 * toward[best]
        for position in range(n_met):
            toward[met[position]] = 0.0
    return parts


@compiled
def merged_rows(
    indptr: IntArray,
    indices: NodeArray,
    weights: FloatArray,
    loops: FloatArray,
    labels: NodeArray,
    n_labels: int,
) -> tuple[IntArray, NodeArray, FloatArray, FloatArray]:
    """Rows of the graph whose nodes are the communities; what was inside one becomes its loop. O(n + m)."""
    n_nodes = len(labels)
    ends = np.zeros(n_labels + 1, np.int64)
    for node in range(n_nodes):
        ends[labels[node] + 1] += 1
    for label in range(n_labels):
        ends[label + 1] += ends[label]
    place = ends[:-1].copy()
    members = np.empty(n_nodes, np.int32)
    for node in range(n_nodes):
        members[place[labels[node]]] = node
        place[labels[node]] += 1
    merged_indptr = np.zeros(n_labels + 1, np.int64)
    merged = np.empty(len(indices), np.int32)  # pages never written are never taken from the system
    sums = np.empty(len(indices), np.float64)
    merged_loops = np.zeros(n_labels, np.float64)
    position = np.full(n_labels, -1, np.int64)
    n_written = 0
    for label in range(n_labels):
        first = n_written
        for step in range(ends[label], ends[label + 1]):
            node = members[step]
            merged_loops[label] += loops[node]
            for entry in range(indptr[node], indptr[node + 1]):
                other = labels[indices[entry]]
                if other == label:
                    merged_loops[label] += weights[entry]
                elif position[other] >= first:
                    sums[position[other]] += weights[entry]
                else:
                    position[other] = n_written
                    merged[n_written] = other
                    sums[n_written] = weights[entry]
                    n_written += 1
        merged_indptr[label + 1] = n_written
    return merged_indptr, merged[:n_written].copy(), sums[:n_written].copy(), merged_loops
