"""Promoters and proactive rules: candidates of the same walk, under the same rules, once per customer and night."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from churnrisk.config import parsed_config
from churnrisk.deciding import DecidedNight, decided_night
from churnrisk.errors import ConfigError
from churnrisk.ledger.rules import Standing
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
        from dataclasses import replace

        from churnrisk.ledger.rules import ContactRules

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
