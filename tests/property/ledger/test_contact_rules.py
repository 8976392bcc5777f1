"""The walk of the contact rules against its slow twin, and what must hold however many nights follow each other."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from churnrisk.config import Cap
from churnrisk.dates import AsOf
from churnrisk.ledger.rules import REASONS, ContactRules, Standing, action_day, walked
from tests.unit.ledger.drawn import candidate, candidates, contact, slowly_walked, standing

CUSTOMERS, CHANNELS, PURPOSES = "abcdef", ("email", "sms", "call"), ("survey", "offer", "bill")
NIGHT = AsOf(date(2026, 10, 24), "Europe/Berlin")

caps = st.builds(
    Cap,
    days=st.integers(1, 12),
    most=st.integers(0, 3),
    purpose=st.none() | st.sampled_from(PURPOSES),
    channel=st.none() | st.sampled_from(CHANNELS),
)
rules = st.builds(
    ContactRules,
    caps=st.lists(caps, max_size=3).map(tuple),
    quiet_days=st.integers(0, 4),
    capacity=st.dictionaries(st.sampled_from(CHANNELS), st.integers(0, 3)),
    channels=st.permutations(CHANNELS).map(tuple),
    transactional=st.just(frozenset({"bill"})),
    budgets=st.dictionaries(st.sampled_from(PURPOSES), st.floats(0, 6)),
)
drawn_candidates = st.lists(
    st.builds(
        candidate,
        st.sampled_from(CUSTOMERS),
        purpose=st.sampled_from(PURPOSES),
        kind=st.sampled_from(["survey", "offer"]),
        subject=st.sampled_from(["one", "two"]),
        channel=st.sampled_from(CHANNELS),
        value=st.sampled_from([0.0, 1.0, 2.0, 2.5]),
        cost=st.sampled_from([0.0, 0.1, 1.0, 3.0]),
        campaign_id=st.sampled_from([None, "spring"]),
        refused_for=st.sampled_from([None, None, None, "not_worth_it", "drawn_none"]),
    ),
    max_size=25,
    unique_by=lambda row: (row["kind"], row["customer_id"], row["subject"], row["channel"]),
)
contacts = st.lists(
    st.builds(
        contact,
        st.sampled_from(CUSTOMERS),
        st.integers(-24 * 14, 48).map(lambda hours: NIGHT.instant + timedelta(hours=hours)),
        channel=st.sampled_from(CHANNELS),
        purpose=st.sampled_from(PURPOSES),
        is_transactional=st.booleans(),
    ),
    max_size=8,
)
flags = st.lists(st.booleans() | st.none(), min_size=len(CUSTOMERS), max_size=len(CUSTOMERS))


@st.composite
def standings(draw: st.DrawFn) -> Standing:
    """Contacts, and of some customers a lack of consent, a suppression, a hold-out or a survey on its way."""
    some = st.lists(st.sampled_from(CUSTOMERS), unique=True, max_size=2)
    out = [
        *(("permanent", "", name) for name in draw(some)),
        *(("survey", "", name) for name in draw(some)),
        *(("campaign", "spring", name) for name in draw(some)),
        *(("trial", "spring", name) for name in draw(some)),
    ]
    stopped = [(name, draw(st.sampled_from(["", *CHANNELS]))) for name in draw(some)]
    return standing(
        *draw(contacts),
        consents=pl.DataFrame(
            {"customer_id": list(CUSTOMERS), "may_survey": draw(flags), "may_contact": draw(flags)},
            schema={"customer_id": pl.String, "may_survey": pl.Boolean, "may_contact": pl.Boolean},
        ),
        suppressed=pl.DataFrame(
            stopped, schema={"customer_id": pl.String, "channel": pl.String}, orient="row"
        ),
        held_out=pl.DataFrame(
            out, schema={"kind": pl.String, "campaign_id": pl.String, "customer_id": pl.String}, orient="row"
        ),
        waiting=pl.DataFrame({"customer_id": draw(some)}, schema={"customer_id": pl.String}),
    )


TOLD = ("kind", "customer_id", "subject", "channel", "position", "decision", "reason_code")


@given(drawn_candidates, standings(), rules)
def test_the_walk_decides_as_its_slow_twin(
    rows: list[dict[str, Any]], known: Standing, by: ContactRules
) -> None:
    found = walked(candidates(*rows), known, by, NIGHT)
    slow = slowly_walked(rows, known, by, NIGHT)
    assert found.select(TOLD).rows() == [tuple(row[name] for name in TOLD) for row in slow]


@given(drawn_candidates, standings(), rules, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(
    rows: list[dict[str, Any]], known: Standing, by: ContactRules, random: Any
) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert walked(candidates(*shuffled), known, by, NIGHT).equals(walked(candidates(*rows), known, by, NIGHT))


@given(drawn_candidates, standings(), rules)
def test_everyone_gets_one_decision_and_a_reason(
    rows: list[dict[str, Any]], known: Standing, by: ContactRules
) -> None:
    found = walked(candidates(*rows), known, by, NIGHT)
    assert found.height == len({(row["kind"], row["customer_id"], row["subject"]) for row in rows})
    assert found["position"].to_list() == list(range(1, found.height + 1))
    assert set(found["reason_code"]) <= set(REASONS)
    assert found["decision"].null_count() == 0
    chosen = found["decision"].is_in(["ask", "offer", "approach"])
    assert chosen.to_list() == (found["reason_code"] == "chosen").to_list()


@given(drawn_candidates, standings(), rules, st.sampled_from(PURPOSES), st.floats(0, 5))
def test_more_budget_never_loses_a_choice_but_for_a_more_valuable_one(
    rows: list[dict[str, Any]], known: Standing, by: ContactRules, purpose: str, more: float
) -> None:
    """The first candidate on whom the two walks differ is chosen by the one with more money."""
    richer = replace(by, budgets={**by.budgets, purpose: by.budgets.get(purpose, 99.0) + more})
    name = ("kind", "customer_id", "subject", "channel")
    rows = [
        row
        for place, row in enumerate(rows)
        if all(
            (row["kind"], row["customer_id"], row["subject"]) != (o["kind"], o["customer_id"], o["subject"])
            for o in rows[:place]
        )
    ]
    one, other = (walked(candidates(*rows), known, rule, NIGHT) for rule in (by, richer))
    assert one.select(name).equals(other.select(name))
    pairs = zip(one["reason_code"], other["reason_code"], strict=True)
    differing = [(less, rich) for less, rich in pairs if less != rich]
    assert not differing or differing[0][0] == "budget_spent"


@given(
    drawn_candidates, standings(), rules, st.sampled_from(CUSTOMERS), st.sampled_from(["campaign", "trial"])
)
def test_who_is_left_without_an_offer_is_else_treated_like_who_is_made_it(
    rows: list[dict[str, Any]], known: Standing, by: ContactRules, who: str, kind: str
) -> None:
    """With room and money for everybody the same reaches both that night, but for the offer itself."""
    open_to_all = replace(by, capacity={}, budgets={})
    shape = {"kind": [kind], "campaign_id": ["spring"], "customer_id": [who]}
    others = known.held_out.filter(
        ~pl.col("kind").is_in(["campaign", "trial"]) | (pl.col("customer_id") != who)
    )
    without = replace(known, held_out=others)
    alone = replace(known, held_out=pl.concat([others, pl.DataFrame(shape)]))
    made, left = (walked(candidates(*rows), each, open_to_all, NIGHT) for each in (without, alone))
    name = ["kind", "customer_id", "subject"]
    is_out = pl.col("reason_code").is_in(["campaign_hold_out", "trial_hold_out"])
    offer = pl.col("campaign_id") == "spring"
    reached = set(made.filter(~offer.fill_null(value=False), reason_code="chosen").select(name).rows())
    assert reached == set(
        left.filter(~offer.fill_null(value=False), reason_code="chosen").select(name).rows()
    )
    mine = left.filter((pl.col("customer_id") == who) & (pl.col("reason_code") == "chosen"))
    assert not mine.filter(offer & (pl.col("purpose") != "bill")).height
    # and no more than one reason of these stands in the way of all that is worth less
    assert left.filter(is_out & (pl.col("customer_id") == who))["reason_code"].n_unique() <= 1


@given(st.lists(drawn_candidates, min_size=2, max_size=10), rules, st.data())
def test_no_rule_is_ever_broken_over_many_nights(
    nights: list[list[dict[str, Any]]], by: ContactRules, data: st.DataObject
) -> None:
    made: list[dict[str, Any]] = []
    for number, rows in enumerate(nights):
        night = NIGHT.shifted(number)
        found = walked(candidates(*rows), standing(*made), by, night)
        chosen = found.filter(pl.col("reason_code") == "chosen")
        asked = chosen.filter(pl.col("purpose") != "bill")
        assert asked["customer_id"].is_unique().all()
        for channel, most in by.capacity.items():
            assert asked.filter(pl.col("channel") == channel).height <= most
        for purpose, money in by.budgets.items():
            spent = asked.filter(pl.col("purpose") == purpose)["cost"].sum()
            assert spent <= money + 1e-6 * (1 + asked.height)
        for row in chosen.iter_rows(named=True):
            later = timedelta(hours=data.draw(st.integers(0, 22)))
            is_exempt = row["purpose"] == "bill"
            made.append(
                contact(
                    row["customer_id"],
                    night.instant + later,
                    channel=row["channel"],
                    purpose=row["purpose"],
                    is_transactional=is_exempt,
                )
                | {"day": action_day(night)}
            )
        made = [{**each} for each in made]
    _check_caps([each for each in made if not each["is_transactional"]], by)


def _check_caps(made: list[dict[str, Any]], by: ContactRules) -> None:
    for each in made:
        same = [other for other in made if other["customer_id"] == each["customer_id"]]
        gaps = [abs((other["day"] - each["day"]).days) for other in same if other is not each]
        assert all(gap > by.quiet_days for gap in gaps)
    for cap in by.caps:
        fitting = [
            each
            for each in made
            if cap.purpose in {None, each["purpose"]} and cap.channel in {None, each["channel"]}
        ]
        for each in fitting:
            first = each["day"] - timedelta(days=cap.days - 1)
            counts = Counter(
                other["customer_id"] for other in fitting if first <= other["day"] <= each["day"]
            )
            assert counts[each["customer_id"]] <= cap.most
