"""How customers would leave is counted where it is known, of those at risk apart, and left out where it is not."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from churnrisk.report import report_html
from churnrisk.report.leaving import KIND_WORDS, kinds_part
from churnrisk.tables.published import KINDS
from tests.unit.report import samples

SCORES = pl.DataFrame(
    {
        "customer_id": ["a", "b", "c", "d"],
        "risk": [0.4, 0.2, 0.01, 0.01],
        "band": ["critical", "high", "low", "low"],
        "value": [1.0, 1.0, 1.0, 1.0],
        "leaver_kind": ["asked", "asked", "asked", "silent"],
        "leaver_kind_share": [0.6, 0.8, 0.5, 0.9],
    }
)


def test_kinds_are_counted_among_those_at_risk_and_among_all() -> None:
    part = kinds_part(replace(samples.believable(200), scores=SCORES))
    assert part is not None
    assert part.table is not None
    rows = [tuple(str(cell).replace("\N{NO-BREAK SPACE}", " ") for cell in row) for row in part.table.rows]
    assert rows == [("says so before, or says why", "2", "70 %", "3"), ("without a word", "0", "–", "1")]


def test_without_kinds_nothing_is_shown() -> None:
    content = samples.believable(200)
    nulls = SCORES.with_columns(leaver_kind=pl.lit(None, dtype=pl.String))
    for scores in (SCORES.drop("leaver_kind", "leaver_kind_share"), nulls, SCORES.clear()):
        assert kinds_part(replace(content, scores=scores)) is None


def test_every_kind_has_its_words_and_the_page_holds_the_table() -> None:
    assert tuple(KIND_WORDS) == KINDS
    page = report_html(samples.believable(200))
    assert "If they leave: how" in page
    assert "Calibrated apart by plan: contract 12 months, prepaid." in page
