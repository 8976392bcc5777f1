"""Promoters and proactive rules: candidates of the same walk, under the same rules, once per customer and night."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnrisk.config import parsed_config
from churnrisk.deciding import DecidedNight, decided_night
from churnrisk.deciding.calling import _filled, by_stake
from churnrisk.errors import ConfigError
from churnrisk.ledger.rules import ContactRules, Standing
from tests.unit.deciding.drawn import AS_OF, PLAIN, material, merged, people

QUIET = "[surveys]\nbudget = 0\n[offers]\nbudget = 0\n"
RULES = """
[[proactive.rules]]
name = "late bill"
when = "days_late > 3"
message = "Your bill is due on Friday."
purpose = "bill"
channels = ["latest", "email"]
every_days = 25

[[proactive.rules]]
name = "bigger plan"
when = "plan = 'S' and data_mb > 5000"
message = "Plan M has the data that you need."
channels = ["email"]
value = 2.5
cost = 0.1
"""


def night(settings: str = QUIET, rules: str = "", **more: Any) -> DecidedNight:
    who = people([0.02] * 6)
    drawn = material(who, settings, offers=None, **more)
    if rules:
        config = parsed_config(merged(PLAIN, settings) + rules)
        drawn = replace(drawn, config=config, rules=ContactRules.of(config))
    return decided_night(drawn)


def chosen(found: DecidedNight, kind: str) -> list[tuple[str, str, str]]:
    rows = found.rows.filter((pl.col("kind") == kind) & (pl.col("decision") == "approach"))
    return rows.select("customer_id", "subject", "channel").sort("customer_id").rows()


def promoters(n: int) -> pl.DataFrame:
    return pl.DataFrame(
        {"customer_id": [f"c{number:04d}" for number in range(n)], "position": range(1, n + 1)}
    )


def test_the_best_promoters_go_to_the_most_wanted_programme_each_to_one() -> None:
    found = night(
        QUIET + "[promoters]\nprogrammes = { referral = 2, beta = 1 }\ncaps = []\n", promoters=promoters(5)
    )
    assert [(who, what) for who, what, _ in chosen(found, "promoter")] == [
        ("c0000", "referral"),
        ("c0001", "referral"),
        ("c0002", "beta"),
    ]


def test_together_programmes_have_as_many_places_as_the_team_can_approach() -> None:
    settings = (
        "[team]\npromoter_capacity = 3\n[promoters]\nprogrammes = { referral = 2, beta = 2 }\ncaps = []\n"
    )
    found = night(QUIET + settings, promoters=promoters(6))
    assert [(who, what) for who, what, _ in chosen(found, "promoter")] == [
        ("c0000", "referral"),
        ("c0001", "referral"),
        ("c0002", "beta"),
    ]


def approached_before(*customers: str) -> pl.DataFrame:
    return pl.DataFrame({"customer_id": customers}, schema={"customer_id": pl.String}).with_columns(
        at=pl.lit(AS_OF.days_before(20), dtype=pl.Datetime("us")),
        channel=pl.lit("email"),
        purpose=pl.lit("promoter:referral"),
        is_transactional=pl.lit(value=False),
    )


def counts(found: DecidedNight, kind: str) -> dict[str, int]:
    return {row["reason_code"]: row["n"] for row in found.figures["counts"] if row["kind"] == kind}


def test_those_approached_before_leave_their_places_to_the_next() -> None:
    """The best three rest; of the others as many are approached as there are places, and the last are told why not."""
    who = people([0.02] * 6)
    willing = who.select("customer_id", may_survey=pl.lit(value=True), may_contact=pl.lit(value=True))
    found = night(
        QUIET + "[team]\npromoter_capacity = 2\n",
        promoters=promoters(6),
        standing=Standing(contacts=approached_before("c0000", "c0001", "c0002"), consents=willing),
    )
    assert [who for who, _, _ in chosen(found, "promoter")] == ["c0003", "c0004"]
    assert counts(found, "promoter") == {"chosen": 2, "cap_reached": 3, "programme_full": 1}


def test_a_programme_without_places_says_so_and_nothing_of_a_budget() -> None:
    found = night(QUIET + "[promoters]\nprogrammes = { referral = 0 }\n", promoters=promoters(4))
    assert counts(found, "promoter") == {"programme_full": 4}


def test_a_promoter_counts_once_whatever_the_programmes() -> None:
    settings = "[promoters]\nprogrammes = { referral = 1, community = 1, beta = 1 }\ncaps = []\n"
    assert counts(night(QUIET + settings, promoters=promoters(6)), "promoter") == {
        "chosen": 3,
        "programme_full": 3,
    }


@given(
    st.integers(1, 6),
    st.integers(0, 4),
    st.integers(0, 4),
    st.sets(st.integers(0, 5)),
    st.sets(st.integers(0, 5)),
)
def test_the_best_who_may_be_approached_take_the_places_one_after_the_other(
    capacity: int, referral: int, beta: int, rested: set[int], refusing: set[int]
) -> None:
    who = people([0.02] * 6)
    ids = who["customer_id"].to_list()
    consents = who.select(
        "customer_id",
        may_survey=pl.lit(value=True),
        may_contact=~pl.col("customer_id").is_in([ids[each] for each in refusing]),
    )
    found = night(
        QUIET
        + f"[team]\npromoter_capacity = {capacity}\n"
        + f"[promoters]\nprogrammes = {{ referral = {referral}, beta = {beta} }}\n",
        promoters=promoters(6),
        standing=Standing(
            contacts=approached_before(*(ids[each] for each in sorted(rested))), consents=consents
        ),
    )
    wanted: dict[str, str] = {}
    for number, name in enumerate(ids):
        for what, places in (("referral", referral), ("beta", beta)):
            is_open = [*wanted.values()].count(what) < places and len(wanted) < capacity
            rests = what == "referral" and number in rested
            if is_open and not rests and number not in refusing and name not in wanted:
                wanted[name] = what
    assert [(who, what) for who, what, _ in chosen(found, "promoter")] == list(wanted.items())
    assert sum(counts(found, "promoter").values()) == len(ids)


def test_a_promoter_is_not_approached_for_the_same_again_too_soon() -> None:
    before = pl.DataFrame(
        {
            "customer_id": ["c0000"],
            "at": [AS_OF.days_before(20)],
            "channel": ["email"],
            "purpose": ["promoter:referral"],
            "is_transactional": [False],
        },
        schema_overrides={"at": pl.Datetime("us")},
    )
    willing = pl.DataFrame(
        {"customer_id": ["c0000", "c0001"], "may_survey": [True] * 2, "may_contact": [True] * 2}
    )
    settings = (
        QUIET
        + "[promoters]\nprogrammes = { referral = 5, community = 5 }\ncaps = [{ days = 90, most = 1 }]\n"
    )
    found = night(settings, promoters=promoters(2), standing=Standing(contacts=before, consents=willing))
    assert [(who, what) for who, what, _ in chosen(found, "promoter")] == [
        ("c0000", "community"),
        ("c0001", "referral"),
    ]


def due(*rows: tuple[str, str, str | None]) -> pl.DataFrame:
    names = {"customer_id": pl.String, "rule": pl.String, "latest_channel": pl.String}
    return pl.DataFrame(list(rows), schema=names, orient="row")


def test_a_rule_goes_through_the_channel_of_the_moment_or_the_next_named() -> None:
    found = night(rules=RULES, due=due(("c0000", "late bill", "sms"), ("c0001", "late bill", None)))
    assert chosen(found, "proactive") == [("c0000", "late bill", "sms"), ("c0001", "late bill", "email")]


def test_a_transactional_purpose_is_stopped_by_suppressions_alone() -> None:
    nobody = pl.DataFrame({"customer_id": ["c0000"], "may_survey": [False], "may_contact": [False]})
    both = due(("c0000", "late bill", None), ("c0000", "bigger plan", None))
    found = night(rules=RULES, due=both, standing=Standing(consents=nobody))
    assert chosen(found, "proactive") == [("c0000", "late bill", "email")]
    refused = found.rows.filter(subject="bigger plan")
    assert refused["reason_code"].to_list() in (["no_consent"], [])
    stopped = Standing(consents=nobody, suppressed=pl.DataFrame({"customer_id": ["c0000"], "channel": [""]}))
    assert chosen(night(rules=RULES, due=both, standing=stopped), "proactive") == []


def test_rules_compete_by_their_value_for_the_one_contact_of_the_day() -> None:
    rules = RULES.replace('purpose = "bill"', "value = 1.0")
    found = night(rules=rules, due=due(("c0000", "late bill", "email"), ("c0000", "bigger plan", None)))
    assert chosen(found, "proactive") == [("c0000", "bigger plan", "email")]


@pytest.mark.parametrize(
    "text",
    [
        '[[proactive.rules]]\nname = "a"\nwhen = "risk > 1"\n',
        2 * '[[proactive.rules]]\nname = "a"\nwhen = "x"\nmessage = "m"\n',
        "[promoters]\nprogrammes = { referral = -1 }\n",
    ],
)
def test_rules_that_lack_something_or_share_a_name_are_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parsed_config(text)


def on_the_list(
    who: pl.DataFrame, n: int, left_out: dict[str, str] | None = None, spares: int = 0
) -> dict[str, Any]:
    """Return the list of the first ``n`` of ``who``, some of them left out already; and those next as spares."""
    why = left_out or {}
    calls = who.head(n + spares).select(
        "customer_id",
        position=pl.int_range(1, pl.len() + 1),
        may_contact=~pl.col("customer_id").is_in(list(why)),
        left_out_for=pl.col("customer_id").replace_strict(why, default=None, return_dtype=pl.String),
        is_spare=pl.int_range(pl.len()) >= n,
        stake=pl.col("risk") * pl.col("value"),
    )
    return {"calls": calls, "listed": calls["customer_id"].head(n)}


def of_calls(found: DecidedNight) -> dict[str, tuple[str, str]]:
    rows = found.rows.filter(kind="call").sort("row")
    return {row["customer_id"]: (row["decision"], row["reason_code"]) for row in rows.iter_rows(named=True)}


WHO = people([0.5, 0.4, 0.3, 0.2, 0.1, 0.05])


def test_who_is_on_the_list_is_called_and_contacted_by_nobody_else_that_day() -> None:
    found = night(
        rules=RULES, promoters=promoters(3), due=due(("c0001", "bigger plan", None)), **on_the_list(WHO, 2)
    )
    assert of_calls(found) == {"c0000": ("call", "chosen"), "c0001": ("call", "chosen")}
    told = found.rows.filter(pl.col("kind") != "call").select("customer_id", "kind", "reason_code").rows()
    # the rule reached nobody, so nobody is kept of it
    assert sorted(told) == [
        ("c0000", "promoter", "already_today"),
        ("c0001", "promoter", "already_today"),
        ("c0002", "promoter", "chosen"),
    ]


def test_a_call_of_last_night_keeps_a_customer_off_the_list_as_any_contact_does() -> None:
    before = pl.DataFrame(
        {"customer_id": ["c0000"], "at": [AS_OF.days_before(2)], "channel": ["call"], "purpose": ["call"]},
        schema_overrides={"at": pl.Datetime("us")},
    ).with_columns(is_transactional=pl.lit(value=False))
    willing = WHO.select("customer_id", may_survey=pl.lit(value=True), may_contact=pl.lit(value=True))
    standing = Standing(contacts=before, consents=willing)
    resting = night(QUIET + "[contacts]\nquiet_days = 3\n", standing=standing, **on_the_list(WHO, 2))
    assert of_calls(resting) == {"c0000": ("refused", "quiet_days"), "c0001": ("call", "chosen")}
    capped = "[contacts]\ncaps = [{ days = 30, most = 1, purpose = 'call' }]\n"
    found = night(QUIET + capped, standing=standing, **on_the_list(WHO, 2))
    assert of_calls(found)["c0000"] == ("refused", "cap_reached")


def test_the_list_has_room_for_as_many_calls_as_the_channel_the_highest_stakes_first() -> None:
    found = night(QUIET + "[contacts]\ncapacity = { call = 2 }\n", **on_the_list(WHO, 4))
    assert [code for _, code in of_calls(found).values()] == [
        "chosen",
        "chosen",
        "capacity_full",
        "capacity_full",
    ]


def test_an_offer_made_by_a_call_of_the_list_is_one_contact() -> None:
    # the call is worth .3 x .5 x 300 - 4 to the first and less than nothing to the last
    drawn = material(
        WHO, "[surveys]\nbudget = 0\n[contacts]\ncapacity = { call = 6 }\n", **on_the_list(WHO, 6)
    )
    found = decided_night(drawn)
    offered = found.rows.filter(kind="offer", decision="offer")["customer_id"].to_list()
    assert set(offered) < set(WHO["customer_id"])
    told = of_calls(found)
    assert {name for name, (_, code) in told.items() if code == "with_offer"} == set(offered)
    assert {decision for decision, _ in told.values()} == {"call"}
    assert found.figures["n_by_channel"] == {"call": 6}


def test_an_offer_by_a_call_of_the_list_has_the_place_of_the_call() -> None:
    drawn = material(WHO, **on_the_list(WHO, 3, {"c0001": "quiet_days"}))
    offers = pl.DataFrame(
        [
            ("c0000", "call", None),
            ("c0001", "call", None),
            ("c0002", "call", "not_worth_it"),
            ("c0003", "call", None),
        ],
        schema=["customer_id", "channel", "refused_for"],
        orient="row",
    ).with_columns(kind=pl.lit("offer"), value=pl.lit(1.0))
    assert by_stake(offers, drawn)["value"].to_list() == [150.0, 1.0, 1.0, 1.0]
    assert by_stake(offers.with_columns(channel=pl.lit("email")), drawn)["value"].to_list() == [1.0] * 4


def test_controls_and_those_asked_first_are_not_called_either() -> None:
    willing = WHO.select("customer_id", may_survey=pl.lit(value=True), may_contact=pl.lit(value=True))
    out = pl.DataFrame({"kind": "campaign", "campaign_id": "retention", "customer_id": ["c0000", "c0005"]})
    drawn = material(
        WHO,
        "[surveys]\nbudget = 0\n",
        standing=Standing(consents=willing, held_out=out),
        **on_the_list(WHO, 6, {"c0003": "no_consent"}),
    )
    told = of_calls(decided_night(drawn))
    assert told["c0000"] == ("control", "campaign_hold_out")
    # nobody would have offered anything to the last
    assert told["c0005"] == ("call", "chosen")
    assert told["c0003"] == ("refused", "no_consent")
    asked = decided_night(material(WHO, offers=None, **on_the_list(WHO, 6)))
    first = set(asked.rows.filter(decision="ask")["customer_id"])
    assert first
    waiting = {name for name, (_, code) in of_calls(asked).items() if code == "waiting_for_answer"}
    assert waiting == first & set(WHO["customer_id"])


def called(found: DecidedNight) -> list[str]:
    return [name for name, (decision, _) in of_calls(found).items() if decision == "call"]


def left_alone(*customers: str) -> Standing:
    willing = WHO.select("customer_id", may_survey=pl.lit(value=True), may_contact=pl.lit(value=True))
    out = pl.DataFrame({"kind": "campaign", "campaign_id": "retention", "customer_id": list(customers)})
    return Standing(consents=willing, held_out=out)


def test_the_next_on_the_list_take_the_places_of_controls_and_of_those_asked_first() -> None:
    settings = "[surveys]\nbudget = 0\n"
    alone = material(WHO, settings, standing=left_alone("c0000", "c0001"), **on_the_list(WHO, 3, spares=3))
    found = decided_night(alone)
    assert of_calls(found)["c0001"] == ("control", "campaign_hold_out")
    # of three places two are lost, and the spare after those is no candidate at all
    assert called(found) == ["c0002", "c0003", "c0004"]
    assert "c0005" not in of_calls(found)
    asked = decided_night(material(WHO, offers=None, **on_the_list(WHO, 2, spares=4)))
    first = asked.rows.filter(decision="ask")["customer_id"].to_list()
    assert set(first) & {"c0000", "c0001"}
    # who is asked is no spare either
    assert called(asked) == [each for each in WHO["customer_id"] if each not in first][:2]


def test_nobody_takes_a_place_that_was_never_theirs_to_lose() -> None:
    settings = "[surveys]\nbudget = 0\n[contacts]\ncapacity = { call = 1 }\n"
    full = decided_night(material(WHO, settings, **on_the_list(WHO, 2, {"c0000": "no_consent"}, spares=3)))
    # of the two on the list one refuses, who stands in it beside those it has room for
    assert called(full) == ["c0001"]
    assert set(of_calls(full)) == {"c0000", "c0001"}


def test_a_spare_who_is_made_an_offer_that_needs_no_call_is_not_called_for_nothing() -> None:
    only = """
    offer_id | name | contact_cost | incentive_cost | capacity | channel | suits
    gift     | Gift | 0.5          | 1              |          | email   |
    """
    drawn = material(
        WHO,
        "[surveys]\nbudget = 0\n[offers]\ntrial = false\n",
        offers=only,
        standing=left_alone("c0000"),
        **on_the_list(WHO, 2, spares=4),
    )
    found = decided_night(drawn)
    offered = found.rows.filter(kind="offer", decision="offer")["customer_id"].to_list()
    assert {"c0002", "c0003", "c0004"} <= set(offered)
    spares = [each for each in ("c0002", "c0003", "c0004", "c0005") if each not in offered]
    assert called(found) == ["c0001", *spares[:1]]
    told = of_calls(found)
    assert {name: told[name] for name in offered if name in told} == {
        name: ("none", "offered_instead") if name > "c0001" else ("call", "with_offer")
        for name in offered
        if name in told
    }
    assert "offered_instead" in {code for _, code in told.values()}


def test_whom_the_walk_refuses_a_message_takes_the_place_on_the_list_that_its_rank_gives() -> None:
    """Those written to use up the money: the others are reached by nothing else, and rank before the last."""
    only = """
    offer_id | name | contact_cost | incentive_cost | capacity | channel | suits
    gift     | Gift | 0.5          | 1              |          | email   |
    """
    drawn = material(
        WHO,
        "[surveys]\nbudget = 0\n[offers]\ntrial = false\n",
        offers=only,
        standing=left_alone("c0000"),
        **on_the_list(WHO, 2, spares=4),
    )
    # what is bought goes by the settings, of which there is enough for all: the walk alone refuses
    poorer = replace(drawn.rules, budgets={**drawn.rules.budgets, "offer": 2.0})
    found = decided_night(replace(drawn, rules=poorer))
    assert called(found) == ["c0001", "c0002"]


@given(
    rows=st.lists(
        st.tuples(
            st.booleans(),
            st.sampled_from([None, "no_consent"]),
            st.sampled_from([None, "trial_hold_out", "waiting_for_answer"]),
            st.sampled_from(["", "email", "call", "email;call"]),
        ),
        max_size=12,
    )
)
def test_as_many_are_called_as_the_list_has_places_while_spares_last(rows: list[tuple[Any, ...]]) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    ids = [f"c{number:02d}" for number in range(len(rows))]
    calls = pl.DataFrame(
        {
            "customer_id": ids,
            "is_spare": [row[0] for row in rows],
            "left_out_for": [None if row[0] else row[1] for row in rows],
            "refused_for": [(None if row[0] else row[1]) or row[2] for row in rows],
        },
        schema_overrides={"customer_id": pl.String, "is_spare": pl.Boolean, "left_out_for": pl.String,
                          "refused_for": pl.String},
    )  # fmt: skip
    ways = [(name, way) for name, row in zip(ids, rows, strict=True) for way in row[3].split(";") if way]
    offers = pl.DataFrame(
        {"customer_id": [name for name, _ in ways], "channel": [way for _, way in ways]},
        schema={"customer_id": pl.String, "channel": pl.String},
    ).with_columns(refused_for=pl.lit(None, dtype=pl.String))
    # one after the other
    n_lost = sum(not spare and not out and bool(why) for spare, out, why, _ in rows)
    wanted: list[tuple[str, str | None]] = []
    for name, (is_spare, out, why, ways_of) in zip(ids, rows, strict=True):
        if not is_spare:
            wanted.append((name, out or why))
        elif n_lost:
            # those passed over before the last who takes a place are told why
            wanted.append((name, why or ("offered_instead" if ways_of == "email" else None)))
            n_lost -= wanted[-1][1] is None
    assert _filled(calls, offers).select("customer_id", "refused_for").rows() == wanted


def test_hold_outs_are_contacted_for_transactional_purposes_alone() -> None:
    willing = WHO.select("customer_id", may_survey=pl.lit(value=True), may_contact=pl.lit(value=True))
    out = pl.DataFrame({"kind": "permanent", "campaign_id": "", "customer_id": ["c0000"]})
    both = due(("c0000", "late bill", None), ("c0000", "bigger plan", None))
    standing = Standing(consents=willing, held_out=out)
    found = night(rules=RULES, due=both, standing=standing, promoters=promoters(1), **on_the_list(WHO, 1))
    reached = found.rows.filter(reason_code="chosen")
    assert reached.select("customer_id", "purpose").rows() == [("c0000", "bill")]
    none = "[contacts]\ntransactional = []\n"
    held = night(QUIET + none, RULES, due=both, standing=standing, **on_the_list(WHO, 1))
    assert held.rows.filter(reason_code="chosen").is_empty()


def without_offer(*customers: str) -> pl.DataFrame:
    rows = [("campaign", "retention", each) for each in customers]
    names = ["kind", "campaign_id", "customer_id"]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


BESIDE = """
[surveys]
budget = 0
[offers]
trial = false
[promoters]
programmes = { referral = 9 }
caps = []
[contacts]
transactional = ["bill"]
"""


def test_who_is_left_without_an_offer_is_asked_for_nothing_else_that_night() -> None:
    """As nobody is who is made it: else the two would differ by more than the offer."""
    drawn = material(WHO, BESIDE, standing=left_alone("c0000", "c0002"), promoters=promoters(6))
    config = parsed_config(merged(PLAIN, BESIDE) + RULES)
    due = pl.DataFrame(
        {
            "customer_id": ["c0000", "c0000", "c0001", "c0001"],
            "rule": ["late bill", "bigger plan"] * 2,
            "latest_channel": ["sms"] * 4,
        }
    )
    found = decided_night(replace(drawn, config=config, rules=ContactRules.of(config), due=due))
    offered = found.rows.filter(kind="offer")
    assert dict(offered.select("customer_id", "decision").iter_rows()) == {
        "c0000": "control", "c0001": "offer", "c0002": "control", "c0003": "offer", "c0004": "offer",
    }  # fmt: skip
    told = found.rows.filter(kind="promoter").select("customer_id", "reason_code")
    left = {"c0000": "campaign_hold_out", "c0002": "campaign_hold_out"}
    assert dict(told.iter_rows()) == dict.fromkeys(WHO["customer_id"], "already_today") | left | {
        "c0005": "chosen"
    }
    rules = found.rows.filter(kind="proactive").select("customer_id", "subject", "reason_code")
    assert set(rules.iter_rows()) == {
        # a message about a bill reaches everybody
        ("c0000", "late bill", "chosen"), ("c0001", "late bill", "chosen"),
        ("c0000", "bigger plan", "campaign_hold_out"), ("c0001", "bigger plan", "already_today"),
    }  # fmt: skip
    assert counts(found, "promoter") == {"already_today": 3, "chosen": 1, "campaign_hold_out": 2}


def test_a_control_of_a_very_valuable_call_is_left_alone_as_any() -> None:
    rich = people([0.5, 0.4, 0.3, 0.2, 0.1, 0.05], 4e8)
    willing = rich.select("customer_id", may_survey=pl.lit(value=True), may_contact=pl.lit(value=True))
    for customer in rich["customer_id"].head(4):
        tonight = material(
            rich,
            "[surveys]\nbudget = 0\n[offers]\ntrial = false\n",
            standing=Standing(consents=willing, held_out=without_offer(customer)),
            **on_the_list(rich, 4),
        )
        assert of_calls(decided_night(tonight))[customer] == ("control", "campaign_hold_out")


def test_whose_channel_of_the_offer_is_closed_takes_a_place_on_the_list() -> None:
    only = """
    offer_id | name  | contact_cost | incentive_cost | capacity | channel | suits
    gift     | Gift  | 0.5          | 1              |          | email   |
    text     | Text  | 5            | 200            |          | sms     |
    """
    closed = pl.DataFrame({"customer_id": ["c0002"], "channel": ["email"]})
    drawn = material(
        WHO,
        "[surveys]\nbudget = 0\n[offers]\ntrial = false\n",
        offers=only,
        standing=replace(left_alone("c0000"), suppressed=closed),
        **on_the_list(WHO, 2, spares=4),
    )
    assert called(decided_night(drawn)) == ["c0001", "c0002"]


def test_a_call_is_left_out_only_where_the_offer_that_it_would_have_made_could_be_made() -> None:
    """One call is left for four on the list: the offers of the last are refused, and nobody is a control of them."""
    settings = """
    [surveys]
    budget = 0
    [offers]
    trial = false
    [contacts]
    capacity = { call = 1 }
    """
    alone = material(WHO, settings, standing=left_alone("c0000", "c0003"), **on_the_list(WHO, 4, spares=2))
    found = decided_night(alone)
    told = of_calls(found)
    assert told["c0000"] == ("control", "campaign_hold_out")
    assert told["c0003"] == ("refused", "capacity_full")
    offers = found.rows.filter(kind="offer", decision="control")["customer_id"].to_list()
    assert offers == ["c0000"]


def test_who_loses_no_offer_after_all_keeps_the_call_and_no_spare_takes_its_place() -> None:
    """The offer of the third on the list is too dear for what the two before leave of the budget."""
    dear = """
    offer_id | name   | contact_cost | incentive_cost | capacity | channel | suits
    visit    | Visit  | 10           | 0              |          | call    |
    """
    tonight = material(
        WHO,
        "[surveys]\nbudget = 0\n[offers]\ntrial = false\nbudget = 100\n",
        offers=dear,
        standing=left_alone("c0002"),
        **on_the_list(WHO, 3, spares=3),
    )
    rich = decided_night(tonight)
    assert of_calls(rich)["c0002"] == ("control", "campaign_hold_out")
    assert "c0003" in called(rich)
    poorer = replace(tonight.rules, budgets={**tonight.rules.budgets, "offer": 20.0})
    poor = decided_night(replace(tonight, rules=poorer))
    assert poor.rows.filter(kind="offer", decision="control").is_empty()
    assert called(poor) == ["c0000", "c0001", "c0002"]
    assert set(of_calls(poor)) == {"c0000", "c0001", "c0002"}
    assert {name for name, (decision, code) in of_calls(poor).items() if code == "with_offer"} == {
        "c0000",
        "c0001",
    }


@settings(max_examples=30)
@given(
    alone=st.sets(st.integers(0, 11), max_size=6),
    n_listed=st.integers(1, 8),
    budget=st.floats(0, 60),
    capacity=st.integers(0, 12),
    seed=st.integers(0, 5),
)
def test_as_many_are_called_as_there_are_places_whoever_is_left_alone(
    alone: set[int], n_listed: int, budget: float, capacity: int, seed: int
) -> None:
    who = people([0.05 + 0.07 * ((each * 7 + seed) % 12) for each in range(12)])
    names = [f"c{each:04d}" for each in sorted(alone)]
    consents = who.select("customer_id", may_survey=pl.lit(value=True), may_contact=pl.lit(value=True))
    given_here = f"""
    [surveys]
    budget = 0
    [offers]
    trial = false
    [contacts]
    capacity = {{ call = {capacity} }}
    """
    tonight = material(
        who,
        given_here,
        standing=Standing(consents=consents, held_out=without_offer(*names)),
        **on_the_list(who, n_listed, spares=12 - n_listed),
    )
    poorer = replace(tonight.rules, budgets={**tonight.rules.budgets, "offer": budget})
    found = decided_night(replace(tonight, rules=poorer))
    calls = found.rows.filter(kind="call")
    made = calls.filter(pl.col("decision") == "call")
    by_call = found.rows.filter(kind="offer", reason_code="chosen", channel="call")
    assert made.height <= n_listed
    out = calls.filter(decision="control")["customer_id"].to_list()
    controls = found.rows.filter(kind="offer", decision="control")["customer_id"].to_list()
    assert set(out) <= set(controls)
    other = found.rows.filter(kind="offer", reason_code="chosen")["customer_id"].to_list()
    able = [each for each in who["customer_id"] if each not in {*controls, *other}]
    if capacity >= 12:
        # whoever is not on the list though places are left is left alone, or was reached otherwise
        assert made.height == n_listed or not (set(able) - set(made["customer_id"]))
    assert by_call.height + made.filter(reason_code="chosen").height <= max(capacity, 0)
