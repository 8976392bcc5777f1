"""A decision night: who is asked waits with the offer, offers go where they are worth most, controls are like them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from churnrisk.bundle.effects import OfferEffect, OfferEffects
from churnrisk.deciding import DecidedNight, decided_night
from churnrisk.deciding.choosing import chosen_offers
from churnrisk.deciding.offering import catalogue_of, offering
from churnrisk.ledger.rules import Standing
from tests.unit.deciding.drawn import AS_OF, material, people, spread_risks, table


def told(night: DecidedNight, kind: str) -> dict[str, tuple[str, str]]:
    rows = night.rows.filter(pl.col("kind") == kind)
    return {row["customer_id"]: (row["decision"], row["reason_code"]) for row in rows.iter_rows(named=True)}


NO_ASKING = "[surveys]\nbudget = 0\n"


def test_the_offer_worth_most_is_made_to_whom_it_pays() -> None:
    # assumed effect .3 of the risk: the call is worth .3 x .2 x 300 - 4 = 14 for the first, and less than nothing for
    # the last; the discount costs 28 of nearly everybody and is never worth it
    night = decided_night(material(people([0.2, 0.04]), NO_ASKING))
    assert told(night, "offer") == {"c0000": ("offer", "chosen")}
    assert night.figures["expected_net_value"] == pytest.approx(14.0)
    assert night.figures["spent"]["offer"] == pytest.approx(4.0)


def test_who_is_listed_is_told_why_there_is_no_offer() -> None:
    night = decided_night(
        material(people([0.2, 0.04]), NO_ASKING, listed=pl.Series("customer_id", ["c0001"]))
    )
    assert told(night, "offer")["c0001"] == ("none", "not_worth_it")


def test_a_budget_goes_to_those_worth_most() -> None:
    night = decided_night(material(people([0.2, 0.3, 0.25]), NO_ASKING + "[offers]\nbudget = 8\n"))
    assert told(night, "offer") == {
        "c0000": ("refused", "budget_spent"),
        "c0001": ("offer", "chosen"),
        "c0002": ("offer", "chosen"),
    }


def test_nothing_is_offered_or_asked_without_a_budget() -> None:
    night = decided_night(material(people([0.2, 0.3]), NO_ASKING + "[offers]\nbudget = 0\n"))
    assert not night.rows.filter(pl.col("decision").is_in(["offer", "ask"])).height
    assert any("budget is 0" in note for note in night.notes)


def test_without_offers_customers_are_asked_all_the_same() -> None:
    night = decided_night(material(people([0.3, 0.3]), offers=None))
    assert set(told(night, "survey").values()) == {("ask", "chosen")}
    assert night.curve is None


def test_who_is_asked_first_waits_with_the_offer() -> None:
    # .05 x .3 x 300 = 4.5: just worth the call; a promoter's answer would say that it is not
    night = decided_night(material(people([0.05] * 5)))
    assert set(told(night, "survey").values()) == {("ask", "chosen")}
    assert set(told(night, "offer").values()) <= {("refused", "waiting_for_answer")}


def test_nobody_is_contacted_twice_in_a_night() -> None:
    night = decided_night(
        material(people(spread_risks(400)), "[surveys]\nbudget = 3\n[offers]\nbudget = 120\n")
    )
    made = night.rows.filter(pl.col("reason_code") == "chosen")
    assert made["customer_id"].is_unique().all()
    assert {"survey", "offer"} <= set(made["kind"])


def test_no_budget_is_ever_exceeded() -> None:
    night = decided_night(
        material(people(spread_risks(600)), "[surveys]\nbudget = 2\n[offers]\nbudget = 77\n")
    )
    assert night.figures["spent"]["survey"] <= 2 + 1e-9
    assert night.figures["spent"]["offer"] <= 77 + 1e-9
    assert night.figures["spent"]["offer"] > 70


def test_controls_are_who_would_have_been_offered_and_cost_nothing() -> None:
    who = people(spread_risks(2_000))
    ids = who["customer_id"]
    out = pl.DataFrame(
        {
            "kind": "campaign",
            "campaign_id": "retention",
            "customer_id": ids.filter(ids.str.slice(1).cast(pl.Int64) % 2 == 0),
        }
    )
    willing = who.select("customer_id", may_survey=pl.lit(value=True), may_contact=pl.lit(value=True))
    night = decided_night(
        material(
            who,
            NO_ASKING + "[offers]\nbudget = 200\ncontrol_share = 0.5\n",
            standing=Standing(consents=willing, held_out=out),
        )
    )
    rows = night.rows.filter(pl.col("kind") == "offer").join(who, on="customer_id")
    made, control = (rows.filter(pl.col("decision") == name) for name in ("offer", "control"))
    assert 0.85 < made.height / 50 <= 1.0  # 200 / 4, less what the lot of the even and odd takes away
    assert 0.7 < control.height / made.height < 1.4
    # the same people: the least risk chosen is the same on both sides
    assert float(made["risk"].min()) == pytest.approx(float(control["risk"].min()), abs=0.02)  # type: ignore[arg-type]


def test_an_offer_answers_the_cause_that_staff_recorded() -> None:
    cheap = """
    offer_id | name  | contact_cost | incentive_cost | capacity | channel | suits
    rebate   | A gift | 1           | 0              |          | email   | price;value
    """
    who = people([0.3, 0.3, 0.3], root_cause=["price", "service quality", None])
    settings = NO_ASKING + "[offers]\ntrial = false\n"
    night = decided_night(material(who, settings, offers=cheap, listed=who["customer_id"]))
    assert told(night, "offer") == {
        "c0000": ("offer", "chosen"),
        "c0001": ("none", "not_eligible"),
        "c0002": ("offer", "chosen"),
    }


def test_who_is_not_eligible_gets_the_next_best_offer() -> None:
    two = """
    offer_id | name | contact_cost | incentive_cost | capacity | channel | suits
    a        | A    | 1            | 0              |          | email   |
    b        | B    | 2            | 0              |          | email   |
    """
    who = people([0.3, 0.3])
    may = pl.DataFrame({"a": [True, False], "b": [True, True]})
    night = decided_night(material(who, NO_ASKING, offers=two, eligible=may))
    rows = night.rows.filter(pl.col("decision") == "offer")
    assert dict(rows.select("customer_id", "subject").iter_rows()) == {"c0000": "a", "c0001": "b"}


def test_capacities_of_offers_and_channels_hold() -> None:
    limited = """
    offer_id | name | contact_cost | incentive_cost | capacity | channel | suits
    call     | C    | 4            | 0              | 7        | call    |
    mail     | M    | 5            | 0              |          | email   |
    """
    night = decided_night(
        material(people([0.3] * 40), NO_ASKING + "[contacts]\ncapacity = { email = 5 }\n", offers=limited)
    )
    made = night.rows.filter(pl.col("decision") == "offer")
    assert dict(made.group_by("subject").len().sort("subject").iter_rows()) == {"call": 7, "mail": 5}


def test_an_offer_without_costs_is_never_made_and_said_so() -> None:
    free = """
    offer_id | name | contact_cost | incentive_cost | capacity | channel | suits
    a        | A    |              | 0              |          | email   |
    """
    night = decided_night(material(people([0.3]), NO_ASKING, offers=free))
    assert night.rows.is_empty()
    assert any("without a contact_cost" in note for note in night.notes)


def test_a_customer_of_unknown_value_gets_no_offer_and_the_reason() -> None:
    who = people([0.3], [None])
    night = decided_night(material(who, NO_ASKING, listed=who["customer_id"]))
    assert told(night, "offer") == {"c0000": ("none", "effect_unknown")}


def test_who_has_not_consented_neither_gets_nor_costs_anything() -> None:
    who = people([0.5, 0.2])
    consents = pl.DataFrame(
        {"customer_id": ["c0000", "c0001"], "may_survey": [True, True], "may_contact": [False, True]}
    )
    night = decided_night(
        material(who, NO_ASKING + "[offers]\nbudget = 4\n", standing=Standing(consents=consents))
    )
    assert told(night, "offer") == {"c0000": ("refused", "no_consent"), "c0001": ("offer", "chosen")}


def test_the_same_people_in_another_order_get_the_same() -> None:
    who = people(spread_risks(300))
    settings = "[surveys]\nbudget = 3\n[offers]\nbudget = 60\nexploration_share = 0.2\n"
    one = (
        decided_night(material(who, settings))
        .rows.drop("row", "position")
        .sort("kind", "customer_id", "subject")
    )
    other = decided_night(material(who.sample(fraction=1.0, shuffle=True, seed=3), settings)).rows
    assert one.equals(other.drop("row", "position").sort("kind", "customer_id", "subject"))


def test_promoters_are_approached_after_all_that_has_a_value_and_by_the_same_rules() -> None:
    who = people([0.3, 0.01, 0.02])
    best = pl.DataFrame({"customer_id": ["c0002", "c0000", "c0001"], "position": [1, 2, 3]})
    night = decided_night(
        material(
            who,
            NO_ASKING
            + "[contacts]\ncapacity = { email = 1, sms = 0, call = 9 }\nchannels = ['email', 'call']\n",
            promoters=best,
        )
    )
    assert told(night, "promoter")["c0000"] == ("refused", "already_today")
    assert told(night, "promoter")["c0002"] == ("approach", "chosen")


def counted(night: DecidedNight, kind: str) -> dict[str, int]:
    return {row["reason_code"]: row["n"] for row in night.figures["counts"] if row["kind"] == kind}


def test_without_room_in_any_channel_everybody_is_told_that_there_is_none() -> None:
    closed = "[contacts]\ncapacity = { email = 0, sms = 0, call = 0 }\n"
    best = pl.DataFrame({"customer_id": ["c0001"], "position": [1]})
    letter = """
offer_id | name     | contact_cost | incentive_cost | capacity | channel | suits
letter   | A letter | 4            | 0              |          | email   |
"""
    night = decided_night(material(people([0.3] * 4), closed, promoters=best))
    assert counted(night, "survey") == {"capacity_full": 4}
    assert counted(night, "promoter") == {"capacity_full": 1}
    night = decided_night(material(people([0.3] * 4), closed, offers=letter))
    assert counted(night, "offer") == {"capacity_full": 4}


@pytest.mark.parametrize("exploration", ["share", "thompson"])
def test_an_offer_of_which_there_is_none_is_full_whether_it_is_on_trial_or_not(exploration: str) -> None:
    none_left = """
offer_id | name    | contact_cost | incentive_cost | capacity | channel | suits
letter   | A visit | 4            | 0              | 0        | email   |
"""
    settings = NO_ASKING + f"[offers]\nbudget = 100\nexploration = '{exploration}'\n"
    night = decided_night(material(people([0.3] * 4), settings, offers=none_left))
    assert counted(night, "offer") == {"capacity_full": 4}


CHEAP_AND_DEAR = """
offer_id | name | contact_cost | incentive_cost | capacity | channel | suits
cheap    | a    | 1            | 0              |          | email   |
dear     | b    | 13.5         | 0              |          | email   |
hopeless | c    | 30           | 0              |          | email   |
"""
# What is worth 18 with all effects assumed alike: the dear one costs 13.5, above the low end of what it may bring
# (12.8) and below the high end (23); 30 would be lost whatever the effect.


def test_the_lot_also_falls_on_offers_that_may_pay_and_are_not_known_to() -> None:
    settings = NO_ASKING + "[offers]\nbudget = 4000\nexploration_share = 0.5\n"
    made = decided_night(material(people([0.2] * 200), settings, offers=CHEAP_AND_DEAR)).rows.filter(
        pl.col("decision") == "offer"
    )
    by_rule, by_lot = (made.filter(pl.col("is_random") == each) for each in (False, True))
    assert set(by_rule["subject"]) == {"cheap"}
    assert set(by_lot["subject"]) == {"cheap", "dear"}
    dear = made.filter(subject="dear")
    assert 20 < dear.height < 50
    assert dear["propensity"].to_list() == pytest.approx([0.5 / 3] * dear.height)


def test_the_lot_is_expected_to_cost_no_more_than_its_share_of_the_budget() -> None:
    # (1 + 13.5) / 3 a draw: 20 of the 200 chosen would be 97, of a budget of 200; a tenth of it pays for four
    settings = NO_ASKING + "[offers]\nbudget = 200\nexploration_share = 0.1\n"
    rows = decided_night(material(people([0.2] * 200), settings, offers=CHEAP_AND_DEAR)).rows
    drawn = rows.filter("is_random")
    assert drawn.height == 4
    # none of them is refused for want of money, whatever it costs
    assert set(drawn["decision"]) <= {"offer", "control"}
    made = rows.filter(pl.col("decision") == "offer")
    assert made["cost"].sum() <= 200
    assert made["value"].is_finite().all()


THOMPSON = NO_ASKING + '[offers]\nexploration = "thompson"\n'


# off trial: their own treatments say what is assumed of all
MEASURED_ALIKE = OfferEffects(
    (),
    tuple(
        OfferEffect(name, "average", "", gamma=(0.3, 0.1), works=0.95)
        for name in ("cheap", "dear", "hopeless")
    ),
)


def test_a_draw_of_what_each_may_be_worth_tries_both_and_spends_about_the_budget() -> None:
    found = []
    for budget in (100_000, 150):
        who = people([0.2] * 200)
        rows = decided_night(
            material(
                who,
                THOMPSON + f"budget = {budget}\n[team]\ndaily_capacity = 200\n",
                offers=CHEAP_AND_DEAR,
                listed=who["customer_id"],
                effects=MEASURED_ALIKE,
            )
        ).rows
        made = rows.filter(pl.col("decision") == "offer")
        assert made["cost"].sum() <= budget
        assert made["propensity"].is_between(0.0, 1.0).all()
        assert (made["is_random"] == (made["subject"] == "dear")).all()
        found.append((made, rows))
    (rich, _), (poor, rows) = found
    # 18 - 1 against 18 - 13.5 where one draw varies by 6: the dear one is best in 7 of 100
    assert set(rich["subject"]) == {"cheap", "dear"}
    assert 5 < rich.filter(subject="dear").height < 25
    assert rich["propensity"].is_between(0.01, 0.99).all()
    # where money is scarce, 13.5 for 4.5 is no bargain however lucky
    assert poor["cost"].sum() > 120
    left = rows.filter(pl.col("decision") != "offer")
    assert set(left["reason_code"]) <= {"not_drawn", "budget_spent"}
    assert left.filter(reason_code="not_drawn").height > 25


def test_the_chance_written_down_is_how_often_the_draw_falls_on_an_offer_among_those_made_one() -> None:
    who = people([0.12, 0.2, 0.3] * 4)
    catalogue = catalogue_of(table(CHEAP_AND_DEAR, capacity=pl.Int64), ("email",))
    counts, chances = np.zeros((12, 3)), np.full((12, 3), np.nan)
    night = material(who, THOMPSON + "budget = 100000\n", offers=CHEAP_AND_DEAR)
    found = offering(night, catalogue)
    for number in range(800):
        tonight = replace(night, as_of=AS_OF.shifted(number))
        done = chosen_offers(tonight, found, np.zeros(12, dtype=np.bool_))
        made = np.flatnonzero(done.choice >= 0)
        counts[made, done.choice[made]] += 1
        chances[made, done.choice[made]] = done.propensity[made]
    made_any = counts.sum(axis=1, keepdims=True)
    rates = counts / made_any
    seen = ~np.isnan(chances)
    error = np.sqrt(np.clip(chances * (1 - chances), 1e-4, None) / made_any)
    assert np.abs((rates - chances)[seen] / error[seen]).max() < 4.5
    assert seen[:, 1].all()
    # 30 may pay only where the risk is highest
    assert (seen[:, 2] == (who["risk"].to_numpy() == 0.3)).all()


def test_drawn_or_not_the_same_people_in_another_order_get_the_same() -> None:
    who = people(spread_risks(300))
    nights = [
        decided_night(material(each, THOMPSON + "budget = 60\n")).rows.drop("row", "position")
        for each in (who, who.sample(fraction=1.0, shuffle=True, seed=3))
    ]
    one, other = (each.sort("kind", "customer_id", "subject") for each in nights)
    assert one.equals(other)


def test_where_places_run_out_and_not_money_it_is_said_so() -> None:
    who = people([0.3] * 6)
    for settings, offers in (
        ("", CALL_ALONE.replace("PLACES", "2")),
        (
            "[contacts]\nchannels = ['call', 'email']\ncapacity = { call = 2 }\n",
            CALL_ALONE.replace("PLACES", ""),
        ),
    ):
        night = decided_night(material(who, NO_ASKING + settings, offers=offers, listed=who["customer_id"]))
        reasons = night.rows.filter(kind="offer")["reason_code"].value_counts(sort=True)
        assert dict(reasons.iter_rows()) == {"chosen": 2, "capacity_full": 4}, settings
        # what cannot be made is not in the curve either
        assert night.curve is not None
        assert night.curve["n_offers"].max() == 2


CALL_ALONE = """
offer_id | name   | contact_cost | incentive_cost | capacity | channel | suits
call     | A call | 4            | 0              | PLACES   | call    |
"""


def test_an_offer_by_call_alone_is_not_bought_for_others_when_the_list_takes_all_calls() -> None:
    who = people([0.3] * 6)
    two = "[contacts]\nchannels = ['call', 'email']\ncapacity = { call = 2 }\n[offers]\nbudget = 1000\n"
    offers = CALL_ALONE.replace("PLACES", "") + "gift | A gift | 1 | 0 | | email |\n"
    night = decided_night(
        material(who, NO_ASKING + two, offers=offers, listed=pl.Series("c", ["c0004", "c0005"]))
    )
    made = dict(
        night.rows.filter(kind="offer", decision="offer").select("customer_id", "channel").iter_rows()
    )
    # the cheaper gift is worth more to all; those on the list get it by their call, nobody waits for a call
    assert {name: made[name] for name in ("c0004", "c0005")} == {"c0004": "call", "c0005": "call"}
    assert night.figures["n_by_channel"] == {"call": 2, "email": 4}
    alone = CALL_ALONE.replace("PLACES", "")
    night = decided_night(
        material(who, NO_ASKING + two, offers=alone, listed=pl.Series("c", ["c0004", "c0005"]))
    )
    offered = night.rows.filter(kind="offer")
    assert set(offered.filter(decision="offer")["customer_id"]) == {"c0004", "c0005"}
