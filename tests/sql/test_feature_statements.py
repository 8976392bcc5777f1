"""Every SQL file of features, run on a world with all sources, is what its head says: columns, grain, nulls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from churnrisk.config import ChurnSettings
from churnrisk.store import Engine
from churnrisk.store.statements import statements_in
from churnrisk.tables.lake import LakeTables
from features import catalogue
from features.catalogue import feature_columns
from features.running import prepared
from features.ties.rules import TieRules
from tests.oracle.features.test_features_against_plain_loops import AS_OF, CUSTOMERS, random_sources
from tests.spec.features.drawn import lake_of, table

STATEMENTS = statements_in("features")
TABLES = sorted(name for name, statement in STATEMENTS.items() if not statement.is_ephemeral)
SPECS = Path(__file__).parents[1] / "spec" / "features"


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> LakeTables:
    sources = random_sources(3)
    customers = "customer_key | left_at\n" + "\n".join(
        f"{key} | {'2026-04-10' if key < 3 else ''}" for key in CUSTOMERS
    )
    events = "customer_key | at | event\n" + "\n".join(
        f"{key} | 2026-04-{key % 28 + 1:02d} | login" for key in CUSTOMERS
    )
    contacts = "customer_key | at | topic | wait_s\n" + "\n".join(
        f"{key} | 2026-04-05 | bill | {key}" for key in CUSTOMERS
    )
    drawn = {"events": table("events", events), "interactions": table("interactions", contacts)}
    return lake_of(tmp_path_factory.mktemp("lake"), {"customers": customers, **sources, **drawn})


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(threads=2) as opened:
        yield opened


@pytest.mark.parametrize("name", TABLES)
def test_a_statement_gives_the_columns_grain_and_nulls_of_its_head(
    engine: Engine, tables: LakeTables, name: str
) -> None:
    statement = STATEMENTS[name]
    rules = TieRules(max_partners=1) if name == "hubs" else None
    with prepared(engine, tables, AS_OF, ChurnSettings.model_validate({}), rules=rules) as running:
        assert running.make(name)
        rows = running.rows(name)
    assert rows.columns == [column.name for column in statement.columns]
    assert rows.height > 0
    assert rows.select(statement.grain).is_duplicated().sum() == 0
    never_null = [c.name for c in statement.columns if c.unit == "key" or c.null_meaning == "never null"]
    assert {column: rows[column].null_count() for column in never_null} == dict.fromkeys(never_null, 0)
    assert not [column for column, kind in rows.schema.items() if str(kind).startswith("Decimal")]


@pytest.mark.parametrize("name", [name for name in TABLES if feature_columns(STATEMENTS[name])])
def test_catalogue_and_heads_agree(name: str) -> None:
    for feature, column in feature_columns(STATEMENTS[name]).items():
        entry = (
            catalogue()[feature]
            if "{" not in feature
            else catalogue().find(feature.replace("{", "").replace("}", ""))
        )
        assert entry is not None
        assert (entry.unit, entry.null_meaning) == (column.unit, column.null_meaning)


def test_the_point_in_time_filter_of_a_source_stands_in_one_file() -> None:
    filters = {source: f"known_{source}" for source in ("surveys", "interactions", "usage", "events")} | {
        "calls": "seen_calls"
    }
    # up to when calls have come at all is asked without a window
    windowless = {"calls": ["call_supply"]}
    for source, name in filters.items():
        readers = [reader for reader, statement in STATEMENTS.items() if source in statement.reads]
        assert sorted(readers) == sorted([name, *windowless.get(source, [])])
        for reader in readers:
            assert re.search(r"known_at < \$as_of", STATEMENTS[reader].sql)
        assert "$history_from" in STATEMENTS[name].sql
    readers = [name for name, statement in STATEMENTS.items() if "customers" in statement.reads]
    assert sorted(readers) == ["consents", "customer_versions"]


def test_every_feature_is_named_in_a_spec_with_numbers_worked_by_hand() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in SPECS.glob("test_*.py"))
    words = set(re.findall(r"\w+", text))
    measured = {
        name for statement in STATEMENTS.values() for name in feature_columns(statement) if "{" not in name
    }
    built_by_pattern = {f"share_calls_{word}_90d" for word in words} | {
        f"n_contacts_{word}_90d" for word in words
    }
    assert measured - words - built_by_pattern == set()
