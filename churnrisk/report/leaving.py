"""How customers would leave, if they left: counts of the likeliest kind of each, where the model tells kinds apart."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from .content import ReportContent
from .parts import Head, Part, Table
from .summaries import AT_RISK_BANDS
from .wording import DASH, count, percent

KIND_WORDS: Mapping[str, str] = {
    "asked": "says so before, or says why",
    "silent": "without a word",
    "non_payment": "for unpaid bills",
    "other": "in a rarer way",
}
"""Kinds of leavers as the page calls them."""


def kinds_part(content: ReportContent) -> Part | None:
    """Return how many would most likely leave how, among those at risk and among all; None where nothing is told."""
    scores = content.scores
    if "leaver_kind" not in scores.columns or scores["leaver_kind"].null_count() == scores.height:
        return None
    is_at_risk = pl.col("band").is_in(AT_RISK_BANDS)
    by_kind = scores.group_by("leaver_kind").agg(
        n=pl.len(),
        n_at_risk=is_at_risk.sum(),
        share=pl.col("leaver_kind_share").filter(is_at_risk).mean(),
    )
    found = {row["leaver_kind"]: row for row in by_kind.iter_rows(named=True)}
    rows = tuple(
        (
            words,
            count(found[kind]["n_at_risk"]),
            percent(found[kind]["share"]) if found[kind]["n_at_risk"] else DASH,
            count(found[kind]["n"]),
        )
        for kind, words in KIND_WORDS.items()
        if kind in found
    )
    heads = (
        Head("Most likely"),
        Head("At risk", "number"),
        Head("Probability of it, mean", "number"),
        Head("All customers", "number"),
    )
    return Part(table=Table("If they leave: how", heads, rows, folds=True), is_wide=True)
