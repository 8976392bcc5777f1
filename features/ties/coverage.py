"""What a *set* of customers kept is worth around them: every friend counted once, however many of theirs are kept.

It knows rows of neighbours and money at stake, and refuses to know offers. Spillovers of single customers may not be
added up where they share friends; reverse-reachable sets say who could have spared whom (Borgs, Brautbar, Chayes &
Lucier 2014; Tang, Shi & Xiao 2015).
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np

from .kernels import FloatArray, IntArray, MarkArray, NodeArray, compiled, frozen

SETS_PER_NODE = 32
"""Reverse-reachable sets drawn for each node with something at stake: enough to put single customers within a few per
cent of their spillover (judgement; in tests beside exact sums)."""


class SparedSets(NamedTuple):
    """Drawn sets: each of ``members[starts[r]:starts[r + 1]]`` could have spared what ``roots[r]`` has at stake."""

    starts: IntArray
    members: NodeArray
    roots: NodeArray
    money: FloatArray
    """What each set stands for: the root's stake over its number of sets, currency."""


class ChosenSet(NamedTuple):
    """A set of nodes, in the order chosen, with what it is worth."""

    nodes: NodeArray
    direct: float
    """Sum of the nodes' own worth, currency."""
    around: float
    """What is spared around them, every friend's stake counted once, currency."""
    cost: float

    @property
    def net(self) -> float:
        """Worth less cost."""
        return self.direct + self.around - self.cost


def spared_sets(
    indptr: IntArray,
    indices: NodeArray,
    chance: FloatArray,
    stake: FloatArray,
    *,
    hops: int = 2,
    per_node: int = SETS_PER_NODE,
    seed: int = 0,
) -> SparedSets:
    r"""Draw reverse-reachable sets for every node with something at stake.

    Parameters
    ----------
    indptr, indices
        int64, n + 1, and int32, 2 per tie: symmetric rows, each ascending, no self-loops.
    chance
        float, 2 per tie, 0 to 1: entry (j, i) is the chance that j is spared when i is kept.
    stake
        float, n, currency, >= 0: what j is expected to lose anyway.
    hops
        1 = friends alone; at most 3, since further ones drown in chance.
    per_node, seed
        Sets of each node, and the seed of the draws.

    Returns
    -------
    SparedSets
        A root is never among its members.

    Raises
    ------
    ValueError
        Hops outside 1 to 3, or fewer than one set per node.

    Notes
    -----
    The chance that a set holds any of S is the chance that keeping S spares the root, so the mean over sets of
    stakes hit is the value of S (Borgs et al. 2014). Each set costs the rows it walks through.

    Examples
    --------
    >>> import networkx as nx, numpy as np
    >>> from features.ties import as_tie_graph
    >>> graph = as_tie_graph(nx.path_graph(3))
    >>> drawn = spared_sets(graph.indptr, graph.indices, np.ones(4), np.array([0.0, 0.0, 8.0]), per_node=1)
    >>> drawn.roots.tolist(), drawn.members.tolist(), drawn.money.tolist()
    ([2], [1, 0], [8.0])
    """
    if not 1 <= hops <= 3 or per_node < 1:  # noqa: PLR2004 - as documented
        msg = f"1 to 3 hops and at least one set per node, not {hops} and {per_node}"
        raise ValueError(msg)
    staked = np.flatnonzero(stake > 0)
    roots = frozen(np.repeat(staked, per_node), np.int32)
    starts, members = _drawn(indptr, indices, frozen(chance, np.float64), roots, hops, seed)
    return SparedSets(starts, members, roots, frozen(stake[roots] / per_node, np.float64))


def chosen_set(
    sets: SparedSets,
    direct: FloatArray,
    kept: FloatArray,
    cost: FloatArray,
    *,
    own: FloatArray,
    is_candidate: MarkArray,
    budget: float = np.inf,
) -> ChosenSet:
    r"""Choose nodes one by one by what each adds per cost, until the budget is spent or nobody adds more than they
    cost.

    Parameters
    ----------
    sets
        As `spared_sets` draws them.
    direct
        float, n, currency, >= 0: what the offer keeps of the node's own value.
    kept
        float, n, 0 to 1: chance that the offer keeps the node (its effect).
    cost
        float, n, currency, >= 0.
    own
        float, n, 0 to 1: share of the node's own stake that the offer keeps; friends can only spare the rest.
    is_candidate
        uint8, n: 1 = may be chosen.
    budget
        Greatest sum of costs.

    Returns
    -------
    ChosenSet
        The better of this order and the best single node.

    Notes
    -----
    The value of a set is :math:`\sum_j` direct :math:`+ \sum_r m_r (1 - \prod_{i \in r \cap S} (1 - t_i))`, with the
    part of a root's stake that its own offer keeps taken out: more never adds more than less would (submodular), so
    gains only fall and an old one need not be looked at again until it comes up (lazy greedy, Minoux 1978). At equal
    costs it is within 1 - 1/e = 0.632 of the best set (Nemhauser, Wolsey & Fisher 1978). About the members of all sets
    times a logarithm.

    Examples
    --------
    Two friends of one who has 100 at stake: the second spares little that the first has not.

    >>> import numpy as np
    >>> sets = SparedSets(
    ...     np.array([0, 2]), np.array([0, 1], np.int32), np.array([2], np.int32), np.array([100.0])
    ... )
    >>> one, mark = np.ones(3), np.array([1, 1, 0], np.uint8)
    >>> found = chosen_set(sets, 5 * one, 0.9 * one, 15 * one, own=0 * one, is_candidate=mark)
    >>> found.nodes.tolist(), found.around, found.cost
    ([0], 90.0, 15.0)
    """
    n_nodes = len(direct)
    order = np.argsort(sets.members, kind="stable")
    of_member = np.repeat(np.arange(len(sets.roots)), np.diff(sets.starts))[order]
    member_starts = np.concatenate(([0], np.cumsum(np.bincount(sets.members, minlength=n_nodes))))
    by_root = np.argsort(sets.roots, kind="stable")
    root_starts = np.concatenate(([0], np.cumsum(np.bincount(sets.roots, minlength=n_nodes))))
    floats = tuple(frozen(each, np.float64) for each in (sets.money, direct, kept, cost, own))
    ints = tuple(frozen(each, np.int64) for each in (of_member, member_starts, by_root, root_starts))
    nodes, added = _greedy(ints, floats, frozen(is_candidate, np.uint8), float(budget))
    found = _worth(nodes, added, direct, cost)
    alone = _best_alone(ints, floats, is_candidate, budget)
    return found if alone is None or found.net >= alone.net else alone


def _worth(nodes: NodeArray, added: FloatArray, direct: FloatArray, cost: FloatArray) -> ChosenSet:
    own = float(direct[nodes].sum())
    return ChosenSet(nodes, own, float(added.sum()) - own, float(cost[nodes].sum()))


def _best_alone(
    ints: tuple[IntArray, ...], floats: tuple[FloatArray, ...], is_candidate: MarkArray, budget: float
) -> ChosenSet | None:
    money, direct, kept, cost, _ = floats
    of_member, starts = ints[0], ints[1]
    summed = np.add.reduceat(np.append(money[of_member], 0.0), starts[:-1]) * (np.diff(starts) > 0)
    gain = direct + kept * summed
    fits = (is_candidate > 0) & (cost <= budget) & (gain > cost)
    if not fits.any():
        return None
    best = int(np.where(fits, gain - cost, -np.inf).argmax())
    return ChosenSet(
        frozen(np.array([best]), np.int32),
        float(direct[best]),
        float(gain[best] - direct[best]),
        float(cost[best]),
    )


@compiled
def _drawn(
    indptr: IntArray, indices: NodeArray, chance: FloatArray, roots: NodeArray, hops: int, seed: int
) -> tuple[IntArray, NodeArray]:
    """Walk backwards from every root over entries that chance lets live; each node counts once."""
    np.random.seed(seed)  # noqa: NPY002 - the compiled generator is of this thread and seeded here
    starts = np.zeros(len(roots) + 1, np.int64)
    members = np.empty(max(len(roots), 16), np.int32)
    seen_by = np.full(len(indptr) - 1, -1, np.int64)
    n_members = 0
    for number in range(len(roots)):
        root = roots[number]
        seen_by[root] = number
        first, last = n_members, n_members
        for hop in range(hops):
            # the rows to walk: the root, then what the hop before reached
            n_rows = 1 if hop == 0 else last - first
            reached = n_members
            for row in range(n_rows):
                node = root if hop == 0 else members[first + row]
                for entry in range(indptr[node], indptr[node + 1]):
                    near = indices[entry]
                    if seen_by[near] == number or np.random.random() >= chance[entry]:  # noqa: NPY002
                        continue
                    seen_by[near] = number
                    if n_members == len(members):
                        wider = np.empty(2 * len(members), np.int32)
                        wider[:n_members] = members
                        members = wider
                    members[n_members] = near
                    n_members += 1
            first, last = reached, n_members
        starts[number + 1] = n_members
    return starts, members[:n_members].copy()


@compiled
def _gain(
    node: int,
    of_member: IntArray,
    member_starts: IntArray,
    by_root: IntArray,
    root_starts: IntArray,
    left: FloatArray,
    whole: FloatArray,
    direct: FloatArray,
    kept: FloatArray,
) -> float:
    """What a node adds now: its own worth as far as friends have not spared it, and what is left to spare around it."""
    around = 0.0
    for entry in range(member_starts[node], member_starts[node + 1]):
        around += left[of_member[entry]]
    mine, all_mine = 0.0, 0.0
    for entry in range(root_starts[node], root_starts[node + 1]):
        mine += left[by_root[entry]]
        all_mine += whole[by_root[entry]]
    unspared = mine / all_mine if all_mine > 0.0 else 1.0
    return float(direct[node] * unspared + kept[node] * around)


@compiled
def _greedy(
    ints: tuple[IntArray, ...], floats: tuple[FloatArray, ...], is_candidate: MarkArray, budget: float
) -> tuple[NodeArray, FloatArray]:
    """Nodes in the order chosen, and what each added. Equal ones by their numbers."""
    of_member, member_starts, by_root, root_starts = ints
    money, direct, kept, cost, own = floats
    n_nodes = len(direct)
    left = money.copy()
    queue = [(0.0, 0)]
    queue.pop()
    for node in range(n_nodes):
        if is_candidate[node] == 0 or cost[node] > budget:
            continue
        gain = _gain(node, of_member, member_starts, by_root, root_starts, left, money, direct, kept)
        if gain > cost[node]:
            queue.append((-gain / max(cost[node], 1e-12), node))
    heapq.heapify(queue)
    chosen = np.empty(len(queue), np.int32)
    added = np.empty(len(queue), np.float64)
    n_chosen = 0
    unspent = budget
    while len(queue) > 0:
        _, node = heapq.heappop(queue)
        if cost[node] > unspent:
            continue
        gain = _gain(node, of_member, member_starts, by_root, root_starts, left, money, direct, kept)
        if gain <= cost[node]:
            continue
        ratio = -gain / max(cost[node], 1e-12)
        if len(queue) > 0 and (ratio, node) > queue[0]:
            heapq.heappush(queue, (ratio, node))
            continue
        chosen[n_chosen], added[n_chosen] = node, gain
        n_chosen += 1
        unspent -= cost[node]
        for entry in range(member_starts[node], member_starts[node + 1]):
            left[of_member[entry]] *= 1.0 - kept[node]
        for entry in range(root_starts[node], root_starts[node + 1]):
            left[by_root[entry]] *= 1.0 - own[node]
    return chosen[:n_chosen].copy(), added[:n_chosen].copy()
