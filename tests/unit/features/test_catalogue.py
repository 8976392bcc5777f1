"""The catalogue: every column has an entry, families are found by their members, the documentation shows all."""

import re
from pathlib import Path

import pytest

from churnrisk.store import Engine
from churnrisk.store.statements import Statement, StatementError
from features import catalogue, catalogue_markdown
from features.catalogue import catalogue_of
from features.entry import AVAILABILITY, GROUPS
from features.ties import tie_feature_names
from tests.spec.features.drawn import features_of, lake
from tests.spec.features.test_answers_service_usage_events import CONTACTS, EVENTS, FOUR, SURVEYS, USAGE
from tests.spec.features.test_calls import CALLS


def test_every_column_of_the_feature_table_has_a_complete_entry(tmp_path: Path) -> None:
    tables = lake(
        tmp_path,
        customers=FOUR.replace("may_use_answers", "may_use_answers | attribute_plan")
        .replace("yes", "yes | S")
        .replace("no\n", "no | M\n"),
        calls=CALLS,
        surveys=SURVEYS,
        interactions=CONTACTS,
        usage=USAGE,
        events=EVENTS,
    )
    with Engine() as engine:
        found = features_of(engine, tables)
    assert len(found.names) > 100
    for name in found.names:
        entry = catalogue()[name]
        assert entry.name == name
        assert entry.group in GROUPS
        assert entry.source in AVAILABILITY
        assert entry.unit
        assert entry.null_meaning
        assert entry.label
        assert "{" not in entry.label


def test_members_of_a_family_take_its_entry_under_their_own_name() -> None:
    entry = catalogue()["usage_data_mb_last_age_days"]
    assert (entry.name, entry.label, entry.group) == (
        "usage_data_mb_last_age_days",
        "age of the latest data_mb",
        "usage",
    )
    assert catalogue()["event_应用卸载_n_90d"].label == "应用卸载 in 90 days"
    assert catalogue()["attribute_Contract type"].label == "Contract type"
    assert catalogue().find("nobody_made_this") is None


def test_a_column_without_an_entry_is_refused_by_name() -> None:
    head = "-- output: extra\n-- grain: customer_key\n-- reads: population\n-- parameters:\n-- columns:\n"
    columns = "--   customer_key | key\n--   novelty | things | never null\n"
    text = head + columns + "select customer_key, 1 as novelty from population\n"
    with pytest.raises(StatementError, match="none for novelty"):
        catalogue_of({"extra": Statement.parse(text, "extra")})


def test_ties_have_the_entries_of_their_own_list() -> None:
    assert {catalogue()[name].group for name in tie_feature_names()} == {"network"}
    assert catalogue()["churn_exposure_share_30d"].reading == "higher is worse"


def test_the_documentation_lists_every_feature_once_under_its_group() -> None:
    text = catalogue_markdown()
    listed = re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)
    assert listed == [feature.name for feature in catalogue()]
    assert len(listed) == len(set(listed))
    assert all(f"(`{group}`)" in text for group in GROUPS)
