"""Published tables out of the ledger: as it knew things at the end of the day, and fit to be published."""

from datetime import date, timedelta

import polars as pl

from churnrisk.config import parsed_config
from churnrisk.dates import AsOf
from churnrisk.ledger import Ledger, kept_tables
from churnrisk.ledger.arms import Campaign, campaign_of, frozen_arms
from churnrisk.ledger.entries import add, change
from churnrisk.ledger.holdouts import held_out
from churnrisk.ledger.schema import ANSWERS, CONTACTS, HOLDOUTS, INVITATIONS, OUTCOMES
from churnrisk.ledger.taking import AnswerRules, matched, take_answers
from churnrisk.store.audits import audit, in_order
from churnrisk.tables.published import RULES

DAY = AsOf(date(2026, 5, 10))
END = DAY.instant
CONFIG = parsed_config("[holdout]\nshare = 0.2\n[surveys]\nholdout_share = 0.1")
IDS = pl.Series("customer_id", [f"c{number}" for number in range(200)])


def drawn(ledger: Ledger) -> None:
    """Two answers, the second known a day late; contacts and outcomes of which one each is too old."""
    invited = pl.DataFrame(
        {
            "invitation_id": ["i1", "i2"],
            "customer_id": ["c1", "c2"],
            "metric": ["nps", "csat"],
            "occasion": ["relationship"] * 2,
            "purpose": ["confirm", "relationship"],
            "invited_at": [END - timedelta(days=5)] * 2,
            "known_at": [END - timedelta(days=5)] * 2,
            "state": ["sent"] * 2,
            "written_at": [END] * 2,
        }
    )
    said = pl.DataFrame(
        {
            "answer_id": ["x1", "x2"],
            "invitation_id": ["i1", "i2"],
            "metric": [None, None],
            "score": [2.0, 5.0],
            "comment": ["дорого", None],
            "answered_at": [END - timedelta(days=2)] * 2,
            "known_at": [END - timedelta(days=1), END + timedelta(hours=1)],
        },
        schema_overrides={"metric": pl.String},
    )
    old = END - timedelta(days=400)
    rows = {
        "customer_id": ["c1", "c1"],
        "at": [END - timedelta(days=1), old],
        "known_at": [END - timedelta(hours=1)] * 2,
    }
    stamps = {"source": ["file"] * 2, "written_at": [END] * 2}
    contacts = {
        **rows,
        **stamps,
        "contact_id": ["k1", "k2"],
        "purpose": ["offer"] * 2,
        "is_transactional": [False] * 2,
    }
    outcomes = {
        **rows,
        **stamps,
        "outcome_id": ["o1", "o2"],
        "outcome": ["kept"] * 2,
        "note": ["spoke long", None],
    }
    with ledger.writing() as db:
        add(db, INVITATIONS, invited)
        rules = AnswerRules((0, 6), 7)
        take_answers(db, matched(db, said), rules, source="file", now=END - timedelta(minutes=1))
        add(db, CONTACTS, pl.DataFrame(contacts))
        add(db, OUTCOMES, pl.DataFrame(outcomes))
        risks = pl.DataFrame(
            {"answer_id": ["x1", "nobody"], "risk_before": [0.2, 0.1], "risk_after": [0.4, 0.1]}
        )
        assert change(db, ANSWERS, risks, ["risk_before", "risk_after"]) == 1
        assert change(db, ANSWERS, risks, ["risk_before", "risk_after"]) == 0
        campaign = campaign_of(db, Campaign("spring", DAY.day, "customer", 0.3), END)
        frozen_arms(db, campaign, pl.DataFrame({"customer_id": IDS}), salt="s", now=END)
        kept_away = pl.DataFrame(
            {"kind": ["permanent"], "campaign_id": [""], "customer_id": [first_held_out()]}
        )
        add(db, HOLDOUTS, kept_away.with_columns(since=pl.lit(DAY.day - timedelta(days=1))))


def first_held_out() -> str:
    return str(IDS.filter(held_out(IDS, "permanent", 0.2, CONFIG.holdout.salt))[0])


def test_tables_hold_what_was_known_at_the_end_of_the_day_and_pass_their_audit(ledger: Ledger) -> None:
    drawn(ledger)
    with ledger.reading() as db:
        tables = kept_tables(db, CONFIG, DAY, IDS)
    assert tables["answers"].select(
        "invitation_id", "purpose", "category", "risk_before", "risk_after"
    ).rows() == [("i1", "confirm", "detractor", 0.2, 0.4)]
    assert tables["alerts"].select("customer_id", "score", "comment", "state").rows() == [
        ("c1", 2.0, "дорого", "open")
    ]
    assert tables["contacts"]["contact_id"].to_list() == ["k1"]
    assert tables["outcomes"]["outcome_id"].to_list() == ["o1"]
    assert "spoke long" not in str(tables["outcomes"].to_dicts())
    frames = {
        name: in_order(frame.with_columns(as_of=pl.lit(DAY.day), run_id=pl.lit("r")), RULES[name])
        for name, frame in tables.items()
    }
    audit(frames, {name: RULES[name] for name in frames})


def test_hold_outs_are_told_of_everybody_scored_with_the_day_they_first_kept_a_contact_away(
    ledger: Ledger,
) -> None:
    drawn(ledger)
    with ledger.reading() as db:
        found = kept_tables(db, CONFIG, DAY, IDS)["holdouts"]
    sizes = dict(found.group_by("kind").len().iter_rows())
    assert sizes["permanent"] == held_out(IDS, "permanent", 0.2, CONFIG.holdout.salt).sum()
    assert sizes["survey"] == held_out(IDS, "survey", 0.1, CONFIG.holdout.salt).sum()
    assert 30 < sizes["campaign"] < 90
    since = found.filter(pl.col("since").is_not_null())
    assert since.select("kind", "customer_id", "since").rows() == [
        ("permanent", first_held_out(), DAY.day - timedelta(days=1))
    ]


def test_an_empty_ledger_gives_empty_tables_that_may_be_published(ledger: Ledger) -> None:
    with ledger.reading() as db:
        tables = kept_tables(db, CONFIG, DAY, IDS.head(0))
    frames = {
        name: in_order(frame.with_columns(as_of=pl.lit(DAY.day), run_id=pl.lit("r")), RULES[name])
        for name, frame in tables.items()
    }
    audit(frames, {name: RULES[name] for name in frames})
    assert [frame.height for frame in frames.values()] == [0] * 5
