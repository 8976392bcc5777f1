"""What to do now: the numbers of the files, who is left out and why, what to send, where to record what came of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from churnrisk.ledger.rules.reasons import FORBIDDEN, RESTING
from churnrisk.report import Handed, ReportContent, report_html
from churnrisk.report.doing import LEFT_OUT, actions
from churnrisk.report.listed import list_section
from churnrisk.report.page import commands

from . import samples

SPACE, MINUS = "\N{NO-BREAK SPACE}", "\N{MINUS SIGN}"


def said(content: ReportContent) -> str:
    return " ".join(actions(content))


def left_out(*codes: str, capacity: int | None = 50) -> str:
    content = samples.believable(200)
    here = content.at_risk.height
    column = pl.Series("left_out_for", [*[None] * (here - len(codes)), *codes], dtype=pl.String)
    changed = replace(content, at_risk=content.at_risk.with_columns(column), capacity=capacity)
    return next((line for line in actions(changed) if line.startswith("Left out")), "")


def test_who_rests_is_told_apart_from_who_may_not_be_contacted() -> None:
    assert left_out("quiet_days", "no_consent", "quiet_days", "cap_reached", "do_not_contact") == (
        "Left out of the list, though they would rank in it: 3 to rest, by your contact rules (contacted a few days "
        "ago 2, contacted as often as the rules allow 1); 2 who may not be contacted (not to be contacted at all 1, no "
        "consent 1)."
    )


def test_who_is_left_to_measure_by_and_who_is_asked_first_have_words_of_their_own() -> None:
    assert left_out("campaign_hold_out", "asked_first", "drawn_none") == (
        "Left out of the list, though they would rank in it: 2 left alone to measure by (controls of the campaign 1, "
        "the lot fell on no offer 1); 1 asked a question first, so that the call waits for the answer."
    )
    assert left_out() == ""


def test_it_says_when_no_more_were_counted() -> None:
    assert left_out("no_consent", "quiet_days", capacity=2).endswith(
        "There may be more: no further are counted."
    )
    assert "more" not in left_out("no_consent", "asked_first", capacity=2)


def test_every_reason_for_which_somebody_is_not_called_has_its_words() -> None:
    told = {code for _, codes in LEFT_OUT for code in codes}
    calls = {*RESTING, *FORBIDDEN, "already_today", "permanent_hold_out"} - {"waiting_for_answer"}
    assert (
        calls
        | {"campaign_hold_out", "trial_hold_out", "drawn_none", "asked_first", "offered_instead"}
        | {"capacity_full"}
        == told
    )


def test_the_page_counts_whom_the_file_holds() -> None:
    content = samples.believable()
    assert content.at_risk.height == 73
    assert "Contact the 50 customers on the list" in said(content)
    shown = list_section(content).parts[0].table
    assert shown is not None
    assert shown.caption == "The first 10 of 50"


def test_questions_and_offers_are_counted_with_their_files_channels_and_where_to_record() -> None:
    told = said(samples.decided_night())
    assert (
        "Send 40 questions by email: survey_requests.csv and survey_requests.xlsx say whom to ask what, in which "
        "language, and why. Record the answers under their invitation_id: `churnrisk record answers FILE`."
    ) in told
    assert (
        "Make 1,200 offers (sms 1,000, email 200) beside those of the list: offers.csv and offers.xlsx. Record under "
        "its treatment_id which was taken: `churnrisk record treatments FILE`."
    ) in told
    assert "49 of the 50 get an offer, which stands in the list." in told
    assert "Record what came of the calls: `churnrisk record outcomes FILE`." in told
    assert "Pass on 1 message of your own rules by email: proactive.csv." in told
    assert "so that nobody is contacted twice" in told
    assert "See to 2 open alerts of the last 7 days" in told


def test_promoters_are_asked_for_the_programmes_that_there_are_by_name() -> None:
    content = samples.decided_night()

    def asked(**parts: Any) -> str:
        handed = {"promoters": Handed(13, ("promoters.csv",), **parts)}
        return next(line for line in actions(replace(content, handed=handed)) if line.startswith("Ask"))

    assert (
        asked()
        == "Ask 13 promoters for a referral or a public word, the most influential first: promoters.csv."
    )
    assert asked(channels={"email": 13}, programmes={"beta": 13}) == (
        "Ask 13 promoters by email for your programme beta, the most influential first: promoters.csv."
    )
    both = asked(channels={"email": 9, "call": 4}, programmes={"community": 8, "beta": 5}, n_long_tenured=2)
    assert both == (
        "Ask 13 promoters (email 9, call 4) for your programmes (community 8, beta 5), the most influential first, 2 "
        "of them customers for long: promoters.csv."
    )


def test_what_was_stopped_since_it_was_decided_is_told() -> None:
    content = samples.decided_night()
    handed = {
        "at_risk": Handed(20, ("at_risk.csv",), n_stopped=1),
        "survey_requests": Handed(48, ("survey_requests.csv",), n_stopped=2),
        "promoters": Handed(0, ("promoters.csv",), n_stopped=3),
        "offers": Handed(3, ("offers.csv",)),
    }
    told = said(replace(content, handed=handed))
    assert (
        "Decided, and stopped since, as these customers may not be contacted any more: 1 call, 2 questions and 3 "
        "promoters. They are counted under what was decided, and are in no file."
    ) in told
    assert "stopped since" not in said(content)


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (1, "1 call, 1 question, 1 offer, 1 message of your own rules and 1 promoter"),
        (48, "48 calls, 48 questions, 48 offers, 48 messages of your own rules and 48 promoters"),
    ],
)
def test_what_was_stopped_is_counted_in_words_of_one_and_of_several(n: int, words: str) -> None:
    names = ("at_risk", "survey_requests", "offers", "proactive", "promoters")
    content = replace(samples.decided_night(), handed={name: Handed(0, n_stopped=n) for name in names})
    assert f"any more: {words}." in said(content)


def test_what_there_is_nothing_of_is_no_task() -> None:
    content = replace(samples.believable(), handed={"survey_requests": Handed(0, ("survey_requests.csv",))})
    told = said(content)
    for word in ("Send", "Make", "get an offer", "rules say", "webhook", "alert", "promoter"):
        assert word not in told, word


def test_a_night_with_nobody_to_call_may_still_have_questions_to_send() -> None:
    content = samples.decided_night()
    empty = replace(content, at_risk=content.at_risk.head(0), offered=None)
    told = said(empty)
    assert "Nobody to call" in told
    assert "Send 40 questions" in told
    assert "Make 1,200 offers (sms 1,000, email 200): offers.csv" in told


@pytest.mark.parametrize(
    ("n_made", "words"), [(2, "All of them get an offer"), (1, "1 of the 2 gets an offer")]
)
def test_offers_of_the_list_are_counted(n_made: int, words: str) -> None:
    content = samples.decided_night()
    two = content.at_risk.sort("position").head(2)
    assert content.offered is not None
    name = pl.when(pl.int_range(0, pl.len()) < n_made).then(pl.lit("A gift"))
    offered = content.offered.head(2).with_columns(offer_name=name, why_none=pl.lit("Not worth it."))
    assert words in said(replace(content, at_risk=two, offered=offered))


def test_the_list_says_what_to_offer_and_why_or_why_nothing() -> None:
    section = list_section(samples.decided_night())
    table = section.parts[0].table
    assert table is not None
    column = [head.text for head in table.heads].index("Offer")
    first, second, third = (row[column] for row in table.rows[:3])
    assert first == (
        "10 % off for 12 months",
        f"Worth 18.31 ({MINUS}2.50 to 1,024) after 1.30 of cost.",
        "11.4 points less risk (assumed).",
    )
    assert second == ("None: more valuable customers have used up the budget.",)
    assert third[-1] == "Drawn by lot, to learn from what comes of it."
    assert any(line.startswith("Offer: what to propose") for line in section.lines)
    assert "Offer" not in [head.text for head in list_section(samples.believable()).parts[0].table.heads]  # type: ignore[union-attr]


def test_an_offer_made_at_an_expected_loss_is_said_to_explore() -> None:
    night = samples.decided_night()
    assert night.offered is not None
    at_a_loss = replace(night, offered=night.offered.with_columns(net_value=pl.lit(-0.4)))
    table = list_section(at_a_loss).parts[0].table
    assert table is not None
    column = [head.text for head in table.heads].index("Offer")
    assert [any("to explore" in line for line in row[column]) for row in table.rows[:3]] == [
        False,
        False,
        True,
    ]


def test_what_is_typed_in_backticks_is_shown_as_code_and_escaped() -> None:
    assert commands("run `a <b>` & c") == "run <code>a &lt;b&gt;</code> &amp; c"
    assert "<code>churnrisk record answers FILE</code>" in report_html(samples.decided_night())


def test_numbers_below_nought_have_a_true_minus_wherever_they_stand_on_the_page() -> None:
    content = samples.decided_night()
    page = report_html(replace(content, warnings=("the effect is -0.2 points [-0.5, +0.1], of 2026-06-30",)))
    shown = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    texts = [text for text in re.findall(r">([^<]+)<", shown) if text.strip()]
    assert f"{MINUS}2.3 points" in texts
    assert f"{MINUS}1.2: Service contacts in the last 90 days: 3. Before: 1." in texts
    assert f"The effect is {MINUS}0.2 points [{MINUS}0.5, +0.1], of 2026-06-30" in texts
    assert [text for text in texts if re.search(r"(?<![\w.,/-])-\d", text)] == []
