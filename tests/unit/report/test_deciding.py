"""What the page says of tonight's decisions and of how asking goes: figures, or that there are not enough."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from churnrisk.ledger.rules.reasons import GIVEN, NONE, decision_of
from churnrisk.report import Asking, Handed, report_html
from churnrisk.report.deciding import NOT_MADE, NOTHING_DECIDED, asking_section, decided_section
from churnrisk.report.parts import Section

from .samples import ASKED, DECIDED, believable

SPACE = "\N{NO-BREAK SPACE}"


def asking(**parts: Any) -> Section:
    return asking_section(replace(believable(50), asking=replace(ASKED, **parts)))


def test_decisions_are_counted_by_reason_and_budgets_told() -> None:
    found = decided_section(replace(believable(50), decided=DECIDED))
    assert found.lines[0] == f"Of 5.00{SPACE}EUR for asking 2.00{SPACE}EUR are used."
    assert f"bring 812.50{SPACE}EUR after all costs" in found.lines[2]
    assert found.lines[-1] == "The effect of offer call is assumed, not measured."
    table, curve = found.parts[0].table, found.parts[1].picture
    assert table is not None
    assert table.rows[0] == ("Survey", "asked", "Chosen.", "40")
    assert table.rows[1] == (
        "Survey",
        "held out",
        "Belongs to those who are never asked, to measure by.",
        "1,200",
    )
    assert curve is not None
    assert "tonight: 60.00" in curve.description


def test_what_is_not_offered_is_told_by_its_reason_and_never_as_worth_nothing_where_nobody_said_so() -> None:
    table = decided_section(replace(believable(50), decided=DECIDED)).parts[0].table
    assert table is not None
    told = {row[2]: row[1] for row in table.rows if row[0] == "Offer"}
    assert list(told.values())[2:] == ["not known to help", "not for them", "not worth it", "not tonight"]
    made_by = {code: decision_of(code, "offer") for code in GIVEN}
    assert {code for code, decision in made_by.items() if decision == NONE} == set(NOT_MADE)
    assert [code for code, words in NOT_MADE.items() if "worth" in words] == ["not_worth_it"]


def test_why_the_curve_and_what_was_decided_differ_is_told_and_offers_made_at_a_loss_are_called_exploration() -> (
    None
):
    caption = decided_section(replace(believable(50), decided=DECIDED)).parts[1].caption
    assert (
        "before the lots of tonight decide who is left alone to measure by and who draws which offer"
        in caption
    )
    at_a_loss = replace(DECIDED, figures={**DECIDED.figures, "expected_net_value": -12.5})
    assert decided_section(replace(believable(50), decided=at_a_loss)).lines[2] == (
        f"The offers are expected to cost 12.50{SPACE}EUR more than they bring: some are drawn by lot to explore, and "
        "pay by what is learned of them."
    )


def test_whoever_was_stopped_since_is_counted_as_decided_and_told() -> None:
    content = replace(believable(50), decided=DECIDED, handed={"offers": Handed(3, n_stopped=2)})
    assert (
        decided_section(content).lines[-1]
        == "Counted as it was decided: 2 contacts among these were stopped since."
    )


def test_a_night_that_decides_nothing_says_so() -> None:
    for none in (None, replace(DECIDED, figures={"counts": []})):
        assert decided_section(replace(believable(50), decided=none)).lines == (NOTHING_DECIDED,)


def test_without_a_catalogue_there_is_no_picture() -> None:
    bare = replace(DECIDED, figures={**DECIDED.figures, "curve": None})
    assert all(part.picture is None for part in decided_section(replace(believable(50), decided=bare)).parts)


def test_confirmation_goes_by_band_with_intervals() -> None:
    rates = asking().parts[0].table
    assert rates is not None
    assert rates.rows[0] == (
        "critical",
        "40",
        "12",
        f"50{SPACE}%",
        f"25{SPACE}% to 75{SPACE}%",
        f"25{SPACE}%",
    )
    assert rates.rows[1][3:] == ("not known", "\N{EN DASH}", "not known"), "nobody of the band has answered"


def test_risks_before_and_after_stand_side_by_side_with_the_gain() -> None:
    figures = asking().parts[1].table
    assert figures is not None
    assert figures.caption == "Risks before and after 300 answers, 25 leavers among them"
    assert figures.rows[0] == ("Log loss (lower is better)", "0.2500", "0.2000", "0.0500", "0.0200 to 0.0800")
    assert figures.rows[1][-1] == "\N{EN DASH}"


def test_too_few_answers_are_told_and_not_judged() -> None:
    found = asking(figures=None, few="3 answers whose outcome is known")
    assert any(line.startswith("Not enough answers yet") for line in found.lines)
    assert len(found.parts) == 1


def test_when_nobody_was_asked_it_says_so() -> None:
    for none in (None, Asking(ratios="What an answer says is assumed.")):
        lines = asking_section(replace(believable(50), asking=none)).lines
        assert lines[0] == "Nobody has been asked to confirm a risk yet."


def test_both_stand_on_the_page() -> None:
    page = report_html(replace(believable(50), decided=DECIDED, asking=ASKED))
    assert "What another budget would buy" in page
    assert "Do answers confirm the risk?" in page
