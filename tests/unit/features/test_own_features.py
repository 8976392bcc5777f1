"""How a data scientist adds a feature: one SQL file with its entry in the head, or one registered function."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from churnrisk.store import Engine
from churnrisk.store.statements import StatementError
from features import Context, Feature, feature_function
from features.functions import _REGISTER
from features.library import library
from tests.spec.features.drawn import features_of, lake, shown

LATE_NIGHTS = """\
-- output: late_logins
-- grain: customer_key
-- reads: population, known_events
-- parameters: from_7d
-- columns:
--   customer_key | key
--   n_logins_7d | logins | never null | digital | logins in the last week | lower is worse

with members as (
    select customer_key
    from population
),

logins as (
    select
        customer_key,
        count(*) as n_logins
    from known_events
    where event = 'login' and happened_at >= $from_7d
    group by customer_key
),

counted as (
    select
        members.customer_key,
        coalesce(logins.n_logins, 0) as n_logins_7d
    from members
    left join logins on members.customer_key = logins.customer_key
)

select * from counted
"""
EVENTS = "customer_key | at | event\n0 | 2026-03-30 | login\n0 | 2026-03-01 | login\n1 | 2026-03-31 | search"


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine(threads=1) as opened:
        yield opened


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "features"
    folder.mkdir()
    (folder / "late_logins.sql").write_text(LATE_NIGHTS, encoding="utf-8")
    return folder


def test_a_sql_file_in_the_users_folder_becomes_a_feature_with_its_entry(engine: Engine, own: Path) -> None:
    tables = lake(own.parent / "lake", customers="customer_key\n0\n1", events=EVENTS)
    found = features_of(engine, tables, own=own)
    assert shown(found, "n_logins_7d") == [("c0", 1), ("c1", 0)]
    entry = library(own).catalogue["n_logins_7d"]
    assert (entry.group, entry.label, entry.source, entry.unit) == (
        "digital",
        "logins in the last week",
        "events",
        "logins",
    )


def test_a_wrong_group_in_a_head_is_refused_with_the_groups_there_are(own: Path) -> None:
    (own / "late_logins.sql").write_text(LATE_NIGHTS.replace("| digital |", "| website |"), encoding="utf-8")
    with pytest.raises(StatementError, match="one of profile, price, usage"):
        library(own)


@pytest.fixture
def registered() -> Iterator[None]:
    before = dict(_REGISTER)
    entry = Feature(
        "longest_pause_days",
        "digital",
        "events",
        "longest pause between logins",
        unit="days",
        null_meaning="fewer than two events",
    )

    @feature_function(reads=["event_times"], features=[entry])
    def nothing_reads_this(context: Context) -> pl.DataFrame:
        return context.table("event_times")

    @feature_function(reads=["events", "population"], features=[entry])
    def longest_pause(context: Context) -> pl.DataFrame:
        now = context.as_of.instant
        known = context.table("events").filter((pl.col("known_at") < now) & (pl.col("at") < now))
        pauses = known.sort("customer_key", "at").with_columns(pause=pl.col("at").diff().over("customer_key"))
        return pauses.group_by("customer_key").agg(longest_pause_days=pl.col("pause").max().dt.total_days())

    library.cache_clear()
    yield
    _REGISTER.clear()
    _REGISTER.update(before)
    library.cache_clear()


@pytest.mark.usefixtures("registered")
def test_a_registered_function_becomes_a_feature_when_its_tables_are_there(
    engine: Engine, tmp_path: Path
) -> None:
    tables = lake(tmp_path, customers="customer_key\n0\n1", events=EVENTS)
    found = features_of(engine, tables)
    assert shown(found, "longest_pause_days") == [("c0", 29), ("c1", None)]


def test_only_what_is_wanted_is_computed(engine: Engine, tmp_path: Path) -> None:
    tables = lake(tmp_path, customers="customer_key | attribute_plan\n0 | S\n1 | M", events=EVENTS)
    found = features_of(engine, tables, names=["attribute_plan", "event_login_n_30d"])
    assert shown(found, *found.names) == [("c0", 1, "S"), ("c1", 0, "M")]
    assert found.kinds == {"attribute_plan": "category", "event_login_n_30d": "number"}


def test_the_table_has_four_types_and_leaves_nothing_behind(engine: Engine, tmp_path: Path) -> None:
    tables = lake(tmp_path, customers="customer_key | language\n0 | de\n1 | ru", events=EVENTS)
    found = features_of(engine, tables)
    assert set(found.frame.drop("customer_key", "customer_id").dtypes) <= {
        pl.Float64,
        pl.Int64,
        pl.Int8,
        pl.String,
    }
    left = engine.frame("select table_name from information_schema.tables")["table_name"].to_list()
    assert sorted(left) == ["customers", "events", "keys"]


def test_unknown_ids_are_no_rows(engine: Engine, tmp_path: Path) -> None:
    tables = lake(tmp_path, customers="customer_key\n0\n1")
    assert features_of(engine, tables, customers=["c1", "nobody"]).frame["customer_id"].to_list() == ["c1"]


def test_a_lake_without_customers_is_refused(engine: Engine, tmp_path: Path) -> None:
    tables = lake(tmp_path, customers="customer_key\n0")
    without = type(tables)({"keys": tables.paths["keys"]})
    with pytest.raises(StatementError, match="customers and keys"):
        features_of(engine, without)
