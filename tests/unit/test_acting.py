"""What is to be done to customers is held against its names before anything is scored: channels and expressions."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import churnrisk
from churnrisk.acting import offer_faults, setting_faults
from churnrisk.cli import run
from churnrisk.config import parsed_config
from churnrisk.errors import ConfigError, ContractError, Fault
from churnrisk.tables.lake import Attribute, LakeTables
from features import library

CATALOGUE = library(None).catalogue


def of_settings(text: str) -> list[Fault]:
    return setting_faults(parsed_config(text), LakeTables({}), CATALOGUE)


def of_offers(tmp_path: Path, *offers: tuple[str, str | None, str | None], settings: str = "") -> list[Fault]:
    path = tmp_path / "offers.parquet"
    kinds = dict.fromkeys(("offer_id", "channel", "eligible"), pl.String())
    pl.DataFrame(offers, schema=kinds, orient="row").write_parquet(path)
    attributes = (Attribute("Plan", "attribute_plan"),)
    return offer_faults(parsed_config(settings), LakeTables({"offers": path}, attributes), CATALOGUE)


@pytest.mark.parametrize(
    ("text", "where", "remedy"),
    [
        ("[contacts]\ncapacity = { emial = 5 }", "[contacts] capacity", "Did you mean 'email'?"),
        (
            "[contacts]\ncaps = [{ days = 9, most = 1, channel = 'SMS' }]",
            "[contacts] caps",
            "Did you mean 'sms'?",
        ),
        ("[surveys]\ncost = { pigeon = 1 }", "[surveys] cost", "add it to [contacts] channels"),
        (
            "[surveys]\ncaps = [{ days = 9, most = 1, channel = 'mail' }]",
            "[surveys] caps",
            "Did you mean 'email'?",
        ),
        (
            "[[proactive.rules]]\nname='late'\nwhen='risk > 0'\nmessage='x'\nchannels=['latest', 'smss']",
            "[[proactive.rules]] late, channels",
            "Did you mean 'sms'?",
        ),
    ],
)
def test_a_channel_that_settings_name_and_nobody_knows_is_told_with_the_nearest(
    text: str, where: str, remedy: str
) -> None:
    (fault,) = of_settings(text)
    assert (fault.code, fault.where) == ("channel_unknown", f"churnrisk.toml {where}")
    assert remedy in fault.remedy
    assert fault.available == ("email", "sms", "call")


RULE = "[[proactive.rules]]\nname='late'\nwhen='risk > 0'\nmessage='x'\npurpose='bill'\n"


@pytest.mark.parametrize(
    ("text", "where", "nearest"),
    [
        ("[contacts]\ncaps = [{ days = 9, most = 1, purpose = 'offers' }]", "caps", "'offer'"),
        ("[contacts]\ncaps = [{ days = 9, most = 1, purpose = ' Survey' }]", "caps", "'survey'"),
        (
            "[contacts]\ncaps = [{ days = 9, most = 1, purpose = 'promoter:referal' }]",
            "caps",
            "'promoter:referral'",
        ),
        ("[contacts]\ntransactional = ['Bill']\n" + RULE, "transactional", "'bill'"),
        (RULE.replace("'bill'", "'Bill'"), "transactional", "'Bill'"),
    ],
)
def test_a_purpose_that_is_nearly_one_of_ours_is_refused_with_it(text: str, where: str, nearest: str) -> None:
    (fault,) = of_settings(text)
    assert (fault.code, fault.where) == ("purpose_misspelled", f"churnrisk.toml [contacts] {where}")
    assert f"Did you mean {nearest}?" in fault.remedy


@pytest.mark.parametrize(
    "text",
    [
        "[contacts]\ncaps = [{ days = 9, most = 1, purpose = 'newsletter' }]\ntransactional = ['recall', 'billing']",
        "[contacts]\ntransactional = ['bill', 'bills']\n" + RULE,
        "[contacts]\ncaps = [{ days = 9, most = 1, purpose = 'bill' }]\n" + RULE,
    ],
)
def test_purposes_of_other_systems_are_nobodys_mistake(text: str) -> None:
    assert of_settings(text) == []


def test_channels_of_ones_own_and_the_calls_of_the_team_are_known() -> None:
    text = "[contacts]\nchannels = ['letter']\ncapacity = { letter = 1, call = 9 }\n[surveys]\ncost = { letter = 1 }"
    assert of_settings(text) == []
    assert of_settings("[contacts]\nchannels = ['letter']") == [], "defaults of costs are nobody's mistake"


def test_a_rule_that_cannot_be_read_is_placed_where_it_is_written() -> None:
    (fault,) = of_settings("[[proactive.rules]]\nname='late'\nwhen='rsk > 0'\nmessage='x'")
    assert (fault.code, fault.where) == ("proactive_when", "churnrisk.toml [[proactive.rules]] late, when")
    assert "Did you mean risk?" in fault.remedy


def test_rules_may_name_what_staff_recorded_of_a_case() -> None:
    rule = "[[proactive.rules]]\nname='told'\nmessage='x'\nwhen="
    assert of_settings(rule + "\"days_since_case <= 30 and root_cause = 'price'\"") == []
    (fault,) = of_settings(rule + '"days_since_cases = 3"')
    assert "Did you mean days_since_case?" in fault.remedy


def test_every_offer_that_cannot_be_made_as_written_is_told_at_once(tmp_path: Path) -> None:
    faults = of_offers(
        tmp_path,
        (
            "fine",
            "sms; email",
            "risk > 0.2 and band = 'high' and tenure_days < 90 and attribute_plan = 'gold'",
        ),
        ("everyone", None, None),
        ("channel", "sms;e-mail", ""),
        ("broken", None, "risk > "),
        ("column", None, "rsk > 0.2"),
        ("types", None, "band > 0.2 + risk and risk"),
        ("others", None, "churned_strength_share_30d > 0"),
        ("reading", None, "risk > (select 1)"),
    )
    told = [(fault.code, fault.where) for fault in faults]
    assert told == [
        ("offer_channel" if name == "channel" else "offer_eligible", f"offers, offer {name}, {column}")
        for name, column in (
            ("channel", "channel"),
            ("broken", "eligible"),
            ("column", "eligible"),
            ("others", "eligible"),
            ("reading", "eligible"),
            ("types", "eligible"),
        )
    ]


def test_check_refuses_what_only_the_night_refused_after_scoring(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toml = tmp_path / "churnrisk.toml"
    plain = (
        '[sources.customers]\npath = "customers.csv"\nextracted_on = 2026-04-01\n'
        '[sources.offers]\npath = "offers.csv"\n'
        "[privacy]\nmissing_consent = true\n"
    )
    toml.write_text(plain)
    (tmp_path / "customers.csv").write_text("customer_id,joined_on\na,2024-01-01\nb,2024-01-01\n")
    (tmp_path / "offers.csv").write_text("offer_id,name,eligible\nten,Ten off,risk >\n")
    with pytest.raises(ContractError, match="offers, offer ten, eligible"):
        churnrisk.open(tmp_path).check("2026-03-30")
    toml.write_text(plain + "[contacts]\ncapacity = { emial = 5 }\n")
    with pytest.raises(ConfigError, match="Did you mean 'email'"):
        churnrisk.open(tmp_path).check("2026-03-30")
    assert run(["-w", str(tmp_path), "check", "--as-of", "2026-03-30"]) == ConfigError.exit_code
    assert "emial" in capsys.readouterr().err
