"""One set of contact rules: who is chosen, and the first reason for which somebody is not."""

from datetime import date, datetime, timedelta

import polars as pl
import pytest

from churnrisk.config import Cap, QuietPeriod, parsed_config
from churnrisk.dates import AsOf
from churnrisk.ledger.rules import REASONS, ContactRules, action_day, walked, worth_keeping
from churnrisk.ledger.rules.reasons import GIVEN
from churnrisk.messages import LANGUAGES, Sentences
from tests.unit.ledger.drawn import candidate, candidates, contact, standing

NIGHT = AsOf(date(2026, 5, 10), "UTC")
TODAY = datetime(2026, 5, 11, 9)


def told(
    rows: list[dict[str, object]], known: object = None, rules: ContactRules | None = None
) -> dict[str, str]:
    """Reasons by customer and channel chosen or looked at first."""
    found = walked(candidates(*rows), known or standing(), rules or ContactRules(), NIGHT)  # type: ignore[arg-type]
    return dict(found.select("customer_id", "reason_code").iter_rows())


def test_the_most_valuable_come_first_until_the_budget_is_spent() -> None:
    rows = [candidate("a", value=1.0), candidate("b", value=3.0), candidate("c", value=2.0)]
    found = walked(candidates(*rows), standing(), ContactRules(budgets={"survey": 2.0}), NIGHT)
    assert found.select("position", "customer_id", "decision", "reason_code").rows() == [
        (1, "b", "ask", "chosen"),
        (2, "c", "ask", "chosen"),
        (3, "a", "refused", "budget_spent"),
    ]


def test_a_budget_is_spent_to_the_last_coin_however_it_is_added_up() -> None:
    rows = [candidate(name, cost=0.1) for name in "abcdefgh"]
    assert list(told(rows, rules=ContactRules(budgets={"survey": 0.3})).values()).count("chosen") == 3


def test_a_cheaper_one_may_fit_where_a_dearer_one_does_not() -> None:
    rows = [candidate("a", value=3.0, cost=5.0), candidate("b", value=2.0, cost=1.0)]
    assert told(rows, rules=ContactRules(budgets={"survey": 2.0})) == {"a": "budget_spent", "b": "chosen"}


def test_each_purpose_has_its_own_budget_and_one_without_has_no_limit() -> None:
    rows = [
        candidate("a"),
        candidate("b", kind="offer", purpose="offer", cost=9.0),
        candidate("c", kind="promoter", purpose="promoter", cost=99.0),
    ]
    rules = ContactRules(budgets={"survey": 0.0, "offer": 10.0})
    assert told(rows, rules=rules) == {"a": "budget_spent", "b": "chosen", "c": "chosen"}


def test_a_customer_is_contacted_once_a_day_for_the_most_valuable_reason() -> None:
    rows = [candidate("a"), candidate("a", kind="offer", subject="discount", purpose="offer", value=5.0)]
    found = walked(candidates(*rows), standing(), ContactRules(), NIGHT)
    assert found.select("kind", "decision", "reason_code").rows() == [
        ("offer", "offer", "chosen"),
        ("survey", "refused", "already_today"),
    ]


def test_a_full_channel_makes_room_in_the_next_preferred_one() -> None:
    rows = [
        candidate(name, channel=channel, value=v)
        for name, v in (("a", 2.0), ("b", 1.0))
        for channel in ("sms", "email")
    ]
    rules = ContactRules(capacity={"email": 1}, channels=("email", "sms"))
    found = walked(candidates(*rows), standing(), rules, NIGHT)
    assert found.select("customer_id", "channel", "reason_code").rows() == [
        ("a", "email", "chosen"),
        ("b", "sms", "chosen"),
    ]
    assert told(rows, rules=ContactRules(capacity={"email": 0, "sms": 0})) == dict.fromkeys(
        "ab", "capacity_full"
    )


@pytest.mark.parametrize(
    ("days_ago", "code"), [(0, "already_today"), (1, "quiet_days"), (3, "quiet_days"), (4, "chosen")]
)
def test_after_a_contact_come_quiet_days(days_ago: int, code: str) -> None:
    known = standing(contact("a", TODAY - timedelta(days=days_ago)))
    assert told([candidate("a")], known, ContactRules(quiet_days=3 if days_ago else 0)) == {"a": code}


@pytest.mark.parametrize(
    ("cap", "code"),
    [
        (Cap(days=30, most=2), "cap_reached"),
        (Cap(days=30, most=3), "chosen"),
        (Cap(days=10, most=2), "chosen"),
        (Cap(days=11, most=2), "cap_reached"),
        (Cap(days=30, most=1, purpose="survey"), "cap_reached"),
        (Cap(days=30, most=1, purpose="offer"), "chosen"),
        (Cap(days=30, most=1, channel="email"), "cap_reached"),
        (Cap(days=30, most=1, channel="call"), "chosen"),
    ],
)
def test_a_cap_counts_contacts_of_its_days_purpose_and_channel(cap: Cap, code: str) -> None:
    """Two contacts: ten days before the day of action by email for a survey, five before by call for an offer."""
    known = standing(
        contact("a", TODAY - timedelta(days=10)),
        contact("a", TODAY - timedelta(days=5), channel="call", purpose="offer"),
        contact("b", TODAY - timedelta(days=5)),
    )
    assert told([candidate("a")], known, ContactRules(caps=(cap,))) == {"a": code}


def test_a_contact_that_is_planned_for_a_later_day_counts_too() -> None:
    known = standing(contact("a", TODAY + timedelta(days=2)))
    assert told([candidate("a")], known, ContactRules(quiet_days=1)) == {"a": "quiet_days"}


def test_days_are_those_of_the_zone() -> None:
    """22:30 in London on the 10th is the 11th, the day of action, in Moscow."""
    known = standing(contact("a", datetime(2026, 5, 10, 22, 30)))
    night = AsOf(date(2026, 5, 10), "Europe/Moscow")
    found = walked(candidates(candidate("a")), known, ContactRules(), night)
    assert found["reason_code"].to_list() == ["already_today"]


def test_transactional_messages_are_held_back_by_suppressions_alone() -> None:
    rules = ContactRules(
        caps=(Cap(days=30, most=0),),
        quiet_days=9,
        capacity={"email": 0},
        budgets={"bill": 0.0},
        transactional=frozenset({"bill"}),
        quiet_periods=(QuietPeriod(**{"from": "01-01", "to": "12-31"}),),
    )
    known = standing(
        contact("a", TODAY),
        customers="z",
        suppressed=pl.DataFrame({"customer_id": ["b"], "channel": [""]}),
        held_out=pl.DataFrame({"kind": ["permanent"], "campaign_id": [""], "customer_id": ["a"]}),
    )
    rows = [candidate(name, kind="proactive", purpose="bill") for name in "ab"]
    assert told(rows, known, rules) == {"a": "chosen", "b": "do_not_contact"}


def test_transactional_messages_count_towards_no_cap() -> None:
    known = standing(contact("a", TODAY, purpose="bill", is_transactional=True))
    assert told([candidate("a")], known, ContactRules(caps=(Cap(days=9, most=1),), quiet_days=5)) == {
        "a": "chosen"
    }


@pytest.mark.parametrize(
    ("period", "day", "is_quiet"),
    [
        (("12-24", "12-26"), date(2026, 12, 24), True),
        (("12-24", "12-26"), date(2026, 12, 26), True),
        (("12-24", "12-26"), date(2026, 12, 27), False),
        (("12-24", "01-02"), date(2027, 1, 2), True),
        (("12-24", "01-02"), date(2027, 1, 3), False),
        (("02-29", "02-29"), date(2028, 2, 29), True),
    ],
)
def test_a_quiet_period_holds_its_first_and_last_day(
    period: tuple[str, str], day: date, is_quiet: bool
) -> None:
    rules = ContactRules(quiet_periods=(QuietPeriod(**{"from": period[0], "to": period[1]}),))
    assert rules.is_quiet(day) is is_quiet
    night = AsOf(day - timedelta(days=1))
    assert action_day(night) == day
    found = walked(candidates(candidate("a")), standing(), rules, night)
    assert found["reason_code"].to_list() == ["quiet_period" if is_quiet else "chosen"]


def test_consent_is_that_of_the_purpose_and_silence_is_no_consent() -> None:
    consents = pl.DataFrame(
        {"customer_id": ["a", "b"], "may_survey": [True, None], "may_contact": [False, True]}
    )
    rows = [candidate(name, kind=kind, purpose=kind) for name in "abc" for kind in ("survey", "offer")]
    found = walked(candidates(*rows), standing(consents=consents), ContactRules(), NIGHT)
    reasons = {
        (name, kind): code
        for name, kind, code in found.select("customer_id", "kind", "reason_code").iter_rows()
    }
    assert reasons == {
        ("a", "survey"): "chosen",
        ("a", "offer"): "already_today" if reasons["a", "offer"] == "already_today" else "no_consent",
        ("b", "survey"): "no_consent" if reasons["b", "survey"] == "no_consent" else "already_today",
        ("b", "offer"): "chosen",
        ("c", "survey"): "no_consent",
        ("c", "offer"): "no_consent",
    }


def test_a_suppression_holds_for_its_channel_or_for_all() -> None:
    stopped = pl.DataFrame({"customer_id": ["a", "b"], "channel": ["", "email"]})
    rows = [candidate(name, channel=channel) for name in "ab" for channel in ("email", "sms")]
    found = walked(candidates(*rows), standing(suppressed=stopped), ContactRules(), NIGHT).sort("customer_id")
    assert found.select("customer_id", "channel", "reason_code").rows() == [
        ("a", "email", "do_not_contact"),
        ("b", "sms", "chosen"),
    ]


def test_the_held_out_are_those_who_would_have_been_reached_and_use_up_nothing() -> None:
    out = pl.DataFrame(
        {
            "kind": ["permanent", "survey", "campaign", "campaign"],
            "campaign_id": ["", "", "spring", "autumn"],
            "customer_id": ["a", "b", "c", "d"],
        }
    )
    rows = [candidate(name, value=9.0 - place, campaign_id="spring") for place, name in enumerate("abcdef")]
    found = walked(candidates(*rows), standing(held_out=out), ContactRules(budgets={"survey": 1.0}), NIGHT)
    assert found.select("customer_id", "decision", "reason_code").rows() == [
        ("a", "hold-out", "permanent_hold_out"),
        ("b", "hold-out", "survey_hold_out"),
        ("c", "control", "campaign_hold_out"),
        ("d", "ask", "chosen"),
        ("e", "refused", "budget_spent"),
        ("f", "refused", "budget_spent"),
    ]


def test_who_was_asked_a_short_while_ago_is_not_asked_again_but_may_be_offered_something() -> None:
    known = standing(waiting=pl.DataFrame({"customer_id": ["a"]}))
    rows = [candidate("a", value=9.0), candidate("a", kind="offer", purpose="offer")]
    found = walked(candidates(*rows), known, ContactRules(), NIGHT)
    assert found["reason_code"].to_list() == ["waiting_for_answer", "chosen"]


@pytest.mark.parametrize("code", GIVEN)
def test_what_the_caller_knows_comes_first_and_is_no_refusal(code: str) -> None:
    found = walked(candidates(candidate("x", refused_for=code, cost=None)), standing(), ContactRules(), NIGHT)
    # whom the lot gave nothing is left alone to measure by; of the others nothing was decided
    assert found.select("decision", "reason_code").row(0) == (
        "control" if code == "drawn_none" else "none",
        code,
    )


def test_further_columns_are_carried_and_two_may_be_missing() -> None:
    rows = candidates(candidate("a")).drop("campaign_id", "refused_for").with_columns(risk=pl.lit(0.3))
    found = walked(rows, standing(), ContactRules(), NIGHT)
    assert found.columns == [*rows.columns, "position", "decision", "reason_code"]
    with pytest.raises(ValueError, match="candidates lack cost"):
        walked(rows.drop("cost"), standing(), ContactRules(), NIGHT)
    with pytest.raises(ValueError, match="no cost"):
        walked(rows.with_columns(cost=pl.lit(-1.0)), standing(), ContactRules(), NIGHT)


def test_nobody_to_decide_on_gives_an_empty_table() -> None:
    assert walked(candidates(), standing(), ContactRules(), NIGHT).is_empty()


def test_those_reached_are_kept_and_as_many_again() -> None:
    rows = [candidate(name, value=9.0 - place) for place, name in enumerate("abcdefgh")]
    found = walked(candidates(*rows), standing(), ContactRules(budgets={"survey": 2.0}), NIGHT)
    assert worth_keeping(found)["customer_id"].to_list() == list("abcd")
    nobody = walked(candidates(*rows), standing(), ContactRules(budgets={"survey": 0.0}), NIGHT)
    assert worth_keeping(nobody).is_empty()


def test_the_rules_are_those_of_the_settings() -> None:
    config = parsed_config(
        """
        [contacts]
        caps = [{ days = 30, most = 2 }]
        quiet_days = 1
        capacity = { call = 5 }
        channels = ["call"]
        transactional = ["bill"]
        quiet_periods = [{ from = "12-24", to = "12-26" }]
        wait_for_answer_days = 9
        [surveys]
        budget = 7
        caps = [{ days = 90, most = 1 }]
        [offers]
        budget = 8
        caps = [{ days = 60, most = 1, channel = "call" }]
        [promoters]
        programmes = { beta = 3 }
        caps = [{ days = 9, most = 1 }]
        """
    )
    rules = ContactRules.of(config)
    assert rules.caps == (
        Cap(days=30, most=2),
        Cap(days=90, most=1, purpose="survey"),
        Cap(days=60, most=1, purpose="offer", channel="call"),
        Cap(days=9, most=1, purpose="promoter:beta"),
    )
    assert (rules.quiet_days, rules.wait_for_answer_days, rules.look_back_days) == (1, 9, 91)
    assert (rules.capacity, rules.budgets) == (
        {"call": 5},
        {"survey": 7.0, "offer": 8.0, "promoter:": 50, "promoter:beta": 3},
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_is_a_sentence_that_people_can_read(language: str) -> None:
    sentences = Sentences.of(language)
    told = [sentences.decided(code) for code in REASONS]
    assert len(set(told)) == len(REASONS)
    assert all(sentence[-1] in ".。" for sentence in told)
