"""A retention programme in the simulated telco: whom it picks, whom it leaves alone, and that it works."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from churnrisk.errors import UsageError
from churnrisk.simulate import Programme, World, WorldSettings, simulate, workspace_config

PLAN = Programme(weekly_share=0.03, control_share=0.4, hazard_ratio=0.2, revoked_share=0.8)
SMALL = WorldSettings(customers=3_000, days=300, calls_per_day=0.05, monthly_churn=0.04, seed=3)


def settings(programme: Programme | None) -> WorldSettings:
    return WorldSettings(
        customers=SMALL.customers,
        days=SMALL.days,
        calls_per_day=SMALL.calls_per_day,
        monthly_churn=SMALL.monthly_churn,
        seed=SMALL.seed,
        programme=programme,
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return simulate(tmp_path_factory.mktemp("world"), settings(PLAN))


@pytest.fixture(scope="module")
def actions(world: World) -> pl.DataFrame:
    """Treatments beside the fate of their customers."""
    found = pl.read_csv(
        world.paths["treatments"], try_parse_dates=True, schema_overrides={"customer_id": pl.String}
    )
    fate = pl.read_parquet(world.truth_paths["people"])
    return found.join(fate, on="customer_id", how="left", maintain_order="left").with_columns(
        is_control=pl.col("offer_id") == "control", day=pl.col("at").dt.date()
    )


def test_a_world_without_a_programme_has_no_treatments() -> None:
    plain = settings(None)
    assert "treatments" not in plain.tables
    assert "treatments" not in workspace_config(plain)
    assert "programme" not in plain.as_plain()
    assert "[sources.treatments]" in workspace_config(settings(PLAN))


def test_controls_are_the_share_that_their_propensity_says(actions: pl.DataFrame) -> None:
    share = actions["is_control"].mean()
    assert isinstance(share, float)
    assert abs(share - PLAN.control_share) < 4 * (0.24 / actions.height) ** 0.5
    assert actions.filter("is_control")["propensity"].unique().to_list() == [PLAN.control_share]
    assert actions.filter(~pl.col("is_control"))["propensity"].unique().to_list() == [1 - PLAN.control_share]
    assert actions.filter("is_control")["accepted"].null_count() == actions["is_control"].sum()


def test_nobody_is_picked_again_while_an_action_lasts(actions: pl.DataFrame) -> None:
    days = actions.sort("customer_id", "at").with_columns(
        wait=(pl.col("at") - pl.col("at").shift().over("customer_id")).dt.total_days()
    )
    assert days["wait"].drop_nulls().min() >= PLAN.lasting_weeks * 7 - 1  # type: ignore[operator]
    assert not actions["treatment_id"].is_duplicated().any()


def test_only_customers_of_whom_no_leaving_is_known_are_picked(actions: pl.DataFrame) -> None:
    assert (actions["left_on"].is_null() | (actions["left_on"] >= actions["day"])).all()
    assert (actions["left_known_on"].is_null() | (actions["left_known_on"] >= actions["day"])).all()
    assert (actions["joined_on"] <= actions["day"]).all()


def test_an_action_keeps_customers_and_being_left_alone_does_not(actions: pl.DataFrame) -> None:
    soon = actions.with_columns(
        leaves=((pl.col("left_on") - pl.col("day")).dt.total_days() <= 60).fill_null(value=False)
    )
    rates = dict(soon.group_by("is_control").agg(pl.col("leaves").mean()).iter_rows())
    assert rates[True] > 1.8 * rates[False]


def test_those_who_are_picked_were_likelier_to_leave(actions: pl.DataFrame, world: World) -> None:
    alone = actions.filter("is_control", pl.col("left_on").is_not_null()).height / actions["is_control"].sum()
    assert alone > world.truth["leavers"] / world.truth["customers_ever"]


def test_the_same_settings_give_the_same_actions(tmp_path: Path, world: World) -> None:
    again = simulate(tmp_path / "again", settings(PLAN))
    assert again.paths["treatments"].read_bytes() == world.paths["treatments"].read_bytes()


@pytest.mark.parametrize(
    "name", ["weekly_share", "control_share", "revoked_share", "accepted_share", "hazard_ratio"]
)
def test_shares_outside_their_limits_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"programme.{name}"):
        settings(replace(PLAN, **{name: 1.2}))  # type: ignore[arg-type]
