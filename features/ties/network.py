"""What a customer's ties say about the customer: one row of features per member.

It knows the graph, who is a member, and who became a leaver or detractor when; it refuses to know where those facts
come from and what a model makes of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .contract import RECENT_DAYS
from .exposure import exposures
from .graph import TieGraph
from .kernels import FloatArray, MarkArray, direction_counts, frozen, row_counts, row_sums
from .names import EXPOSURE_WINDOWS_DAYS, tie_feature_names


def network_features(
    graph: TieGraph,
    *,
    is_member: NDArray[np.bool_],
    leaver_age_days: FloatArray | None,
    detractor_age_days: FloatArray | None,
    may_use: NDArray[np.bool_] | None = None,
    windows_days: Sequence[int] = EXPOSURE_WINDOWS_DAYS,
) -> pl.DataFrame:
    """Give degree, reciprocity, tie loss and exposure of every member.

    Parameters
    ----------
    graph
        Ties of the window, leavers included as nodes: they are what members are exposed to.
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

    Returns
    -------
    polars.DataFrame
        ``node`` (int32), then the columns of `tie_features`; one row per member, ascending by node. A member without
        ties has ``n_ties`` 0, sums of 0, and null means, shares and exposures.

    Raises
    ------
    ValueError
        An array does not have one value per node.

    Notes
    -----
    A tie is lost when all its contacts are older than 30 days; the share is taken of the ties that have a contact
    older than that, so that new friends do not hide lost ones. O(n + m); the same ties in any order give the same
    bits, and other node numbers the same values to 1e-9.
    """
    for name, values in (
        ("is_member", is_member),
        ("leaver_age_days", leaver_age_days),
        ("detractor_age_days", detractor_age_days),
        ("may_use", may_use),
    ):
        if values is not None and values.shape != (graph.n_nodes,):
            msg = f"{name}: expected one value for each of {graph.n_nodes} nodes, found shape {values.shape}"
            raise ValueError(msg)
    usable = np.ones(graph.n_nodes, np.bool_) if may_use is None else may_use
    permitted = graph.without(~usable)
    table = pl.concat(
        [
            _degree_columns(permitted),
            exposures(permitted, leaver_age_days, "churn", windows_days),
            exposures(permitted, detractor_age_days, "detractor", windows_days),
        ],
        how="horizontal",
    ).select(tie_feature_names(windows_days))
    return (
        table.with_columns(pl.when(pl.lit(pl.Series(usable))).then(pl.all()).name.keep())
        .select(pl.Series("node", np.arange(graph.n_nodes, dtype=np.int32)), pl.all())
        .filter(pl.Series(is_member))
    )


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
    n_name, share_name = f"ties_lost_{RECENT_DAYS}d", f"tie_loss_share_{RECENT_DAYS}d"
    if not {"n_contacts", "n_recent"} <= set(graph.ties.columns):
        unknown = [None] * graph.n_nodes
        return pl.DataFrame(
            {n_name: pl.Series(unknown, dtype=pl.Int64), share_name: pl.Series(unknown, dtype=pl.Float64)}
        )
    n_lost = _flag_counts(graph, pl.col("n_recent") == 0)
    n_earlier = _flag_counts(graph, pl.col("n_contacts") > pl.col("n_recent"))
    return pl.DataFrame({n_name: n_lost, "n_earlier": n_earlier}).select(
        n_name, pl.when(pl.col("n_earlier") > 0).then(pl.col(n_name) / pl.col("n_earlier")).alias(share_name)
    )


def _flag_counts(graph: TieGraph, flag: pl.Expr) -> np.ndarray:
    flags: MarkArray = frozen(graph.ties.select(flag.cast(pl.UInt8)).to_series().to_numpy(), np.uint8)
    return row_counts(graph.indptr, graph.tie_rows, flags)
