"""Energy that spreads from seeds along ties: who is near those who left, or near a list the user brings.

It knows seeds and ties, and refuses to know what a seed stands for. What it gives predicts; it is no estimate of what
one person causes in another.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from churnrisk.errors import Fault, UsageError

from .arrays import node_numbers
from .frames import AnyGraph, as_tie_graph
from .kernels import FloatArray, chunked, compiled, frozen
from .rows import Rows, entry_sums, products

PASSED_ON = 0.7
"""Share d of arriving energy that a customer passes on (Dasgupta et al. 2008 found about 0.7 best)."""

SPREAD_HALF_LIFE_DAYS = 30.0
"""Half-life of a seed's energy. A judgement: churn older than five weeks hardly mattered in Haenlein 2013."""

LEAST_UNDER_WAY = 1e-3
"""Spreading stops once less than this share of the seeds' energy is under way: 20 steps at d = 0.7. A judgement."""


class Activation(NamedTuple):
    """Energy at rest on each node, float64 of length n: what a seed kept of its own, and what reached the node."""

    own: FloatArray
    received: FloatArray

    @property
    def total(self) -> FloatArray:
        """Both together; they sum to the energy of the seeds."""
        return self.own + self.received


def spreading_activation(
    graph: AnyGraph,
    energy: FloatArray,
    *,
    passed_on: float = PASSED_ON,
    least_under_way: float = LEAST_UNDER_WAY,
) -> Activation:
    r"""Spread the seeds' energy along the ties until next to nothing moves.

    Parameters
    ----------
    graph
        Ties between n nodes; the stronger tie carries more. An ordinary networkx graph as `as_tie_graph` reads it,
        nodes in its order.
    energy
        float, n: energy of each node at the start, 0 or more; 0 = no seed.
    passed_on
        Share d of arriving energy that goes on, in [0, 1).
    least_under_way
        Stop when the energy under way is at most this share of the energy at the start, in (0, 1).

    Returns
    -------
    Activation
        Energy at rest: each node's own, and what it received from others. Energy that a node sent out and that came
        back to it counts as received. Nothing is lost: own and received sum to the energy given. What is still under
        way at the end rests where it is. A seed without ties, or with ties of strength 0 only, keeps all it has.

    Raises
    ------
    UsageError
        ``energy`` has not one value per node, one of them is negative or undefined, or a share is out of its range.

    Notes
    -----
    Energy that arrives at i is split once: (1 - d) stays for good, d goes on to the neighbours by strength. After k
    steps the part under way is d^k (P')^k e with P_ij = w_ij / sum_l w_il, so at rest is

    .. math:: (1 - d) \sum_k d^k (P^\top)^k e

    Energy at rest does not move again: were it split anew at every step, all seeds of a component would end in the
    same state, strengths in proportion, and say nothing. Cost O(m) per step, log(least_under_way) / log(d) steps.

    References
    ----------
    Dasgupta, Singh, Viswanathan, Chakraborty, Mukherjea, Nanavati & Joshi 2008, EDBT, 668-677.

    Examples
    --------
    >>> import numpy as np, polars as pl
    >>> from features.ties import TieGraph
    >>> pairs = pl.DataFrame({"node_a": [0, 0], "node_b": [1, 2], "strength": [3.0, 1.0]})
    >>> at_rest = spreading_activation(
    ...     TieGraph.from_ties(pairs, 3), np.array([1.0, 0.0, 0.0]), least_under_way=0.5
    ... )
    >>> at_rest.own.round(4).tolist(), at_rest.received.round(4).tolist()
    ([0.3, 0.0, 0.0], [0.49, 0.1575, 0.0525])
    """
    graph = as_tie_graph(graph)
    energy = node_numbers(energy, graph.n_nodes, "energy")
    n_wrong = int((~(np.isfinite(energy) & (energy >= 0))).sum())
    if n_wrong:
        found = f"{n_wrong} negative or undefined"
        raise UsageError(
            Fault("bad_array", "energy", "values of 0 or more", found, "Give 0 to whoever is no seed.")
        )
    if not (0 <= passed_on < 1 and 0 < least_under_way < 1):
        expected, found = (
            "0 <= passed_on < 1 and 0 < least_under_way < 1",
            f"{passed_on} and {least_under_way}",
        )
        raise UsageError(Fault("bad_share", "shares", expected, found, "Choose shares in these ranges."))
    rows = graph.indptr, graph.indices, graph.weights
    n_steps = _steps(passed_on, least_under_way)
    own, received = _spread(rows, frozen(energy[:, np.newaxis], np.float64), passed_on, n_steps)
    return Activation(own[:, 0].copy(), received[:, 0].copy())


def received_energy(rows: Rows, energy: FloatArray) -> FloatArray:
    """Give what each node receives, n x k, when each column of n x k energies spreads by itself."""
    return _spread(rows, frozen(energy, np.float64), PASSED_ON, _steps(PASSED_ON, LEAST_UNDER_WAY))[1]


def aged_energy(age_days: FloatArray, half_life_days: float = SPREAD_HALF_LIFE_DAYS) -> FloatArray:
    """Energy of seeds by age: 2^(-age / half-life), and 0 for NaN (no seed) and negative ages (not yet one).

    Examples
    --------
    >>> import numpy as np
    >>> aged_energy(np.array([0.0, 30.0, np.nan, -1.0])).tolist()
    [1.0, 0.5, 0.0, 0.0]
    """
    is_seed = age_days >= 0
    energy: FloatArray = np.where(is_seed, np.exp2(-np.where(is_seed, age_days, 0.0) / half_life_days), 0.0)
    return energy


def _steps(passed_on: float, least_under_way: float) -> int:
    return max(1, math.ceil(math.log(least_under_way) / math.log(passed_on))) if passed_on else 1


def _spread(rows: Rows, energy: FloatArray, passed_on: float, n_steps: int) -> tuple[FloatArray, FloatArray]:
    """Own and received energy at rest, n x k. What arrives is added up row by row: the same bits on any machine."""
    totals = entry_sums(rows[0], rows[2])
    own, received = np.zeros(energy.shape), np.zeros(energy.shape)
    moving = energy
    with chunked(rows[0]) as each:
        for step in range(n_steps):
            going = settled(moving, totals, passed_on, own if step == 0 else received)
            moving = products(each, rows, going)
    received += moving
    return own, received


@compiled
def settled(moving: FloatArray, totals: FloatArray, passed_on: float, at_rest: FloatArray) -> FloatArray:
    """Lay down what stays of the moving energy (all, without strength); give what goes on per unit of strength."""
    going = np.zeros(moving.shape, np.float64)
    for node in range(len(totals)):
        for column in range(moving.shape[1]):
            energy = moving[node, column]
            if totals[node] > 0.0:
                at_rest[node, column] += (1.0 - passed_on) * energy
                going[node, column] = passed_on * energy / totals[node]
            else:
                at_rest[node, column] += energy
    return going
