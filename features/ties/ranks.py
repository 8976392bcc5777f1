"""How central a node is by the ranks of those around it: PageRank, eigenvector centrality, hubs and authorities.

It knows rows of neighbours and weights, and refuses to know customers and what a rank is used for.
"""

from __future__ import annotations

import numpy as np

from .kernels import FloatArray, IntArray, NodeArray, chunked, compiled, frozen, transposed_rows
from .rows import Rows, entry_sums, product


class NotConverged(RuntimeError):
    """The ranks still changed after the last step allowed; ``n_steps`` says how many there were."""

    def __init__(self, n_steps: int) -> None:
        self.n_steps = n_steps
        super().__init__(f"ranks: expected to settle within {n_steps} steps, found them still changing")


def pagerank(
    indptr: IntArray,
    indices: NodeArray,
    weights: FloatArray | None = None,
    *,
    alpha: float = 0.85,
    personalization: FloatArray | None = None,
    dangling: FloatArray | None = None,
    nstart: FloatArray | None = None,
    max_iter: int = 100,
    tol: float = 1e-6,
    is_symmetric: bool = False,
) -> FloatArray:
    r"""PageRank of each node by networkx's steps and stopping rule; a share, the sum is 1.

    Parameters
    ----------
    indptr, indices
        int64, n + 1, and int32: rows of the nodes that each node points to (of an undirected graph, its neighbours).
    weights
        float64, one per entry, >= 0; None = all alike.
    alpha
        Probability of following an edge, 0 to 1.
    personalization, dangling, nstart
        float64, n, >= 0, sum above 0: where the walk starts again (default: anywhere), where it goes from a node
        without outgoing weight (default: as for starting again), and the first guess.
    max_iter, tol
        Steps allowed; stops when the *sum* of changes is below ``n * tol``.
    is_symmetric
        The rows (and weights) are those of an undirected graph: saves turning them round.

    Returns
    -------
    numpy.ndarray
        float64, n.

    Raises
    ------
    NotConverged
        The ranks still changed after ``max_iter`` steps.
    ZeroDivisionError
        The personalisation sums to 0.
    ValueError
        An array has not one value per node.

    Notes
    -----
    .. math:: x \leftarrow \alpha (W^T D^{-1} x + d\,\textstyle\sum_{i\ dangling} x_i) + (1 - \alpha) p

    networkx's rule is loose on a large graph: at a million nodes the default stops after two or three steps. Use
    `converged_pagerank`, or a tol of your own divided by n, where the order of the nodes matters. O(m) per step.

    References
    ----------
    Brin & Page 1998; Langville & Meyer 2005.

    Examples
    --------
    >>> import networkx as nx
    >>> from features.ties import as_tie_graph
    >>> graph = as_tie_graph(nx.star_graph(2))
    >>> pagerank(graph.indptr, graph.indices).round(3).tolist()
    [0.486, 0.257, 0.257]
    """
    n_nodes = len(indptr) - 1
    if n_nodes == 0:
        return np.zeros(0)
    start = _distribution(personalization, n_nodes)
    sink = start if dangling is None else _distribution(dangling, n_nodes)
    ranks = _distribution(nstart, n_nodes)
    leaving = _leaving(indptr, weights)
    rows = _incoming(indptr, indices, weights, is_symmetric=is_symmetric)
    with chunked(rows[0]) as each:
        for _ in range(max_iter):
            shares, lost = passed_on(ranks, leaving)
            ranks, change = next_ranks(ranks, product(each, rows, shares), start, sink, alpha, lost)
            if change < n_nodes * tol:
                return ranks
    raise NotConverged(max_iter)


def converged_pagerank(
    indptr: IntArray,
    indices: NodeArray,
    weights: FloatArray | None = None,
    *,
    alpha: float = 0.85,
    personalization: FloatArray | None = None,
    tol: float = 1e-10,
) -> FloatArray:
    r"""PageRank of each node of an undirected graph, within ``tol`` of the exact ranks; a share, the sum is 1.

    Parameters
    ----------
    indptr, indices, weights
        Symmetric rows, as for `pagerank`.
    alpha
        Probability of following a tie, 0 to below 1.
    personalization
        float64, n, >= 0, sum above 0: where the walk starts again, and where it goes from a node without ties.
    tol
        Bound of the sum over nodes of the distance to the exact ranks; below about 1e-14 rounding takes over.

    Returns
    -------
    numpy.ndarray
        float64, n.

    Raises
    ------
    NotConverged
        Rounding keeps the residual above ``tol``.
    ZeroDivisionError
        The personalisation sums to 0.

    Notes
    -----
    Ranks solve :math:`(I - \alpha W D^{-1}) x = c\,p`. For an undirected graph :math:`x = D^{1/2} y` makes the matrix
    symmetric, with eigenvalues between 1 - alpha and 1 + alpha, so conjugate gradients gain at least a factor
    :math:`(\sqrt{(1 + \alpha)/(1 - \alpha)} - 1) / (\sqrt{\cdot} + 1)` a step, .56 for alpha .85 where steps of
    `pagerank` gain .85: some 25 steps instead of 100. They stop by the residual r, as
    :math:`|x - x^*|_1 \le |r|_1 / (1 - \alpha)`. O(m) per step; five vectors of n.

    References
    ----------
    Hestenes & Stiefel 1952; Gleich 2015, section 5.

    Examples
    --------
    >>> import networkx as nx
    >>> from features.ties import as_tie_graph
    >>> graph = as_tie_graph(nx.star_graph(2))
    >>> converged_pagerank(graph.indptr, graph.indices).round(6).tolist()
    [0.486486, 0.256757, 0.256757]
    """
    n_nodes = len(indptr) - 1
    if n_nodes == 0:
        return np.zeros(0)
    start = _distribution(personalization, n_nodes)
    roots = np.sqrt(_leaving(indptr, weights))
    rows = _incoming(indptr, indices, weights, is_symmetric=True)
    with chunked(rows[0]) as each:
        solution, residual, direction = first_direction(start, roots)
        for _ in range(_MOST_STEPS):
            turned = product(each, rows, scaled(direction, roots))
            distance, mass = descend(solution, residual, direction, turned, roots, alpha)
            if 2 * distance <= tol * (1 - alpha) * mass:
                return unscaled(solution, roots, start)
    raise NotConverged(_MOST_STEPS)


_MOST_STEPS = 1000
"""Far beyond what any alpha below .999 needs; then rounding, not patience, stands in the way."""


def eigenvector_centrality(
    indptr: IntArray,
    indices: NodeArray,
    weights: FloatArray | None = None,
    *,
    nstart: FloatArray | None = None,
    max_iter: int = 100,
    tol: float = 1e-6,
    is_symmetric: bool = False,
) -> FloatArray:
    r"""Eigenvector centrality of each node by networkx's steps and stopping rule; the sum of squares is 1.

    Parameters
    ----------
    indptr, indices, weights, is_symmetric
        As for `pagerank`; ranks flow along the edges.
    nstart
        float64, n: the first guess, all ones by default.
    max_iter, tol
        Steps allowed; stops when the sum of changes is below ``n * tol``.

    Returns
    -------
    numpy.ndarray
        float64, n.

    Raises
    ------
    NotConverged
        The values still changed after ``max_iter`` steps.

    Notes
    -----
    :math:`x \leftarrow (A^T + I) x`, scaled to length 1. O(m) per step.

    References
    ----------
    Bonacich 1972.

    Examples
    --------
    >>> import networkx as nx
    >>> from features.ties import as_tie_graph
    >>> graph = as_tie_graph(nx.star_graph(4))
    >>> eigenvector_centrality(graph.indptr, graph.indices, tol=1e-9).round(3).tolist()
    [0.707, 0.354, 0.354, 0.354, 0.354]
    """
    n_nodes = len(indptr) - 1
    values = _distribution(nstart, n_nodes)
    rows = _incoming(indptr, indices, weights, is_symmetric=is_symmetric)
    with chunked(rows[0]) as each:
        for _ in range(max_iter):
            last = values
            values = last + product(each, rows, last)
            values = values / (float(np.sqrt(np.square(values).sum())) or 1.0)
            if np.abs(values - last).sum() < n_nodes * tol:
                return values
    raise NotConverged(max_iter)


def _distribution(values: FloatArray | None, n_nodes: int) -> FloatArray:
    if values is None:
        return np.full(n_nodes, 1.0 / n_nodes)
    if values.shape != (n_nodes,):
        msg = f"expected one value for each of {n_nodes} nodes, found shape {values.shape}"
        raise ValueError(msg)
    total = float(values.sum())
    if total == 0:
        raise ZeroDivisionError
    shares: FloatArray = frozen(values, np.float64) / total
    return shares


def _incoming(
    indptr: IntArray, indices: NodeArray, weights: FloatArray | None, *, is_symmetric: bool
) -> Rows:
    values = np.zeros(0) if weights is None else weights
    indptr, indices = frozen(indptr, np.int64), frozen(indices, np.int32)
    if not is_symmetric:
        indptr, indices, origin = transposed_rows(indptr, indices)
        values = values if weights is None else values[origin]
    return frozen(indptr, np.int64), frozen(indices, np.int32), frozen(values, np.float64)


def _leaving(indptr: IntArray, weights: FloatArray | None) -> FloatArray:
    if weights is None:
        return np.diff(indptr).astype(np.float64)
    return entry_sums(frozen(indptr, np.int64), frozen(weights, np.float64))


@compiled
def passed_on(ranks: FloatArray, leaving: FloatArray) -> tuple[FloatArray, float]:
    """Rank per unit of leaving weight, and the ranks of all from where nothing leaves."""
    shares = np.zeros(len(ranks), np.float64)
    lost = 0.0
    for node in range(len(ranks)):
        if leaving[node] > 0.0:
            shares[node] = ranks[node] / leaving[node]
        else:
            lost += ranks[node]
    return shares, lost


@compiled
def next_ranks(
    ranks: FloatArray, product: FloatArray, start: FloatArray, sink: FloatArray, alpha: float, lost: float
) -> tuple[FloatArray, float]:
    """One step's ranks and the sum of the changes."""
    found = np.empty(len(ranks), np.float64)
    change = 0.0
    for node in range(len(ranks)):
        found[node] = alpha * (product[node] + lost * sink[node]) + (1.0 - alpha) * start[node]
        change += abs(found[node] - ranks[node])
    return found, change


@compiled
def first_direction(start: FloatArray, roots: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Solution 0, its residual and the first direction, all in the symmetric scale; nodes without ties stay 0."""
    residual = np.zeros(len(start), np.float64)
    for node in range(len(start)):
        if roots[node] > 0.0:
            residual[node] = start[node] / roots[node]
    return np.zeros(len(start), np.float64), residual, residual.copy()


@compiled
def scaled(direction: FloatArray, roots: FloatArray) -> FloatArray:
    """Divide by the roots of the strengths."""
    found = np.zeros(len(direction), np.float64)
    for node in range(len(direction)):
        if roots[node] > 0.0:
            found[node] = direction[node] / roots[node]
    return found


@compiled
def descend(
    solution: FloatArray,
    residual: FloatArray,
    direction: FloatArray,
    product: FloatArray,
    roots: FloatArray,
    alpha: float,
) -> tuple[float, float]:
    """One step of conjugate gradients in place; the absolute residual and solution, summed in the scale of ranks."""
    along, before = 0.0, 0.0
    for node in range(len(solution)):
        if roots[node] > 0.0:
            turned = direction[node] - alpha * product[node] / roots[node]
            product[node] = turned
            along += direction[node] * turned
            before += residual[node] * residual[node]
    step = before / along if along > 0.0 else 0.0
    after, distance, mass = 0.0, 0.0, 0.0
    for node in range(len(solution)):
        if roots[node] > 0.0:
            solution[node] += step * direction[node]
            residual[node] -= step * product[node]
            after += residual[node] * residual[node]
            distance += abs(residual[node]) * roots[node]
            mass += abs(solution[node]) * roots[node]
    turn = after / before if before > 0.0 else 0.0
    for node in range(len(solution)):
        direction[node] = residual[node] + turn * direction[node]
    return distance, mass


@compiled
def unscaled(solution: FloatArray, roots: FloatArray, start: FloatArray) -> FloatArray:
    """Ranks that add up to 1; a node without ties keeps what starts there."""
    ranks = np.empty(len(solution), np.float64)
    total = 0.0
    for node in range(len(solution)):
        # rounding may leave a node that the walk hardly reaches a little below 0
        ranks[node] = max(0.0, solution[node] * roots[node]) if roots[node] > 0.0 else start[node]
        total += ranks[node]
    for node in range(len(solution)):
        ranks[node] /= total
    return ranks
