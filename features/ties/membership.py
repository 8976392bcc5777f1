"""Which community a customer belongs to, and what that community says about the customer.

It knows the graph, who is a member and who left when; it refuses to know how communities are found (communities) and
what a model makes of them. A community's number is a name, never a feature: it may change from one date to the next.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .communities import leiden
from .frames import AnyGraph, as_tie_graph
from .graph import TieGraph
from .kernels import FloatArray, IntArray, MarkArray, NodeArray, compiled, frozen
from .names import COMMUNITY_CHURN_DAYS, FEWEST_OTHERS

COMMUNITY_REACH = 500
"""A customer belongs where the share of its strength that stays inside exceeds the community's size divided by this.

A guess, that the circles people keep have some tens of members: with four of five ties inside, communities end at
400.
On the bench graph (true communities of 20-60) 400 to 800 all agree with the truth to an adjusted Rand index of .92-.93;
plain modularity, which merges what is small beside the whole, to .06.
"""


def community_of(graph: AnyGraph) -> pl.Series:
    r"""Number of the community that each node belongs to.

    Parameters
    ----------
    graph
        Ties between n nodes; leave out beforehand those that may not be used (`TieGraph.without`). An ordinary
        networkx graph as `as_tie_graph` reads it, nodes in its order.

    Returns
    -------
    polars.Series
        ``community``, Int64, n: 0, 1, ... in the order of the smallest members; null for a node without ties.

    Notes
    -----
    `leiden`, one pass, with the resolution n / `COMMUNITY_REACH` over the n nodes with ties. A node i then gains by
    joining community c when :math:`w_{ic} / k_i > (K_c / \bar k) / 500`: its share of strength inside against the
    number of average members, whatever the size of the whole base. Plain modularity would merge communities as the
    base grows (Fortunato & Barthelemy 2007).

    Examples
    --------
    >>> import networkx as nx
    >>> friends = nx.barbell_graph(4, 0)
    >>> friends.add_node("loner")
    >>> community_of(friends).to_list()
    [0, 0, 0, 0, 1, 1, 1, 1, None]
    """
    graph = as_tie_graph(graph)
    has_ties = graph.degrees > 0
    resolution = max(1.0, int(has_ties.sum()) / COMMUNITY_REACH)
    labels = leiden(graph.indptr, graph.indices, graph.weights, resolution=resolution, n_passes=1)
    # nodes without ties are numbered too: number again without them
    known = labels[has_ties]
    is_first = np.zeros(int(labels.max(initial=-1)) + 1, np.int64)
    is_first[known] = 1
    numbers = np.cumsum(is_first) - 1
    return pl.select(
        pl.when(pl.lit(pl.Series(has_ties))).then(pl.lit(pl.Series(numbers[labels]))).alias("community")
    ).to_series()


def community_columns(
    graph: TieGraph,
    community: pl.Series,
    is_member: NDArray[np.bool_],
    leaver_age_days: FloatArray | None,
) -> pl.DataFrame:
    r"""What a node's community says about it: size, churn among the others, leadership, share of strength inside.

    Parameters
    ----------
    graph
        Ties between n nodes.
    community
        Int64, n: as from `community_of`.
    is_member
        bool, n: the node is a customer now.
    leaver_age_days
        float, n: days since the node left; NaN = it did not. None = leavers are not known.

    Returns
    -------
    polars.DataFrame
        One row per node. ``community_size`` (customers now: the size told is the number of rows that everybody sees,
        whoever left), ``community_churn_rate_90d`` (of the *other* nodes that are customers or left in the last 90
        days, those that left), ``is_community_leader`` (1 for the customer with the greatest strength inside, the
        smallest number among equals; else 0) and ``community_strength_share`` (strength inside / all). Null without
        ties; size and leader also where `is_told_of` says no, the rate with fewer than five others, so that they
        point at nobody; the share also where all strengths are 0.
    """
    has_ties = community.is_not_null().to_numpy()
    labels = frozen(community.fill_null(0).to_numpy(), np.int32)
    inside = inner_strengths(graph.indptr, graph.indices, graph.weights, labels)
    table = pl.DataFrame(
        {
            "community": community,
            "inside": inside,
            "strength": graph.strengths,
            "is_leader": leads(labels, frozen(is_member & has_ties, np.uint8), inside),
            "is_member": is_member,
            "is_told": is_told_of(community, is_member),
            "left": np.zeros(graph.n_nodes, np.bool_)
            if leaver_age_days is None
            else (leaver_age_days >= 0) & (leaver_age_days <= COMMUNITY_CHURN_DAYS),
        }
    ).with_columns(counted=pl.col("is_member") | pl.col("left"))
    totals = table.group_by("community").agg(
        pl.col("is_member").sum().cast(pl.Int64).alias("community_size"),
        pl.col("counted").sum().cast(pl.Int64).alias("n_counted"),
        (pl.col("left") & pl.col("counted")).sum().cast(pl.Int64).alias("n_left"),
    )
    n_others = pl.col("n_counted") - pl.col("counted").cast(pl.Int64)
    rate = (pl.col("n_left") - pl.col("left").cast(pl.Int64)) / n_others
    known = pl.lit(value=leaver_age_days is not None)
    return (
        table.join(totals, on="community", how="left", maintain_order="left")
        .with_columns(is_known=pl.col("community").is_not_null())
        .select(
            pl.when("is_told").then("community_size").alias("community_size"),
            pl.when(pl.col("is_known") & known & (n_others >= FEWEST_OTHERS))
            .then(rate)
            .alias(f"community_churn_rate_{COMMUNITY_CHURN_DAYS}d"),
            pl.when("is_told").then(pl.col("is_leader").cast(pl.Int8)).alias("is_community_leader"),
            pl.when(pl.col("is_known") & (pl.col("strength") > 0))
            .then(pl.min_horizontal(pl.col("inside") / pl.col("strength"), 1.0))
            .alias("community_strength_share"),
        )
    )


def is_told_of(community: pl.Series, is_member: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say of each node whether its community may be told: it has so many customers that it points at none who left.

    A customer who has ties and stands in a community of one must have lost all the others: at least five others who
    are customers now are asked for.

    >>> is_told_of(pl.Series([0] * 6 + [1] * 6 + [None]), np.array([True] * 11 + [False, True])).tolist()[4:8]
    [True, True, False, False]
    """
    told: NDArray[np.bool_] = (
        pl.DataFrame({"community": community, "is_member": is_member})
        .select(
            pl.col("community").is_not_null() & (pl.col("is_member").sum().over("community") > FEWEST_OTHERS)
        )
        .to_series()
        .to_numpy()
    )
    return told


@compiled
def inner_strengths(
    indptr: IntArray, indices: NodeArray, weights: FloatArray, labels: NodeArray
) -> FloatArray:
    """Strength of each node's ties to its own community. O(n + m)."""
    inside = np.zeros(len(indptr) - 1, np.float64)
    for node in range(len(indptr) - 1):
        for entry in range(indptr[node], indptr[node + 1]):
            if labels[indices[entry]] == labels[node]:
                inside[node] += weights[entry]
    return inside


@compiled
def leads(labels: NodeArray, is_candidate: MarkArray, inside: FloatArray) -> MarkArray:
    """Mark, per community, the candidate with the greatest strength inside; the first of equals. O(n)."""
    is_leader = np.zeros(len(labels), np.uint8)
    first = np.full(labels.max() + 1 if len(labels) else 0, -1, np.int32)
    for node in range(len(labels)):
        if is_candidate[node]:
            best = first[labels[node]]
            if best < 0 or inside[node] > inside[best]:
                first[labels[node]] = node
    for node in first:
        if node >= 0:
            is_leader[node] = 1
    return is_leader
