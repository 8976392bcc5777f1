"""A decided night in the ledger: what follows from it, and that it is shown again as it was taken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from churnrisk.deciding import Material, decided_night, decision_tables, ledger_rows
from churnrisk.ledger import Decided, Ledger, decided, decided_calls, facts, record_decisions
from churnrisk.ledger.permission import unsaid
from churnrisk.ledger.rules import Standing
from churnrisk.ledger.rules.reasons import REASONS, decision_of
from churnrisk.ledger.schema import HOLDOUTS, OUTBOX
from churnrisk.ledger.standing import standing_of
from churnrisk.ledger.taking import contact_id
from churnrisk.store import Workspace
from churnrisk.store.audits import TableRule, audit, in_order
from churnrisk.tables.published import RULES
from tests.unit.deciding.drawn import AS_OF, material, people, spread_risks

NOW = datetime(2026, 7, 1, 3)
ENDPOINT = "https://hooks.example/in"
BUSY = """
[surveys]
budget = 3
random_share = 0.2
[offers]
budget = 80
control_share = 0.2
exploration_share = 0.3
trial = false
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    (tmp_path / "churnrisk.toml").write_text("")
    with Ledger.open(Workspace.open(tmp_path), {}) as opened:
        yield opened


def a_night(settings: str = BUSY, n: int = 600) -> Material:
    who = people(spread_risks(n))
    ids = who["customer_id"]
    number = ids.str.slice(1).cast(pl.Int64)
    out = pl.concat(
        [
            pl.DataFrame(
                {"kind": "campaign", "campaign_id": "retention", "customer_id": ids.filter(number % 5 == 0)}
            ),
            pl.DataFrame(
                {"kind": "permanent", "campaign_id": "", "customer_id": ids.filter(number % 20 == 1)}
            ),
            pl.DataFrame({"kind": "survey", "campaign_id": "", "customer_id": ids.filter(number % 10 == 2)}),
        ]
    )
    willing = who.select("customer_id", may_survey=pl.lit(value=True), may_contact=pl.lit(value=True))
    return material(who, settings, standing=Standing(consents=willing, held_out=out), listed=ids.head(10))


def recorded(ledger: Ledger, night: Material, endpoint: str | None = ENDPOINT) -> Decided:
    rows = ledger_rows(decided_night(night), night, endpoint=endpoint)
    return record_decisions(ledger, AS_OF.day, AS_OF.instant, rows, NOW)


def tables(found: Decided) -> dict[str, pl.DataFrame]:
    return decision_tables(found, dict.fromkeys([*REASONS, "another_offer"], "because"), "run")


def test_what_is_shown_again_from_the_ledger_is_what_was_decided(ledger: Ledger) -> None:
    first = recorded(ledger, a_night())
    # everything has changed since: other risks, another budget; the date has been decided
    again = recorded(ledger, a_night("[surveys]\nbudget = 0\n[offers]\nbudget = 0\n", n=50))
    assert not first.is_replay
    assert again.is_replay
    for name, frame in tables(first).items():
        assert frame.equals(tables(again)[name]), name


def test_published_tables_pass_their_audits(ledger: Ledger) -> None:
    night = a_night()
    found = tables(recorded(ledger, night))
    frames = {name: in_order(frame, RULES[name]) for name, frame in found.items()}
    known = night.people.select("customer_id")
    assert frames["survey_requests"].height > 20
    assert frames["offers_ranked"].height > 20
    for frame in frames.values():
        assert frame.join(known, on="customer_id", how="anti").is_empty()
    audit(dict(frames.items()), {name: _alone(name) for name in frames})


@pytest.mark.parametrize(
    ("kind", "table"),
    [("survey", "survey_requests"), ("promoter", "approaches"), ("proactive", "approaches")],
)
def test_whatever_the_rules_decide_is_published_in_a_word_of_its_table(
    ledger: Ledger, kind: str, table: str
) -> None:
    """A control of an offer is left alone the whole night: no question, no promoter's letter either."""
    found = recorded(ledger, a_night())
    one = found.frame.filter(kind="survey").head(1)
    rows = [
        one.with_columns(
            kind=pl.lit(kind), reason_code=pl.lit(code), decision=pl.lit(decision_of(code, kind))
        )
        for code in REASONS
    ]
    shown = tables(replace(found, frame=pl.concat(rows)))[table]
    assert shown.height == len(REASONS)
    (column,) = [column for column in RULES[table].columns if column.name == "decision"]
    told = dict(shown.select("reason_code", "decision").iter_rows())
    assert told["trial_hold_out"] == told["campaign_hold_out"] == "hold-out"
    made = {
        code: decision for code, decision in told.items() if decision_of(code, kind) not in {"none", "call"}
    }
    assert set(made.values()) <= set(column.words)


def _alone(name: str) -> TableRule:
    """The scores are not published here."""
    return replace(RULES[name], references={})


def test_the_decision_stands_at_the_offer_chosen_and_customers_have_each_offer_once(ledger: Ledger) -> None:
    ranked = tables(recorded(ledger, a_night()))["offers_ranked"]
    per_customer = ranked.group_by("customer_id").agg(
        n=pl.len(), n_made=(pl.col("decision") == "offer").sum(), first=pl.col("net_value").sort_by("position").first(),
        most=pl.col("net_value").max(),
    )  # fmt: skip
    assert set(per_customer["n"]) == {2}
    assert int(per_customer["n_made"].max()) == 1  # type: ignore[arg-type]
    assert (per_customer["first"] == per_customer["most"]).all()
    told = ranked.filter(pl.col("decision") == "offer")
    assert told["why"].str.contains("assumed, not measured").all()
    assert told["why"].str.contains("4.00").any()


def test_who_makes_an_offer_is_told_the_id_under_which_it_is_recorded(ledger: Ledger) -> None:
    ranked = tables(recorded(ledger, a_night()))["offers_ranked"]
    with ledger.reading() as db:
        treatments = facts.treatments(db)
    told = ranked.drop_nulls("treatment_id")
    assert set(told["treatment_id"]) == set(treatments["treatment_id"])
    made = told.filter(decision="offer").select("treatment_id", "customer_id", "offer_id")
    kept = treatments.filter(pl.col("offer_id") != "control").select(made.columns)
    assert made.sort("treatment_id").equals(kept.sort("treatment_id"))


def test_each_request_says_why_and_what_each_answer_would_change(ledger: Ledger) -> None:
    requests = tables(recorded(ledger, a_night()))["survey_requests"]
    assert set(requests["decision"]) >= {"ask", "hold-out"}
    asked = requests.filter((pl.col("decision") == "ask") & (pl.col("purpose") == "confirm"))
    assert asked.height
    assert asked["why"].str.contains("(?i)detractor|0 to 6").all()
    drawn = requests.filter("is_random")
    assert drawn["propensity"].is_not_null().all()
    assert set(drawn["purpose"]) == {"random"}


def test_controls_and_offers_carry_their_whole_chance(ledger: Ledger) -> None:
    night = a_night()
    recorded(ledger, night)
    with ledger.reading() as db:
        made = facts.treatments(db)
    controls = made.filter(offer_id="control")
    assert 0 < controls.height < made.height
    # the lot falls on 3 of 25, no more for the money; each draws one of two offers or none: .12 / 3. Controls are left
    # alone by the campaign's lot (.2), or, if not, by the draw
    assert controls["propensity"].to_list() == pytest.approx([0.2 + 0.8 * 0.04] * controls.height)
    offers = made.filter(pl.col("offer_id") != "control")
    by_rule = offers["propensity"] > 0.7
    ruled, drawn = offers.filter(by_rule), offers.filter(~by_rule)
    assert ruled["propensity"].to_list() == pytest.approx([0.8 * 0.92] * ruled.height)
    assert drawn["propensity"].to_list() == pytest.approx([0.8 * 0.04] * drawn.height)
    assert ruled.height > 0.8 * offers.height
    assert (made["campaign_id"] == "retention").all()
    assert (made["at"] == AS_OF.instant).all()


def test_every_contact_made_is_noted_and_nobody_else(ledger: Ledger) -> None:
    found = recorded(ledger, a_night())
    with ledger.reading() as db:
        contacts, asked = facts.contacts(db), facts.invitations(db)
    made = found.frame.filter(pl.col("reason_code") == "chosen")
    assert set(contacts["customer_id"]) == set(made["customer_id"])
    ids = [contact_id(row["kind"], row["reference"]) for row in made.iter_rows(named=True)]
    assert set(contacts["contact_id"]) == set(ids)  # recorded again by a platform, it is the same contact
    assert set(asked["invitation_id"]) == set(made.filter(kind="survey")["reference"])
    assert asked["risk_at_asking"].is_not_null().all()
    assert set(asked["purpose"]) == {"confirm", "random"}


def test_hold_outs_that_mattered_are_written_with_their_kind(ledger: Ledger) -> None:
    recorded(ledger, a_night())
    with ledger.reading() as db:
        out = facts.whole(db, HOLDOUTS)
    assert set(out["kind"]) == {"permanent", "survey", "campaign"}
    assert set(out.filter(kind="campaign")["campaign_id"]) == {"retention"}


def test_a_message_per_contact_holds_ids_and_nothing_else_of_the_customer(ledger: Ledger) -> None:
    found = recorded(ledger, a_night())
    with ledger.reading() as db:
        out = facts.whole(db, OUTBOX)
    chosen = found.frame.filter(pl.col("reason_code") == "chosen")
    assert set(out["reference"]) == set(chosen["reference"])
    bodies = [json.loads(text) for text in out["payload"].to_list()]
    assert {body["type"] for body in bodies} == {"survey.requested", "offer.decided"}
    allowed = {"customer_id", "channel", "as_of", "metric", "occasion", "language", "purpose", "invitation_id",
               "treatment_id", "offer_id"}  # fmt: skip
    assert {name for body in bodies for name in body["data"]} <= allowed


def test_promoters_stand_in_approaches_and_cost_no_money(ledger: Ledger) -> None:
    who = people([0.02] * 5)
    best = pl.DataFrame({"customer_id": who["customer_id"], "position": range(1, 6)})
    night = material(
        who, "[surveys]\nbudget = 0\n[promoters]\nprogrammes = { referral = 2 }\n", promoters=best
    )
    found = recorded(ledger, night)
    approaches = in_order(tables(found)["approaches"], RULES["approaches"])
    audit({"approaches": approaches}, {"approaches": _alone("approaches")})
    assert approaches["decision"].to_list()[:3] == ["approach", "approach", "refused"]
    assert found.frame.filter(kind="promoter")["cost"].sum() == 0
    with ledger.reading() as db:
        assert set(facts.contacts(db)["purpose"]) == {"promoter:referral"}


def test_without_an_address_nothing_waits_to_be_sent(ledger: Ledger) -> None:
    recorded(ledger, a_night(), endpoint=None)
    with ledger.reading() as db:
        assert facts.whole(db, OUTBOX).is_empty()


def test_a_night_with_nothing_to_decide_is_decided_too(ledger: Ledger) -> None:
    found = recorded(ledger, material(people([0.01]), "[surveys]\nbudget = 0\n[offers]\nbudget = 0\n"))
    with ledger.reading() as db:
        assert decided(db, AS_OF.day) is not None
    assert all(frame.is_empty() for frame in tables(found).values())


def test_a_control_of_the_campaign_knows_the_offer_it_would_have_been_made(ledger: Ledger) -> None:
    night = a_night()
    found = recorded(ledger, night)
    with ledger.reading() as db:
        made = facts.treatments(db)
    decisions = found.frame.filter(kind="offer").select("customer_id", "subject", "reason_code")
    told = made.join(decisions, on="customer_id", how="left")
    controls = told.filter(reason_code="campaign_hold_out")
    assert controls.height > 5
    assert (controls["instead_of"] == controls["subject"]).all()
    others = told.filter(pl.col("reason_code") != "campaign_hold_out")
    assert set(others["reason_code"]) == {"chosen", "drawn_none"}
    assert others["instead_of"].null_count() == others.height


def test_without_the_lot_each_control_is_made_just_that_offer(ledger: Ledger) -> None:
    night = a_night()
    recorded(ledger, night)
    out = night.standing.held_out
    free = replace(night, standing=replace(night.standing, held_out=out.filter(pl.col("kind") != "campaign")))
    # rich enough that nobody is refused for what controls leave unspent
    rich = decided_night(replace(free, rules=replace(free.rules, budgets={}))).rows
    with ledger.reading() as db:
        controls = facts.treatments(db).drop_nulls("instead_of")
    made = rich.filter(kind="offer", decision="offer").select("customer_id", would_be="subject")
    both = controls.join(made, on="customer_id")
    assert both.height == controls.height > 5
    assert (both["instead_of"] == both["would_be"]).all()


def test_the_share_of_controls_is_the_one_that_the_campaign_was_started_with(ledger: Ledger) -> None:
    # since then the settings say .2; arms are frozen at .1
    recorded(ledger, replace(a_night(), campaign_share=0.1))
    with ledger.reading() as db:
        made = facts.treatments(db)
    controls = made.filter(offer_id="control")["propensity"]
    assert controls.len()
    assert (controls < 0.2).all()
    assert (controls >= 0.1).all()
    offers = made.filter(pl.col("offer_id") != "control")["propensity"]
    assert (offers > 0.8).any()


def test_a_call_of_the_list_is_a_contact_once_also_where_it_makes_an_offer(ledger: Ledger) -> None:
    who = people([0.5, 0.4, 0.3, 0.2, 0.1, 0.05])
    calls = who.select(
        "customer_id",
        position=pl.int_range(1, 7),
        may_contact=pl.lit(value=True),
        left_out_for=pl.lit(None, dtype=pl.String),
        is_spare=pl.lit(value=False),
        stake=pl.col("risk") * pl.col("value"),
    )
    night = material(who, "[surveys]\nbudget = 0\n", calls=calls, listed=calls["customer_id"])
    found = recorded(ledger, night)
    with ledger.reading() as db:
        contacts = facts.contacts(db)
        kept = decided_calls(db, AS_OF.day)
        sent = facts.whole(db, OUTBOX)
    offered = found.frame.filter(kind="offer", decision="offer")
    assert 0 < offered.height < 6
    assert contacts["customer_id"].sort().to_list() == who["customer_id"].to_list()
    assert set(contacts["channel"]) == {"call"}
    by_purpose = dict(contacts["purpose"].value_counts().iter_rows())
    assert by_purpose == {"offer": offered.height, "call": 6 - offered.height}
    assert kept.height == 6
    assert set(kept["decision"]) == {"call"}
    # the team calls from its list: only offers are messages
    assert sent.height == offered.height


def test_permanent_hold_outs_picked_for_an_offer_rest_as_controls_do(ledger: Ledger) -> None:
    who = people([0.3] * 60)
    willing = who.select("customer_id", may_survey=pl.lit(value=True), may_contact=pl.lit(value=True))
    out = who.head(20).select(
        pl.lit("permanent").alias("kind"), pl.lit("").alias("campaign_id"), "customer_id"
    )
    settings = "[surveys]\nbudget = 0\n[offers]\nbudget = 5000\ntrial = false\n"
    night = material(who, settings, standing=Standing(consents=willing, held_out=out))
    found = recorded(ledger, night).frame.filter(kind="offer", reason_code="permanent_hold_out")
    picked = found["customer_id"].sort().to_list()
    assert picked
    crm, tomorrow = unsaid(who["customer_id"]), AS_OF.shifted(1)
    with ledger.reading() as db:
        rests = standing_of(ledger, db, night.config, crm, tomorrow.instant, deciding=tomorrow.day).contacts
        again = standing_of(ledger, db, night.config, crm, AS_OF.instant, deciding=AS_OF.day).contacts
    mine = rests.filter(pl.col("customer_id").is_in(out["customer_id"].implode()))
    assert sorted(mine["customer_id"]) == picked
    assert set(mine["purpose"]) == {"offer"}
    assert set(mine["at"]) == {AS_OF.instant}
    assert again.is_empty()


def test_controls_rest_as_those_do_who_were_made_the_offer(ledger: Ledger) -> None:
    night = a_night()
    recorded(ledger, night)
    crm = unsaid(night.people["customer_id"])
    tomorrow = AS_OF.shifted(1)
    with ledger.reading() as db:
        made = facts.treatments(db)
        found = standing_of(ledger, db, night.config, crm, tomorrow.instant, deciding=tomorrow.day)
        again = standing_of(ledger, db, night.config, crm, AS_OF.instant, deciding=AS_OF.day)
    resting = found.contacts.filter(purpose="offer")
    assert set(made["customer_id"]) <= set(resting["customer_id"])
    assert resting.group_by("customer_id").len()["len"].max() == 1
    # the night itself is decided as though it had not been
    assert again.contacts.is_empty()
