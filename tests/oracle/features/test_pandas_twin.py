"""Every feature of simulated telcos, against the same table written in pandas from the same source files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from churnrisk.api import ChurnWorkspace, open_workspace
from churnrisk.simulate import WorldSettings, simulate, workspace_config
from tests.bench.pandas_night import When, feature_table
from tests.bench.same_tables import differences

DAYS = 260
IN_A_WAVE = "2026-06-08"
"""Relationship answers of the last week are there: detractors in every window."""
SETTINGS = WorldSettings(
    customers=500,
    days=DAYS,
    calls_per_day=1.0,
    response_rate=0.7,
    monthly_churn=0.06,
    end_on=date(2026, 6, 30),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    simulate(folder / "data", SETTINGS)
    return folder


@pytest.fixture(scope="module")
def rough_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rough")
    simulate(folder / "data", SETTINGS)
    roughen(folder / "data")
    return folder


def opened(folder: Path, zone: str) -> ChurnWorkspace:
    settings = workspace_config(SETTINGS).replace('zone = "UTC"', f'zone = "{zone}"')
    (folder / "churnrisk.toml").write_text(f"{settings}\n[quality]\nmax_bad_share = 0.5\n", "utf-8")
    return open_workspace(folder)


def assert_twins(folder: Path, day: str, zone: str) -> None:
    ours = opened(folder, zone).features(day)
    theirs = pl.DataFrame(feature_table(folder / "data", When(day, zone, DAYS)))
    assert differences(ours, theirs) == []


def test_a_world_as_simulated_at_its_last_day(world: Path) -> None:
    assert_twins(world, "2026-06-30", "UTC")


@pytest.mark.parametrize(
    ("day", "zone"),
    [("2026-04-20", "Europe/Berlin"), ("2026-05-31", "Asia/Kathmandu"), (IN_A_WAVE, "America/St_Johns")],
)
def test_a_rough_world_at_days_in_its_past_across_changes_of_the_clock(
    rough_world: Path, day: str, zone: str
) -> None:
    assert_twins(rough_world, day, zone)


def roughen(data: Path) -> None:
    """Give a simulated world what real extracts have: gaps, repeats, strangers, people who came back or refused."""
    rng = np.random.default_rng(7)
    rewrite(data / "customers.csv", lambda rows: came_back(refusing(rng, rows)))
    emptied = {
        "surveys": ["score", "comment", "occasion"],
        "interactions": ["topic", "wait_s", "transfers", "repeated", "resolved", "abandoned"],
        "usage": ["data_mb", "days_late", "minutes"],
        "events": ["value"],
    }
    for table, names in emptied.items():
        rewrite(data / f"{table}.csv", lambda rows, names=names: repeated(with_gaps(rng, rows, names)))  # type: ignore[misc]
    for part in sorted((data / "calls").glob("*.parquet")):
        rough_calls(pl.read_parquet(part)).write_parquet(part)


def rewrite(path: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    change(pl.read_csv(path, infer_schema=False)).write_csv(path)


def with_gaps(rng: np.random.Generator, rows: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """A fifth of the values of some columns missing."""
    kept = {name: pl.Series(rng.random(rows.height) > 0.2) for name in names}
    return rows.with_columns(pl.when(kept[name]).then(pl.col(name)).alias(name) for name in names)


def repeated(rows: pl.DataFrame) -> pl.DataFrame:
    """Some rows twice, and some of strangers."""
    strangers = rows.gather_every(23).with_columns(customer_id=pl.lit("stranger"))
    numbers = [name for name in ("invitation_id", "interaction_id") if name in rows.columns]
    strangers = strangers.with_columns(pl.format("x{}", name).alias(name) for name in numbers)
    return pl.concat([rows, rows.gather_every(19), strangers])


def refusing(rng: np.random.Generator, rows: pl.DataFrame) -> pl.DataFrame:
    """Consents that change with the version, free customers, and leavers nobody dated the news of."""
    draw = pl.Series(rng.random(rows.height))
    return rows.with_columns(
        may_use_calls=pl.when(draw < 0.06).then(pl.lit("false")).otherwise("may_use_calls"),
        may_use_answers=pl.when(draw > 0.93).then(pl.lit("false")).otherwise("may_use_answers"),
        monthly_value=pl.when((draw > 0.3) & (draw < 0.33)).then(pl.lit("0")).otherwise("monthly_value"),
        left_known_at=pl.when(~pl.col("customer_id").str.ends_with("3")).then("left_known_at"),
    )


def came_back(rows: pl.DataFrame) -> pl.DataFrame:
    """Some who left have a version after it, and have not left by that one."""
    back = rows.filter(pl.col("left_on").is_not_null() & pl.col("customer_id").str.contains("[24]$"))
    back = back.unique("customer_id", keep="last", maintain_order=True)
    later = pl.col("left_on").str.to_date().dt.offset_by("9d").cast(pl.String)
    nothing = {name: pl.lit(None, pl.String) for name in ("left_on", "left_known_at", "left_reason")}
    return pl.concat([rows, back.with_columns(later.alias("valid_from")).with_columns(**nothing)])


def rough_calls(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows told twice, longer the second time, or to oneself."""
    again = rows.gather_every(31)
    longer = rows.gather_every(37).with_columns(pl.col("duration_s") + 300)
    to_oneself = rows.gather_every(101).with_columns(callee_id=pl.col("caller_id"))
    return pl.concat([rows, again, longer, to_oneself])


def test_the_rough_world_moves_every_feature(rough_world: Path) -> None:
    frame = opened(rough_world, "UTC").features(IN_A_WAVE)
    still = [name for name in frame.columns if frame[name].drop_nulls().n_unique() < 2]
    assert still == []


def test_a_difference_is_found_in_numbers_texts_nulls_columns_and_rows() -> None:
    one = pl.DataFrame(
        {"customer_id": ["a", "b"], "n": [1, 2], "x": [1.0, None], "t": ["u", None]},
        schema_overrides={"n": pl.Int64, "x": pl.Float64, "t": pl.String},
    )
    assert differences(one, one.with_columns(x=pl.col("x") * (1 + 1e-10))) == []
    assert differences(one, one.with_columns(x=pl.col("x") * (1 + 1e-8))) == [
        "x: 1 of 2, first a: 1.0 and 1.00000001"
    ]
    assert differences(one, one.with_columns(x=pl.col("x").fill_null(0))) == [
        "x: 1 of 2, first b: None and 0.0"
    ]
    assert differences(one, one.with_columns(n=pl.Series([1, 3]))) == ["n: 1 of 2, first b: 2 and 3"]
    assert differences(one, one.with_columns(t=pl.lit("u"))) == ["t: 1 of 2, first b: None and u"]
    assert differences(one, one.drop("t")) == ["column t is only ours"]
    assert differences(one, one.head(1)) == ["other customers: 2 and 1"]
