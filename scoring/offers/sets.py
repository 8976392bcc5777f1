"""Whom to keep when friends are candidates together: a shared friend is spared once, not once for each.

It turns effects, ties and money into a coverage problem, and refuses to know how the effects came about.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.ties import TieGraph
from features.ties.coverage import ChosenSet, chosen_set, spared_sets
from features.ties.kernels import frozen

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

HOPS = 2
"""Friends and their friends (science, section 9: at most 2 to 3)."""


@dataclass(frozen=True)
class Around:
    """What stands around the nodes of a graph: float per node, nan = unknown, which counts as nothing at stake."""

    risk: Floats
    value: Floats
    kappa: float
    """Scale of spillover, as :class:`features.ties.influence.SpilloverScale` has it."""


def friends_set(
    graph: TieGraph,
    around: Around,
    effect: Floats,
    cost: Floats,
    *,
    is_candidate: Flags,
    budget: float = np.inf,
    hops: int = HOPS,
    seed: int = 0,
) -> ChosenSet:
    r"""Choose customers for the offer that suits each best, by what the whole set is worth after its cost.

    Parameters
    ----------
    graph : ties; effects may only go along those whose owners' data may be used.
    around : risks and values of all nodes, and the scale of spillover.
    effect : float, nodes; by how much the offer of each raises the probability of staying; not above 0 = no candidate.
    cost : float, nodes; expected outlay of that offer.
    is_candidate : bool, nodes; who may get one.
    budget : greatest sum of costs.
    hops : 1 to 3.
    seed : of the sets drawn.

    Returns
    -------
    ChosenSet
        Nodes in the order chosen; direct and around apart. The worth of one customer alone is effect x (V + S) with
        S as in :func:`features.ties.influence.spillover` at one hop.

    Notes
    -----
    j is spared by i with chance kappa x (share of j's attention that i has), at most 1. What j's own offer keeps of j
    cannot be spared again.
    """
    stake = np.nan_to_num(around.risk * np.maximum(around.value, 0.0))
    whole = np.repeat(graph.strengths, graph.degrees)
    shares = np.divide(graph.weights, whole, out=np.zeros_like(whole), where=whole > 0)
    chance = np.minimum(around.kappa * shares, 1.0)
    sets = spared_sets(graph.indptr, graph.indices, chance, stake, hops=hops, seed=seed)
    helps = is_candidate & (np.nan_to_num(effect) > 0) & np.isfinite(around.value)
    kept = np.where(helps, np.nan_to_num(effect), 0.0)
    own = np.divide(kept, around.risk, out=np.zeros_like(kept), where=np.nan_to_num(around.risk) > 0)
    return chosen_set(
        sets,
        kept * np.nan_to_num(np.maximum(around.value, 0.0)),
        np.clip(kept, 0.0, 1.0),
        np.where(helps, cost, 0.0),
        own=np.clip(own, 0.0, 1.0),
        is_candidate=frozen(helps, np.uint8),
        budget=budget,
    )
