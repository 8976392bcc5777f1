"""Who else is due to be asked in a night: the wave, after contacts, after closed cases; each where its share is set."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from churnrisk.deciding import decided_night, ledger_rows
from churnrisk.ledger.rules import Standing
from tests.unit.deciding.drawn import AS_OF, material, people

MANY = people([0.02] * 500)
RICH = "[surveys]\nbudget = 1000\n"


def purposes(settings: str, **more: Any) -> dict[str, int]:
    night = decided_night(material(MANY, RICH + settings, offers=None, **more))
    kinds = night.rows.filter(kind="survey")["subject"].str.split(":").list.first()
    return dict(kinds.value_counts().iter_rows())


def test_a_wave_takes_its_share_of_customers_whose_turn_it_is() -> None:
    all_at_once = purposes("wave_every_days = 1\nwave_share = 1.0\nvalue_of_answer = 50\n")
    assert all_at_once["relationship"] == 500
    some = purposes("wave_share = 0.5\nwave_every_days = 5\nvalue_of_answer = 50\n")
    assert 20 < some["relationship"] < 90
    assert "relationship" not in purposes("wave_share = 0\n")


def test_after_a_contact_of_the_last_day_satisfaction_or_effort_is_asked() -> None:
    since = AS_OF.instant - timedelta(hours=3)
    contacts = MANY.head(40).select(
        "customer_id",
        interaction_id="customer_id",
        at=pl.lit(since, dtype=pl.Datetime("us")),
        channel=pl.lit("phone"),
    )
    assert purposes("touchpoint_share = 1.0\nvalue_of_answer = 50\n", contacts=contacts)["touchpoint"] == 40
    assert "touchpoint" not in purposes("value_of_answer = 50\n", contacts=contacts)


def test_some_days_after_a_case_was_closed_it_is_asked_whether_it_helped() -> None:
    closed = AS_OF.instant - timedelta(days=5)
    cases = MANY.head(30).select(
        "customer_id", case_id="customer_id", closed_at=pl.lit(closed, dtype=pl.Datetime("us"))
    )
    assert purposes("verify_share = 1.0\nvalue_of_answer = 50\n", cases=cases)["verify"] == 30


def test_answers_worth_less_than_asking_are_not_asked_for() -> None:
    assert "relationship" not in purposes("wave_share = 1.0\nwave_every_days = 1\nvalue_of_answer = 0.01\n")


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_a_share_of_the_budget_goes_to_customers_drawn_by_lot(share: float) -> None:
    settings = f"[surveys]\nbudget = 10\nrandom_share = {share}\n"
    night = decided_night(material(MANY, settings, offers=None))
    drawn = night.rows.filter((pl.col("is_random")) & (pl.col("decision") == "ask"))
    assert drawn.height == round(share * 100)
    assert night.rows.filter(decision="ask").height == 100


def test_who_forbids_the_use_of_answers_is_not_asked_to_confirm() -> None:
    unheard = MANY["customer_id"].gather_every(2)
    everybody = decided_night(material(MANY, RICH, offers=None)).asked
    heard = decided_night(material(MANY, RICH, offers=None, unheard=unheard)).asked
    assert set(everybody["customer_id"]) & set(unheard)
    assert heard.equals(everybody.filter(~pl.col("customer_id").is_in(unheard.implode())))


SHORT_OF_EMAIL = """
[surveys]
budget = 100
cost = { email = 0.05, sms = 0.1, call = 4.0 }
random_share = 0.05
[contacts]
capacity = { email = 5, sms = 0 }
"""


def test_nobody_is_asked_through_a_channel_that_costs_more_than_the_answer_is_worth() -> None:
    # an answer decides whether a call worth little more or less than its 4 is offered: never worth 4 to know
    found = decided_night(material(people([0.05] * 200), SHORT_OF_EMAIL))
    rows = found.rows.filter(kind="survey")
    asked = rows.filter(decision="ask")
    assert dict(asked["channel"].value_counts().iter_rows()) == {"email": 5}
    assert set(rows["channel"]) == {"email"}
    assert found.figures["spent"]["survey"] == pytest.approx(0.25)


def test_the_value_of_asking_is_net_of_what_the_channel_of_the_question_costs() -> None:
    costs = "[surveys]\nbudget = 100\nrandom_share = 0\ncost = { email = 0.05, sms = 0.15 }\n"
    night = material(people([0.05] * 8), costs + "[contacts]\ncapacity = { email = 5 }\n")
    decided = ledger_rows(decided_night(night), night, endpoint=None).decisions.filter(decision="ask")
    value = {channel: each["value"].unique().to_list() for (channel,), each in decided.group_by("channel")}
    assert set(value) == {"email", "sms"}
    ((by_email,), (by_sms,)) = value["email"], value["sms"]
    assert by_email - by_sms == pytest.approx(0.1)
    told = dict(decided.select("channel", "why").iter_rows())
    assert f"{by_sms:.2f} more than the 0.15" in told["sms"]


def test_who_is_drawn_by_lot_costs_no_more_than_their_share_of_the_budget() -> None:
    many = people([0.02] * 300)
    found = decided_night(material(many, SHORT_OF_EMAIL, offers=None)).rows.filter(
        "is_random", decision="ask"
    )
    # of the 5 emails that there is room for, one in four nights
    assert found["propensity"].to_list() in ([], [0.25 / 300])
    assert set(found["channel"]) <= {"email"}
    # by call alone 1.25 questions a night are paid for: one, or by lot two
    costs = "[surveys]\nbudget = 100\ncost = { call = 4.0 }\nrandom_share = 0.05\n"
    counts = []
    for days in range(40):
        night = replace(material(many, costs, offers=None), as_of=AS_OF.shifted(days))
        drawn = decided_night(night).asked.filter("is_random")
        counts.append(drawn.height)
        assert drawn["propensity"].to_list() == pytest.approx([1.25 / 300] * drawn.height)
    assert set(counts) == {1, 2}
    assert 41 < sum(counts) < 62


def test_the_lot_is_drawn_among_those_who_may_be_asked_tonight() -> None:
    ids = MANY["customer_id"]
    number = ids.str.slice(1).cast(pl.Int64)
    willing = MANY.select("customer_id", may_contact=pl.lit(value=True), may_survey=pl.Series(number >= 100))
    out = pl.DataFrame({"kind": "survey", "campaign_id": "", "customer_id": ids.filter(number >= 400)})
    night = material(
        MANY,
        "[surveys]\nbudget = 10\nrandom_share = 0.2\n",
        offers=None,
        standing=Standing(consents=willing, held_out=out),
        unheard=ids.filter((number >= 300) & (number < 400)),
    )
    drawn = decided_night(night).rows.filter("is_random")
    assert set(drawn["decision"]) == {"ask"}
    assert drawn["customer_id"].is_in(ids.filter((number >= 100) & (number < 300)).implode()).all()
    assert drawn["propensity"].to_list() == pytest.approx([20 / 200] * 20)


def test_without_offers_a_dearer_channel_is_tried_only_where_an_answer_can_move_more() -> None:
    # an answer moves 2 % of 300 by less than the 4 of a call, and half of 3000 by more
    few = decided_night(material(people([0.02] * 50), SHORT_OF_EMAIL, offers=None)).rows.filter(
        decision="ask"
    )
    assert set(few["channel"]) == {"email"}
    much = decided_night(material(people([0.4] * 50, 3_000.0), SHORT_OF_EMAIL, offers=None)).rows
    assert set(much.filter(decision="ask")["channel"]) == {"email", "call"}
