"""How many of a customer's contacts know each other: triangles, clustering, transitivity.

It knows rows of neighbours and refuses to know customers, nulls and where weights come from.
"""

from __future__ import annotations

import numpy as np

from .kernels import FloatArray, IntArray, NodeArray, added, chunked, compiled, frozen, transposed_rows


def triangle_counts(indptr: IntArray, indices: NodeArray) -> IntArray:
    r"""Count the triangles that each node is a corner of.

    Parameters
    ----------
    indptr, indices
        int64, n + 1, and int32, 2 per tie: symmetric rows, each ascending, no self-loops.

    Returns
    -------
    numpy.ndarray
        int64, n; 0 for a node with fewer than two ties.

    Notes
    -----
    Every tie points from its end with fewer ties to the one with more (the node number decides between equals), and a
    triangle is met once, at the corner that both its ties leave. No node has more than sqrt(2m) outgoing ties, so a hub
    costs little: O(m^1.5) at worst, two passes over the rows of a telephone network. Whole numbers: the order of the
    work cannot show in the result.

    References
    ----------
    Chiba & Nishizeki 1985; Latapy 2008.

    Examples
    --------
    >>> import networkx as nx
    >>> from features.ties import as_tie_graph
    >>> graph = as_tie_graph(nx.Graph([(0, 1), (1, 2), (0, 2), (2, 3)]))
    >>> triangle_counts(graph.indptr, graph.indices).tolist()
    [1, 1, 1, 0]
    """
    onward, targets, _ = forward_rows(indptr, indices)
    onward, targets = frozen(onward, np.int64), frozen(targets, np.int32)
    with chunked(onward) as each:
        return added(each(lambda _, first, last: count_corners(first, last, onward, targets)))


def common_neighbours(indptr: IntArray, indices: NodeArray, tie_rows: NodeArray) -> NodeArray:
    r"""Count the common neighbours of the two ends of every tie.

    Parameters
    ----------
    indptr, indices
        Symmetric rows as for `triangle_counts`.
    tie_rows
        int32, 2 per tie: number of the tie that the entry stands for, 0 .. m - 1.

    Returns
    -------
    numpy.ndarray
        int32, m.

    Notes
    -----
    The triangles that each tie is a side of, met once each as in `triangle_counts`, at the same cost.

    References
    ----------
    Onnela et al. 2007 (overlap is made of them).

    Examples
    --------
    >>> import networkx as nx
    >>> from features.ties import as_tie_graph
    >>> graph = as_tie_graph(nx.Graph([(0, 1), (1, 2), (0, 2), (2, 3)]))  # ties in the order 01 02 12 23
    >>> common_neighbours(graph.indptr, graph.indices, graph.tie_rows).tolist()
    [1, 1, 1, 0]
    """
    onward, targets, origin = forward_rows(indptr, indices)
    onward, targets = frozen(onward, np.int64), frozen(targets, np.int32)
    with chunked(onward) as each:
        counts = added(each(lambda _, first, last: count_sides(first, last, onward, targets)))
    common = np.empty(len(counts), np.int32)
    common[tie_rows[origin]] = counts
    return common


def clustering(indptr: IntArray, indices: NodeArray, weights: FloatArray | None = None) -> FloatArray:
    r"""Clustering coefficient of each node: how close its contacts come to all knowing each other, 0 to 1.

    Parameters
    ----------
    indptr, indices
        int64, n + 1, and int32, 2 per tie: symmetric rows, each ascending, no self-loops.
    weights
        float64, 2 per tie, >= 0 and equal both ways; None = every tie counts the same.

    Returns
    -------
    numpy.ndarray
        float64, n; 0 for a node with fewer than two ties, as networkx has it (the feature of that name is null there).

    Notes
    -----
    With degree k_i, triangles T_i and weights divided by their maximum:

    .. math::
        C_i = \frac{2 T_i}{k_i (k_i - 1)}, \qquad
        C^w_i = \frac{2}{k_i (k_i - 1)} \sum_{jk} (\hat w_{ij} \hat w_{jk} \hat w_{ki})^{1/3}

    Cost as `triangle_counts`.

    References
    ----------
    Watts & Strogatz 1998; Onnela, Saramaki, Kertesz & Kaski 2005 (weighted).

    Examples
    --------
    >>> import networkx as nx
    >>> from features.ties import as_tie_graph
    >>> graph = as_tie_graph(nx.Graph([(0, 1), (1, 2), (0, 2), (2, 3)]))
    >>> clustering(graph.indptr, graph.indices).round(3).tolist()
    [1.0, 1.0, 0.333, 0.0]
    """
    degrees = np.diff(indptr)
    possible = degrees * (degrees - 1)
    if weights is None:
        return _ratio(triangle_counts(indptr, indices).astype(np.float64), possible) * 2
    return _ratio(_corner_sums(indptr, indices, _cube_roots(weights)), possible) * 2


def directed_clustering(
    out_indptr: IntArray, out_indices: NodeArray, weights: FloatArray | None = None
) -> FloatArray:
    r"""Clustering coefficient of each node of a directed graph, 0 to 1.

    Parameters
    ----------
    out_indptr, out_indices
        int64, n + 1, and int32, 1 per edge: rows of the nodes that each node points to, ascending; self-loops count
        for nothing.
    weights
        float64, 1 per edge, >= 0; None = every edge counts the same.

    Returns
    -------
    numpy.ndarray
        float64, n; 0 where no triangle is possible, as networkx has it.

    Notes
    -----
    With k_i = edges in and out, r_i = neighbours reached both ways:

    .. math:: C_i = \frac{\tfrac12 \sum_{jk} (\hat a_{ij} + \hat a_{ji})(\hat a_{jk} + \hat a_{kj})(\hat a_{ki} +
        \hat a_{ik})}{k_i (k_i - 1) - 2 r_i}, \qquad \hat a = (w / \max w)^{1/3}

    The sum over both directions of each side is that of one undirected triangle whose sides are the sums of both
    directions, so it costs what `clustering` costs.

    References
    ----------
    Fagiolo 2007.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.array([0, 1, 2, 3]), np.array([1, 2, 0], np.int32)  # 0 -> 1 -> 2 -> 0
    >>> directed_clustering(*rows).tolist()
    [0.5, 0.5, 0.5]
    """
    n_edges = len(out_indices)
    values = np.ones(n_edges) if weights is None else _cube_roots(weights)
    in_indptr, in_indices, origin = transposed_rows(
        frozen(out_indptr, np.int64), frozen(out_indices, np.int32)
    )
    indptr, indices, sides, n_both, n_all = both_directions(
        frozen(out_indptr, np.int64),
        frozen(out_indices, np.int32),
        frozen(values, np.float64),
        frozen(in_indptr, np.int64),
        frozen(in_indices, np.int32),
        frozen(values[origin], np.float64),
    )
    return _ratio(_corner_sums(indptr, indices, sides), n_all * (n_all - 1) - 2 * n_both)


def transitivity(indptr: IntArray, indices: NodeArray) -> float:
    r"""Share of the pairs of contacts of one node, over all nodes, that know each other, 0 to 1.

    Parameters
    ----------
    indptr, indices
        Symmetric rows as for `triangle_counts`.

    Returns
    -------
    float
        3 triangles / connected triples; 0 without a triangle, as networkx has it.

    References
    ----------
    Newman, Watts & Strogatz 2002. Cost as `triangle_counts`.

    Examples
    --------
    >>> import networkx as nx
    >>> from features.ties import as_tie_graph
    >>> graph = as_tie_graph(nx.Graph([(0, 1), (1, 2), (0, 2), (2, 3)]))
    >>> transitivity(graph.indptr, graph.indices)
    0.6
    """
    degrees = np.diff(indptr)
    n_corners = int(triangle_counts(indptr, indices).sum())
    return 2 * n_corners / int((degrees * (degrees - 1)).sum()) if n_corners else 0.0


def _ratio(part: FloatArray, whole: IntArray) -> FloatArray:
    return np.divide(part, whole, out=np.zeros(len(part)), where=part != 0)


def _cube_roots(weights: FloatArray) -> FloatArray:
    largest = float(weights.max(initial=0.0))
    return np.cbrt(weights / largest) if largest > 0 else np.zeros(len(weights))


def _corner_sums(indptr: IntArray, indices: NodeArray, sides: FloatArray) -> FloatArray:
    onward, targets, origin = forward_rows(frozen(indptr, np.int64), frozen(indices, np.int32))
    onward, targets = frozen(onward, np.int64), frozen(targets, np.int32)
    ahead = frozen(sides[origin], np.float64)
    with chunked(onward) as each:
        return added(each(lambda _, first, last: sum_corners(first, last, onward, targets, ahead)))


@compiled
def forward_rows(indptr: IntArray, indices: NodeArray) -> tuple[IntArray, NodeArray, IntArray]:
    """Rows of the neighbours with more ties (or as many and a higher number), and the entry each came from. O(m)."""
    n_nodes = len(indptr) - 1
    degrees = np.empty(n_nodes, np.int32)
    for node in range(n_nodes):
        degrees[node] = indptr[node + 1] - indptr[node]
    onward = np.zeros(n_nodes + 1, np.int64)
    targets = np.empty(len(indices) // 2, np.int32)
    origin = np.empty(len(indices) // 2, np.int64)
    place = 0
    for node in range(n_nodes):
        degree = degrees[node]
        for entry in range(indptr[node], indptr[node + 1]):
            other = indices[entry]
            if degrees[other] > degree or (degrees[other] == degree and other > node):
                targets[place] = other
                origin[place] = entry
                place += 1
        onward[node + 1] = place
    return onward, targets, origin


@compiled
def count_corners(first: int, last: int, onward: IntArray, targets: NodeArray) -> IntArray:
    """Triangles by corner, of those whose least connected corner is among the rows first to last."""
    counts = np.zeros(len(onward) - 1, np.int64)
    is_near = np.zeros(len(onward) - 1, np.uint8)
    for node in range(first, last):
        start, stop = onward[node], onward[node + 1]
        if stop <= start + 1:
            continue  # it takes two
        for entry in range(start, stop):
            is_near[targets[entry]] = 1
        n_mine = 0
        for entry in range(start, stop):
            middle = targets[entry]
            n_here = 0
            for step in range(onward[middle], onward[middle + 1]):
                far = targets[step]
                if is_near[far]:
                    counts[far] += 1
                    n_here += 1
            counts[middle] += n_here
            n_mine += n_here
        counts[node] += n_mine
        for entry in range(start, stop):
            is_near[targets[entry]] = 0
    return counts


@compiled
def count_sides(first: int, last: int, onward: IntArray, targets: NodeArray) -> NodeArray:
    """Triangles by side (entry of the onward rows), of those whose least connected corner is among first to last."""
    counts = np.zeros(len(targets), np.int32)
    near = np.zeros(len(onward) - 1, np.int32)  # 1 + the entry that leads there
    for node in range(first, last):
        start, stop = onward[node], onward[node + 1]
        if stop <= start + 1:
            continue  # it takes two
        for entry in range(start, stop):
            near[targets[entry]] = entry + 1
        for entry in range(start, stop):
            middle = targets[entry]
            n_here = np.int32(0)
            for step in range(onward[middle], onward[middle + 1]):
                side = near[targets[step]]
                if side > 0:
                    counts[step] += 1
                    counts[side - 1] += 1
                    n_here += 1
            counts[entry] += n_here
        for entry in range(start, stop):
            near[targets[entry]] = 0
    return counts


@compiled
def sum_corners(first: int, last: int, onward: IntArray, targets: NodeArray, sides: FloatArray) -> FloatArray:
    """By corner, the product of the three sides of the triangles whose least connected corner is in the rows."""
    sums = np.zeros(len(onward) - 1, np.float64)
    near = np.zeros(len(onward) - 1, np.float64)
    for node in range(first, last):
        start, stop = onward[node], onward[node + 1]
        if stop <= start + 1:
            continue  # it takes two
        for entry in range(start, stop):
            near[targets[entry]] = sides[entry]
        mine = 0.0
        for entry in range(start, stop):
            middle = targets[entry]
            here = 0.0
            for step in range(onward[middle], onward[middle + 1]):
                far = targets[step]
                if near[far] > 0.0:
                    product = sides[entry] * sides[step] * near[far]
                    sums[far] += product
                    here += product
            sums[middle] += here
            mine += here
        sums[node] += mine
        for entry in range(start, stop):
            near[targets[entry]] = 0.0
    return sums


@compiled
def both_directions(
    out_indptr: IntArray,
    out_indices: NodeArray,
    out_values: FloatArray,
    in_indptr: IntArray,
    in_indices: NodeArray,
    in_values: FloatArray,
) -> tuple[IntArray, NodeArray, FloatArray, IntArray, IntArray]:
    """Symmetric rows of a directed graph: the sum of the values each way; neighbours both ways; edges in and out."""
    n_nodes = len(out_indptr) - 1
    indptr = np.zeros(n_nodes + 1, np.int64)
    indices = np.empty(2 * len(out_indices), np.int32)
    values = np.zeros(2 * len(out_indices), np.float64)
    n_both = np.zeros(n_nodes, np.int64)
    n_all = np.zeros(n_nodes, np.int64)
    place = 0
    for node in range(n_nodes):
        out, out_stop = out_indptr[node], out_indptr[node + 1]
        back, back_stop = in_indptr[node], in_indptr[node + 1]
        while out < out_stop or back < back_stop:
            is_out = out < out_stop and (back == back_stop or out_indices[out] <= in_indices[back])
            is_back = back < back_stop and (out == out_stop or in_indices[back] <= out_indices[out])
            other = out_indices[out] if is_out else in_indices[back]
            value = 0.0
            if is_out:
                value += out_values[out]
                out += 1
            if is_back:
                value += in_values[back]
                back += 1
            if other == node:
                continue
            n_all[node] += int(is_out) + int(is_back)
            n_both[node] += is_out and is_back
            indices[place] = other
            values[place] = value
            place += 1
        indptr[node + 1] = place
    return indptr, indices[:place].copy(), values[:place].copy(), n_both, n_all
