"""What the page says of what was watched."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from churnrisk.report import Told, Watching, report_html
from churnrisk.report.watch import watch_section

from . import samples
from .samples import believable, minimal


def cells(kind: str, title: str) -> list[tuple[object, ...]]:
    section = watch_section(believable(200))
    tables = [part.table for part in section.parts if part.table is not None]
    (found,) = [table for table in tables if table.caption.startswith(title)]
    return [row for row in found.rows if kind in str(row[0])]


def test_findings_stand_first_with_what_should_be_done() -> None:
    section = watch_section(believable(200))
    assert section.lines[0] == "2 findings, 1 alarm among them: what was found, and what should be done."
    first = section.parts[0].table
    assert first is not None
    assert [row[0] for row in first.rows] == ["alarm", "warning"]
    assert first.rows[0][2] == "Look at source calls."


def test_bands_stand_in_their_order_between_all_and_the_slope() -> None:
    section = watch_section(believable(200))
    (table,) = [
        part.table
        for part in section.parts
        if part.table and part.table.caption.startswith("Did predictions")
    ]
    assert [row[0] for row in table.rows] == ["all", "band high", "calibration slope"]
    assert table.rows[0][3:6] == ("96", "1.20", "1.10 to 1.31")


def test_what_moved_is_told_by_its_label_and_the_risk_by_its_name() -> None:
    assert cells("Calls made", "Moved beyond chance since the last night")[0][1:4] == (
        "calls",
        "0.61",
        "0.012",
    )
    assert cells("the risk", "Moved beyond chance since the last night")[0][2] == "0.14"
    assert cells("Days as a customer", "Moved beyond chance since the training")


def test_promises_stand_beside_what_matured_ones_became() -> None:
    assert cells("AUC", "What tonight's risks promise")[0] == (
        "AUC", "0.700", "0.600 to 0.800", "–", "0.770, 0.750", "as expected",
    )  # fmt: skip
    assert cells("Share", "What tonight's risks promise")[0][1:3] == (
        "70\N{NO-BREAK SPACE}%",
        "60\N{NO-BREAK SPACE}% to 80\N{NO-BREAK SPACE}%",
    )


def test_sources_that_shrank_show_both_counts() -> None:
    assert cells("calls", "What came tonight")[0] == ("facts of calls", "40,000", "1,200,000", "shrunk")


def test_a_quiet_night_says_so_and_notes_are_no_findings() -> None:
    quiet = Watching(samples.watching().table, (Told("note", "1 input moved.", ""),), ())
    section = watch_section(replace(believable(200), watching=quiet))
    assert section.lines[0].startswith("Nothing stands out")


def test_a_first_night_has_promises_and_nothing_else() -> None:
    table = samples.watching().table.filter(pl.col("kind") == "performance", pl.col("baseline") == "test")
    section = watch_section(replace(believable(200), watching=Watching(table, (), ("No night before.",))))
    assert len(section.parts) == 1
    assert section.lines[1] == "No night before."


def test_a_run_that_was_not_watched_says_so() -> None:
    content = believable(200)
    assert watch_section(minimal(content.scores, content.at_risk)).lines == ("This run was not watched.",)


def test_the_page_holds_the_section() -> None:
    assert "Can tonight be trusted?" in report_html(believable(200))
