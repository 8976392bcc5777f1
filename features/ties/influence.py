"""What a customer's leaving would cost around them: friends' risk and value, scaled by a measured effect and bounded.

It knows ties, risks and values, and refuses to know exposures: what predicts is not what causes. Its one scale comes
from a causal effect (an experiment's, an estimate's that passed its controls, or the cautious default).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.errors import Fault, UsageError

from .arrays import node_numbers
from .frames import AnyGraph, as_tie_graph
from .kernels import FloatArray, IntArray, NodeArray, compiled, frozen

LARGEST_EXCESS = 0.28
"""Cap on the mean of spillover over value: the social multiplier of 1.28 of Ascarza, Ebbes, Netzer & Danielson 2017."""

LEAST_SHARED = 1e-9
"""Mean of shared stake over value below which there is nothing to scale; dividing by it would only make noise large."""

_LEAST_OF_MEDIAN = 0.01
"""Reference customers of less than so much of the median value set no scale: nobody would treat them. A judgement."""

_NEARLY = 1.0 - 1e-9
"""Sums of equal weights miss the exact mean by a rounding; equal ties are strong all of them."""


class FriendsStake(NamedTuple):
    """Around each node, arrays of length n: what its friends are expected to lose anyway, before any scale.

    ``shared``: float, sum_j s_ji h_j V_j, currency; ``strong``: float, sum over strong friends of h_j V_j, currency;
    ``n_valued``, ``n_unvalued``: int, neighbours with a risk whose value is known, and unknown.
    """

    shared: FloatArray
    strong: FloatArray
    n_valued: IntArray
    n_unvalued: IntArray


class SpilloverScale(NamedTuple):
    """The factor kappa that turns the shared stake into money, with its interval.

    ``excess`` (``low``, ``high``) is the mean of spillover over value among the reference customers, after the cap;
    ``kappa`` (``kappa_low``, ``kappa_high``) what makes it so; ``n_reference`` how many they are; ``is_capped`` says
    that the cap holds ``excess`` down.
    """

    kappa: float
    kappa_low: float
    kappa_high: float
    excess: float
    excess_low: float
    excess_high: float
    n_reference: int
    is_capped: bool


def friends_stake(graph: AnyGraph, risk: FloatArray, value: FloatArray) -> FriendsStake:
    r"""Sum what each node's friends are expected to lose anyway, each weighted by the attention the node has of them.

    Parameters
    ----------
    graph
        Ties between n nodes; an ordinary networkx graph as `as_tie_graph` reads it, nodes in its order.
    risk
        float, n: probability of leaving, NaN = not at risk any more (left, in notice): adds nothing.
    value
        float, n: currency, NaN = unknown: adds nothing and is counted; what is below 0 counts as 0.

    Returns
    -------
    FriendsStake
        In node order. Nodes without ties have 0 everywhere.

    Raises
    ------
    UsageError
        An array has not one number per node, or a risk is outside 0 to 1.

    Notes
    -----
    With s_ji = w_ij / sum_l w_jl, the share of j's attention that i has, h risk and V value:

    .. math:: shared_i = \sum_j s_{ji} h_j V_j \qquad strong_i = \sum_{j\ strong} h_j V_j

    A friend is strong when the tie holds at least an even share of the attention of one of both: w_ij k_i >= sum_l w_il
    or w_ij k_j >= sum_l w_jl with k ties. O(n + m).

    Examples
    --------
    >>> import numpy as np, polars as pl
    >>> from features.ties import TieGraph
    >>> pairs = pl.DataFrame({"node_a": [0, 1], "node_b": [1, 2], "strength": [3.0, 1.0]})
    >>> graph = TieGraph.from_ties(pairs, 3)
    >>> friends_stake(graph, np.array([0.1, 0.2, 0.5]), np.array([100.0, 50.0, 8.0])).shared.tolist()
    [7.5, 14.0, 2.5]
    """
    graph = as_tie_graph(graph)
    risk = node_numbers(risk, graph.n_nodes, "risk")
    value = node_numbers(value, graph.n_nodes, "value")
    if ((risk < 0) | (risk > 1)).any():
        raise UsageError(
            Fault("bad_array", "risk", "0 to 1", "others", "Give NaN to whoever is not at risk.")
        )
    stake = np.where(np.isnan(value), np.nan, risk * np.where(value > 0, value, 0.0))
    is_at_risk = frozen(~np.isnan(risk), np.uint8)
    return FriendsStake(
        *_stake_sums(graph.indptr, graph.indices, graph.weights, frozen(stake, np.float64), is_at_risk)
    )


def spillover_scale(
    stake: FriendsStake,
    value: FloatArray,
    is_reference: NDArray[np.bool_],
    *,
    effect: tuple[float, float, float] = (0.03, 0.0, 0.28),
    excess: tuple[float, float, float] | None = None,
) -> SpilloverScale:
    r"""Choose kappa so that the mean of spillover over value among the reference customers is what was measured.

    Parameters
    ----------
    stake
        As `friends_stake` gives it.
    value
        float, n: currency, NaN = unknown.
    is_reference
        bool, n: those who would be treated. Only those with a hundredth of their median value or more count; when they
        have next to nothing at stake around them, all nodes with a value do.
    effect
        Relative extra hazard per strong friend who left, with the ends of its interval.
    excess
        The mean itself (multiplier - 1) with the ends of its interval, from an experiment; stands for ``effect``.

    Returns
    -------
    SpilloverScale
        All 0 where nobody has anything at stake.

    Notes
    -----
    m = mean_i(effect * strong_i / V_i), or ``excess``, at most `LARGEST_EXCESS`; kappa = m / mean_i(shared_i / V_i).
    The cap holds for that mean, not for one customer. Spillover of i is S_i = kappa shared_i.

    References
    ----------
    Ferreira, Telang & De Matos 2019 (the default effect, instrumented); Nitzan & Libai 2011 (how much larger the merely
    predictive association is); Ascarza, Ebbes, Netzer & Danielson 2017 (the cap).

    Examples
    --------
    >>> import numpy as np
    >>> ones = np.ones(2, np.int64)
    >>> around = FriendsStake(np.array([2.0, 4.0]), np.array([10.0, 30.0]), ones, 0 * ones)
    >>> scale = spillover_scale(around, np.array([100.0, 100.0]), np.array([True, True]))
    >>> round(scale.excess, 6), round(scale.kappa, 6)
    (0.006, 0.2)
    """
    has_value = value > 0
    chosen = is_reference & has_value
    if chosen.any():  # a ratio to next to nothing would outweigh all others
        chosen &= value >= _LEAST_OF_MEDIAN * np.median(value[chosen])
    if _mean_ratio(stake.shared, value, chosen) < LEAST_SHARED:
        chosen = has_value
    n_reference, shared = int(chosen.sum()), _mean_ratio(stake.shared, value, chosen)
    if shared < LEAST_SHARED:
        return SpilloverScale(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, n_reference, is_capped=False)
    strong = _mean_ratio(stake.strong, value, chosen)
    wanted = excess if excess is not None else tuple(each * strong for each in effect)
    best, low, high = (min(each, LARGEST_EXCESS) for each in wanted)
    return SpilloverScale(
        best / shared,
        low / shared,
        high / shared,
        best,
        low,
        high,
        n_reference,
        is_capped=wanted[0] > LARGEST_EXCESS,
    )


def _mean_ratio(amounts: FloatArray, value: FloatArray, chosen: NDArray[np.bool_]) -> float:
    return float(np.mean(amounts[chosen] / value[chosen])) if chosen.any() else 0.0


def spillover(stake: FriendsStake, kappa: float) -> FloatArray:
    """Spillover S_i = kappa shared_i of every node, currency; NaN where no friend's value is known but some have risk.

    0 where a node has no ties, or ties only to those who are gone.
    """
    unknown = (stake.n_valued == 0) & (stake.n_unvalued > 0)
    money: FloatArray = np.where(unknown, np.nan, kappa * stake.shared)
    return money


def friends_at_risk(
    graph: AnyGraph, node: int, risk: FloatArray, value: FloatArray, kappa: float
) -> pl.DataFrame:
    """Say who around a node would be more at risk if it left, and by how much.

    ``node`` is a number: the position among the nodes of an ordinary networkx graph.

    Returns
    -------
    polars.DataFrame
        One row per tie, strongest first, then by node: ``node``; ``share`` of the friend's attention that the node has
        (null where all the friend's ties have strength 0); ``strength``; ``risk``, ``value`` (null as given);
        ``extra_risk`` = min(kappa s h, 1 - h), probability; ``money`` = extra_risk x value, 0 for a value below 0. Null
        where what it rests on is. Money sums to the spillover of the node unless a risk reaches 1.

    Examples
    --------
    >>> import numpy as np, polars as pl
    >>> from features.ties import TieGraph
    >>> pairs = pl.DataFrame({"node_a": [0, 1], "node_b": [1, 2], "strength": [3.0, 1.0]})
    >>> graph = TieGraph.from_ties(pairs, 3)
    >>> rows = friends_at_risk(graph, 1, np.array([0.1, 0.2, 0.5]), np.array([100.0, 50.0, 8.0]), 0.2)
    >>> rows.select("node", "extra_risk", "money").rows()
    [(0, 0.020000000000000004, 2.0000000000000004), (2, 0.1, 0.8)]
    """
    graph = as_tie_graph(graph)
    risk = node_numbers(risk, graph.n_nodes, "risk")
    value = node_numbers(value, graph.n_nodes, "value")
    near = graph.neighbours(node)
    strength = graph.weights[graph.indptr[node] : graph.indptr[node + 1]]
    whole = graph.strengths[near]
    rows = pl.DataFrame(
        {
            "node": near,
            "strength": strength,
            "share": np.where(whole > 0, strength / np.where(whole > 0, whole, 1.0), np.nan),
            "risk": risk[near],
            "value": value[near],
        }
    ).with_columns(pl.col("share", "risk", "value").fill_nan(None))
    grown = pl.min_horizontal(kappa * pl.col("share") * pl.col("risk"), 1 - pl.col("risk"))
    is_known = pl.col("share").is_not_null() & pl.col("risk").is_not_null()
    return (
        rows.with_columns(extra_risk=pl.when(is_known).then(grown))
        .with_columns(money=pl.col("extra_risk") * pl.col("value").clip(0))
        .sort(["strength", "node"], descending=[True, False])
    )


@compiled
def _stake_sums(
    indptr: IntArray,
    indices: NodeArray,
    weights: FloatArray,
    stake: FloatArray,
    is_at_risk: NDArray[np.uint8],
) -> tuple[FloatArray, FloatArray, IntArray, IntArray]:
    n_nodes = len(indptr) - 1
    totals = np.zeros(n_nodes, np.float64)
    for node in range(n_nodes):
        for entry in range(indptr[node], indptr[node + 1]):
            totals[node] += weights[entry]
    shared, strong = np.zeros(n_nodes, np.float64), np.zeros(n_nodes, np.float64)
    n_valued, n_unvalued = np.zeros(n_nodes, np.int64), np.zeros(n_nodes, np.int64)
    for node in range(n_nodes):
        n_ties = indptr[node + 1] - indptr[node]
        for entry in range(indptr[node], indptr[node + 1]):
            other, weight = indices[entry], weights[entry]
            if is_at_risk[other] == 0:
                continue
            if np.isnan(stake[other]):
                n_unvalued[node] += 1
                continue
            n_valued[node] += 1
            if totals[other] > 0.0:
                shared[node] += weight / totals[other] * stake[other]
            n_of_other = indptr[other + 1] - indptr[other]
            if weight > 0.0 and (
                weight * n_ties >= totals[node] * _NEARLY or weight * n_of_other >= totals[other] * _NEARLY
            ):
                strong[node] += stake[other]
    return shared, strong, n_valued, n_unvalued
