"""The section of lifetimes: tonight by band, on what it rests, what became of customers of past dates."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from churnrisk.report.content import Evidence, ReportContent
from churnrisk.report.lifetimes import lifetime_section
from tests.drawn_models import drawn_lifetime
from tests.unit.report.samples import believable


def content(*, clv: float | None = 100.0) -> ReportContent:
    night = believable()
    evidence = night.evidence
    assert isinstance(evidence, Evidence)
    scores = night.scores.with_columns(
        expected_months=60 * (1 - pl.col("risk")), clv=pl.lit(clv, dtype=pl.Float64)
    )
    return replace(night, scores=scores, evidence=replace(evidence, lifetime=drawn_lifetime()))


def test_expected_months_and_value_stand_by_band_riskiest_first() -> None:
    section = lifetime_section(content())
    table = section.parts[0].table
    assert table is not None
    assert [row[0] for row in table.rows] == ["critical", "high", "watch", "low"]
    months = [float(str(row[2])) for row in table.rows]
    assert months == sorted(months)
    assert {row[3] for row in table.rows} == {"100.00"}


def test_it_says_on_what_it_rests_and_what_really_happened() -> None:
    section = lifetime_section(content())
    assert section.lines[0].startswith("Of the distance 80%")
    assert any(
        "Out of time 50 customer dates lived 0.91 of their first month" in line for line in section.lines
    )
    checked = section.parts[1].table
    assert checked is not None
    assert checked.rows[0][-1] == "1.011 (0.950 to 1.050)"


def test_without_a_monthly_value_the_money_is_unknown_and_not_nought() -> None:
    table = lifetime_section(content(clv=None)).parts[0].table
    assert table is not None
    assert {row[4] for row in table.rows} == {"not known"}


def test_a_model_without_lifetimes_says_nothing_of_them() -> None:
    section = lifetime_section(believable())
    assert section.parts == ()
    assert "says nothing" in section.lines[0]
