"""What a customer's ties say about the customer: one row of features per member.

It knows the graph, who is a member, and who became a leaver or detractor when; it refuses to know where those facts
come from and what a model makes of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .arrays import node_flags, node_numbers
from .contract import RECENT_DAYS, TIE_WINDOW_DAYS
from .cores import core_numbers
from .exposure import close_exposures, exposures_by_kind
from .frames import AnyGraph, as_tie_graph
from .graph import TieGraph
from .kernels import FloatArray, NodeArray, direction_counts, flagged_sums, frozen, row_sums
from .locality import LaidRows, rows_side_by_side
from .membership import community_columns, community_of
from .names import COMMUNITY_CHURN_DAYS, EXPOSURE_WINDOWS_DAYS, tie_feature_names
from .ranks import converged_pagerank
from .reach import leaver_similarity, second_order_reach
from .triangles import clustering


def network_features(
    graph: AnyGraph,
    *,
    is_member: NDArray[np.bool_],
    leaver_age_days: FloatArray | None,
    detractor_age_days: FloatArray | None,
    may_use: NDArray[np.bool_] | None = None,
    windows_days: Sequence[int] = EXPOSURE_WINDOWS_DAYS,
    community: pl.Series | None = None,
    tie_days: int = TIE_WINDOW_DAYS,
) -> pl.DataFrame:
    """Give degree, reciprocity, tie loss and gain, place in the network, community and exposure of every member.

    Parameters
    ----------
    graph
        Ties of the window, leavers included as nodes: they are what members are exposed to. An ordinary networkx
        graph as `as_tie_graph` reads it, nodes in its order.
    is_member
        bool, n: the node is a customer at the as-of instant; only members get a row.
    leaver_age_days, detractor_age_days
        float, n: days since the node left, or since its latest answer, that of a detractor, was given; NaN if
        neither. None = not known for anybody (no such source): the exposures are null. See `exposures` for edges.
    may_use
        bool, n: the node's call data may be used; None = all. Ties of a node that may not count for nobody, and its
        own features are all null.
    windows_days
        Lengths of the exposure windows.
    community
        Int64, n: as from `community_of` on the ties that may be used; None = found here.
    tie_days
        Days whose contacts make a tie.

    Returns
    -------
    polars.DataFrame
        ``node`` (int32), then the columns of `tie_features`; one row per member, ascending by node. A member without
        ties has ``n_ties`` 0, sums of 0, and null means, shares and exposures.

    Raises
    ------
    UsageError
        An array does not have one value per node, or holds something else.

    Notes
    -----
    A tie is lost when all its contacts are older than 30 days; the share is taken of the ties that have a contact
    older than that, so that new friends do not hide lost ones; once by number, once by strength. A tie is gained when
    all its contacts are younger; the share is taken of the ties with such a contact. PageRank (alpha .85, by strength,
    restarting at nodes with ties, within 1e-8) is given as a multiple of its mean, so that it does not fall as the
    base grows. The same ties in any order give the same bits; other node numbers give the same values to 1e-9, but
    for communities, which take nodes in the order of their numbers.
    """
    graph = as_tie_graph(graph)
    n_nodes = graph.n_nodes
    is_member = node_flags(is_member, n_nodes, "is_member")
    if leaver_age_days is not None:
        leaver_age_days = node_numbers(leaver_age_days, n_nodes, "leaver_age_days")
    if detractor_age_days is not None:
        detractor_age_days = node_numbers(detractor_age_days, n_nodes, "detractor_age_days")
    usable = np.ones(n_nodes, np.bool_) if may_use is None else node_flags(may_use, n_nodes, "may_use")
    permitted = graph.without(~usable)
    together = community_of(permitted) if community is None else community
    rows = rows_side_by_side(permitted, _labels(together))
    ages = {"churn": leaver_age_days, "detractor": detractor_age_days}
    table = pl.concat(
        [
            _degree_columns(permitted),
            _place_columns(permitted, rows),
            _leaver_columns(permitted, rows, leaver_age_days),
            community_columns(permitted, together, is_member, leaver_age_days),
            exposures_by_kind(permitted, rows, ages, windows_days),
            close_exposures(permitted, leaver_age_days, tie_days, windows_days),
        ],
        how="horizontal",
    ).select(tie_feature_names(windows_days))
    if not usable.all():
        table = table.select(pl.when(pl.lit(pl.Series(usable))).then(pl.all()).name.keep())
    nodes = pl.Series("node", np.arange(graph.n_nodes, dtype=np.int32))
    return table.select(nodes, pl.all()).filter(pl.Series(is_member))


def _labels(community: pl.Series) -> NodeArray:
    """Community of each node, those without ties behind all others."""
    numbers = np.asarray(community.fill_null(int(community.max() or 0) + 1).to_numpy())  # type: ignore[arg-type]
    return frozen(numbers, np.int32)


def _degree_columns(graph: TieGraph) -> pl.DataFrame:
    unknown = pl.lit(None, pl.Int64)
    table = pl.DataFrame({"n_ties": graph.degrees, "tie_strength_sum": graph.strengths})
    if graph.marks is None:
        table = table.with_columns(n_ties_out=unknown, n_ties_in=unknown, n_ties_mutual=unknown)
    else:
        n_out, n_in, n_mutual = direction_counts(graph.indptr, graph.marks)
        table = table.with_columns(
            n_ties_out=pl.Series(n_out), n_ties_in=pl.Series(n_in), n_ties_mutual=pl.Series(n_mutual)
        )
    return pl.concat([table, _reciprocity_column(graph), _loss_columns(graph)], how="horizontal")


def _reciprocity_column(graph: TieGraph) -> pl.DataFrame:
    name = "tie_reciprocity_mean"
    if "reciprocity" not in graph.ties.columns:
        return pl.DataFrame({name: pl.Series([None] * graph.n_nodes, dtype=pl.Float64)})
    sums = row_sums(graph.indptr, graph.tie_rows, frozen(graph.ties["reciprocity"].to_numpy(), np.float64))
    table = pl.DataFrame({"sum": sums, "n_ties": graph.degrees})
    return table.select(pl.when(pl.col("n_ties") > 0).then(pl.col("sum") / pl.col("n_ties")).alias(name))


def _loss_columns(graph: TieGraph) -> pl.DataFrame:
    days = f"{RECENT_DAYS}d"
    if not {"n_contacts", "n_recent"} <= set(graph.ties.columns):
        kinds = {f"ties_{what}_{days}": pl.Int64() for what in ("lost", "gained")} | {
            f"tie_{what}_{days}": pl.Float64() for what in ("loss_share", "loss_strength_share", "gain_share")
        }
        return pl.DataFrame(dict.fromkeys(kinds, [None] * graph.n_nodes), schema=kinds)
    is_lost, is_early = pl.col("n_recent") == 0, pl.col("n_contacts") > pl.col("n_recent")
    flags = graph.ties.select(is_lost.cast(pl.UInt8) + 2 * is_early.cast(pl.UInt8)).to_series().to_numpy()
    n_lost, n_early, lost, early = flagged_sums(
        graph.indptr, graph.tie_rows, graph.weights, frozen(flags, np.uint8)
    )
    table = pl.DataFrame(
        {
            "n_lost": n_lost,
            "n_early": n_early,
            "n_gained": graph.degrees - n_early,
            "n_late": graph.degrees - n_lost,
            "lost": lost,
            "early": early,
        }
    )
    return table.select(
        pl.col("n_lost").alias(f"ties_lost_{days}"),
        _share("n_lost", "n_early").alias(f"tie_loss_share_{days}"),
        _share("lost", "early").alias(f"tie_loss_strength_share_{days}"),
        pl.col("n_gained").alias(f"ties_gained_{days}"),
        _share("n_gained", "n_late").alias(f"tie_gain_share_{days}"),
    )


def _share(part: str, whole: str) -> pl.Expr:
    return pl.when(pl.col(whole) > 0).then(pl.col(part) / pl.col(whole))


_RANK_DISTANCE = 1e-8
"""Far below what a model can tell apart, at half the cost of 1e-10."""


def _place_columns(graph: TieGraph, rows: LaidRows) -> pl.DataFrame:
    indptr, indices, row_of = rows.indptr, rows.indices, rows.row_of
    is_ranked = graph.strengths > 0
    n_ranked = int(is_ranked.sum())
    ranks = np.zeros(graph.n_nodes)
    if n_ranked:
        start = is_ranked[rows.node_of].astype(np.float64)
        ranks = n_ranked * converged_pagerank(
            indptr, indices, rows.weights, personalization=start, tol=_RANK_DISTANCE
        )
    return pl.DataFrame(
        {
            "clustering": _known(graph.degrees > 1, clustering(indptr, indices)[row_of]),
            "core_number": core_numbers(indptr, indices)[row_of],
            "pagerank_ratio": _known(is_ranked, ranks[row_of]),
            "n_second_order": second_order_reach(indptr, indices)[row_of],
        }
    )


def _leaver_columns(graph: TieGraph, rows: LaidRows, leaver_age_days: FloatArray | None) -> pl.DataFrame:
    names = [f"leaver_similarity_{which}_{COMMUNITY_CHURN_DAYS}d" for which in ("max", "mean")]
    if leaver_age_days is None:
        nobody = np.zeros(graph.n_nodes, np.bool_)
        return pl.DataFrame({name: _known(nobody, np.zeros(graph.n_nodes)) for name in names})
    left = (leaver_age_days >= 0) & (leaver_age_days <= COMMUNITY_CHURN_DAYS)
    is_leaver = frozen(left[rows.node_of], np.uint8)
    greatest, mean = (
        values[rows.row_of] for values in leaver_similarity(rows.indptr, rows.indices, is_leaver, rows.row_of)
    )
    return pl.DataFrame(
        {names[0]: _known(graph.degrees > 0, greatest), names[1]: _known(~np.isnan(mean), mean)}
    )


def _known(is_defined: NDArray[np.bool_], values: FloatArray) -> pl.Series:
    return pl.select(pl.when(pl.lit(pl.Series(is_defined))).then(pl.lit(pl.Series(values)))).to_series()
