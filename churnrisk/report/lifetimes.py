"""How long customers stay: what is expected of tonight's, on what it rests, and what really happened in the test."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from ..tables.published import BANDS
from .content import ReportContent
from .evaluation_tables import lifetime_columns, made
from .parts import Head, Part, Section, Table
from .wording import DASH, capitalised, count, money

NAME = "How long customers stay"

MEANING = (
    "Expected months look [value] lifetime_months ahead, from the risk and from how fast risks fade; lifetime value is "
    "the margin of these months, discounted. Value above is the margin of [value] months without asking who stays."
)


def lifetime_section(content: ReportContent) -> Section:
    """Return expected months and lifetime value by band tonight, and expected survival beside realised."""
    found = None if content.evidence is None else content.evidence.lifetime
    if found is None or "expected_months" not in content.scores.columns:
        line = (
            "The model says nothing of it: it was trained on an extract without a time, or without lifetimes."
        )
        return Section("lifetime", NAME, (line,))
    checked = made("What became of customers of past dates", found.totals, lifetime_columns(), key=1)
    parts = [Part(table=_tonight(content)), *(Part(table=table, is_wide=True) for table in checked)]
    lines = [capitalised(sentence) for sentence in found.sentences()]
    return Section("lifetime", NAME, (*lines, MEANING), tuple(parts))


def _tonight(content: ReportContent) -> Table:
    unit = f" ({content.currency})" if content.currency else ""
    heads = (
        Head("Band", "band"),
        Head("Customers", "number"),
        Head("Months expected, mean", "number"),
        Head(f"Lifetime value{unit}, mean", "number"),
        Head(f"Lifetime value{unit}, all", "number"),
    )
    return Table("Tonight, riskiest first", heads, tuple(_rows(content.scores)), folds=True)


def _rows(scores: pl.DataFrame) -> Iterator[tuple[str, ...]]:
    by_band = scores.group_by("band").agg(
        n=pl.len(),
        months=pl.col("expected_months").mean(),
        mean=pl.col("clv").mean(),
        total=pl.when(pl.col("clv").count() > 0).then(pl.col("clv").sum()),
    )
    rows = {row["band"]: row for row in by_band.iter_rows(named=True)}
    for band in (name for name in reversed(BANDS) if name in rows):
        row = rows[band]
        months = DASH if row["months"] is None else f"{row['months']:.1f}"
        yield band, count(row["n"]), months, money(row["mean"]), money(row["total"])
