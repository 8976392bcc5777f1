"""The list of calls as it was decided: of a decided date the ledger says who is on it, whatever has changed since.

It decides nothing: the calls went through the contact rules once, with all other contacts of the night.
"""

from __future__ import annotations

import polars as pl

from scoring import ASKED_FIRST, Influence, RankedList

from ..ledger import decided_calls
from ..ledger.rules.reasons import CALLED
from .basis import Basis

_KEPT = pl.Struct({"position": pl.Int64(), "may_contact": pl.Boolean()})


def as_decided(
    basis: Basis, ranked: RankedList, scores: pl.DataFrame, around: Influence | None
) -> RankedList:
    """Return the list that the ledger has of the date, with the risks of ``scores``; ``ranked`` where it has none.

    A dry run takes its decisions anew. Who is no longer scored is no longer on it.
    """
    if basis.ledger is None or basis.extent.is_dry:
        return ranked
    with basis.ledger.reading() as db:
        calls = decided_calls(db, basis.as_of.day)
    return list_of_calls(calls, ranked, scores, around)


def list_of_calls(
    calls: pl.DataFrame, ranked: RankedList, scores: pl.DataFrame, around: Influence | None
) -> RankedList:
    """Return the list of those decided on, with the risks of ``scores``; ``ranked`` where there are none.

    Parameters
    ----------
    calls
        customer_id, decision, reason_code, details (JSON) of the decisions on calls.
    """
    if calls.is_empty():
        return ranked
    known = scores.select("as_of", "customer_id", "risk", "band", "value")
    if around is None:
        spilt = known.with_columns(spillover_value=pl.lit(None, dtype=pl.Float64))
    else:
        spilt = known.join(
            around.frame.select("customer_id", "spillover_value"), on="customer_id", how="left"
        )
    waits = pl.col("reason_code").replace({"waiting_for_answer": ASKED_FIRST})
    told = calls.select(
        "customer_id",
        pl.col("details").str.json_decode(_KEPT).struct.unnest(),
        left_out_for=pl.when(pl.col("decision") != CALLED).then(waits),
    )
    listed = told.join(spilt, on="customer_id").sort("position")
    frame = listed.with_columns(pl.int_range(1, pl.len() + 1).alias("position"))
    return RankedList(frame.select(ranked.frame.columns), ranked.notes)
