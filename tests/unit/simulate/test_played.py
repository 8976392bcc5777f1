"""A world that goes on only as far as it is told: asking and offering do what was planted, and nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from churnrisk.errors import UsageError
from churnrisk.simulate import Programme, WorldSettings, simulate
from churnrisk.simulate.effects import Effect, Effects
from churnrisk.simulate.played import Played

SMALL = WorldSettings(customers=2_000, days=140, calls_per_day=0.05, monthly_churn=0.04, seed=5)
NOTHING = Effects(offers={"discount10": Effect()}, asked=0.0)


@contextmanager
def played(folder: Path, effects: Effects = NOTHING, settings: WorldSettings = SMALL) -> Iterator[Played]:
    with Played(folder, settings, effects) as world:
        yield world


def table(folder: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(folder / name / "*.parquet")


def everybody(folder: Path) -> pl.DataFrame:
    return (
        table(folder, "customers")
        .filter(pl.col("left_on").is_null())
        .select(pl.col("customer_id").unique())
        .sort("customer_id")
    )


def test_lived_in_pieces_it_is_the_world_that_is_written_at_once(tmp_path: Path) -> None:
    formats = dict.fromkeys(SMALL.tables, "parquet")
    simulate(tmp_path / "whole", replace(SMALL, file_format=formats))  # type: ignore[arg-type]
    with played(tmp_path / "parts") as world:
        for day in (7, 70, 140):
            world.live(day)
        world.extract()
    for name in ("customers", "interactions", "events", "usage", "offers"):
        # calls are drawn by the pieces lived, and minutes are those of the calls
        parts, whole = (
            table(tmp_path / way, name).drop("minutes", strict=False) for way in ("parts", "whole")
        )
        assert parts.equals(whole), name


def test_what_is_extracted_is_what_was_known_that_evening(tmp_path: Path) -> None:
    with played(tmp_path) as world:
        world.live(70)
        world.extract()
        early = table(tmp_path, "customers")
        today = world.today
        for column in ("left_known_at", "valid_from"):
            assert (early[column].drop_nulls() <= today).all(), column
        for name, column in (
            ("interactions", "at"),
            ("events", "at"),
            ("calls", "started_at"),
            ("surveys", "invited_at"),
        ):
            assert (table(tmp_path, name)[column].dt.date() <= today).all(), name
        world.live(140)
        world.extract()
    later = table(tmp_path, "customers").filter(pl.col("valid_from") <= today)
    assert set(early["customer_id"]) <= set(later["customer_id"])


def test_a_day_that_ends_no_week_is_refused(tmp_path: Path) -> None:
    with played(tmp_path) as world:
        for day in (3, 147):
            with pytest.raises(UsageError, match="multiple of 7"):
                world.live(day)
        world.live(14)
        with pytest.raises(UsageError):
            world.live(7)


def test_a_world_with_a_programme_of_its_own_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="somebody outside"):
        Played(tmp_path, replace(SMALL, programme=Programme()))


def test_some_of_those_asked_answer_each_once_and_only_once_it_has_come(tmp_path: Path) -> None:
    with played(tmp_path) as world:
        world.live(70)
        world.extract()
        asked = everybody(tmp_path).with_columns(invitation_id="a-" + pl.col("customer_id"))
        world.ask(asked)
        assert world.answers().is_empty()
        today = world.today
        world.live(77)
        first, again = world.answers(), world.answers()
        world.live(105)
        late = world.answers()
    assert again.is_empty()
    found = pl.concat([first, late])
    assert first.height > late.height > 0
    assert found["invitation_id"].is_unique().all()
    assert (found["invitation_id"] == "a-" + found["customer_id"]).all()
    assert 0.15 < found.height / asked.height < 0.45
    assert found["score"].is_between(0, 10).all()
    assert first["answered_at"].dt.date().is_between(today, today + timedelta(days=7)).all()


def test_who_answers_low_leaves_more_often(tmp_path: Path) -> None:
    settings = replace(SMALL, customers=6_000)
    with played(tmp_path, settings=settings) as world:
        world.live(35)
        world.extract()
        asked = everybody(tmp_path).with_columns(invitation_id="a" + pl.col("customer_id"))
        world.ask(asked)
        world.live(49)
        answers = world.answers()
        hazard = world.monthly_hazard(answers["customer_id"])
    low = answers["score"].to_numpy() <= 6
    assert hazard[low].mean() > 1.3 * hazard[~low].mean()


def test_an_offer_does_what_was_planted(tmp_path: Path) -> None:
    strong = Effects(offers={"discount10": Effect(base=-1.5, taken=50.0, lasting_weeks=30)}, asked=0.0)
    settings = replace(SMALL, customers=8_000, days=182)
    with played(tmp_path, strong, settings) as world:
        world.live(56)
        world.extract()
        all_ = everybody(tmp_path)
        half = all_.with_columns(
            offer_id=pl.when(pl.col("customer_id").hash(1) % 2 == 0)
            .then(pl.lit("discount10"))
            .otherwise(pl.lit("control")),
            treatment_id="t" + pl.col("customer_id"),
        )
        made = world.offer(half)
        world.live(182)
        world.extract()
    left = (
        table(tmp_path, "customers").group_by("customer_id").agg(left=pl.col("left_on").is_not_null().any())
    )
    share = made.join(left, on="customer_id").group_by("offer_id").agg(pl.col("left").mean(), n=pl.len())
    treated, control = (share.filter(offer_id=name)["left"].item() for name in ("discount10", "control"))
    # those who had decided before leave all the same: the ratio of all leavers lies between exp(-1.5) and 1
    assert float(treated) < 0.65 * float(control)
    assert made.filter(offer_id="control")["accepted"].null_count() == (made["offer_id"] == "control").sum()
    # nearly all, as some leave on the very day
    offered = made.filter(offer_id="discount10")
    assert offered.filter("accepted").height > 0.99 * offered.height


def test_an_offer_that_nobody_planted_is_refused(tmp_path: Path) -> None:
    with played(tmp_path) as world:
        world.live(7)
        with pytest.raises(UsageError, match="gold"):
            world.offer(
                pl.DataFrame({"treatment_id": ["1"], "customer_id": ["000001"], "offer_id": ["gold"]})
            )


def test_the_true_effect_is_that_of_takers_and_others_together(tmp_path: Path) -> None:
    mixed = Effects(offers={"discount10": Effect(base=-1.0, taken=0.0, reminder=0.0)}, asked=0.0)
    with played(tmp_path, mixed) as world:
        world.live(35)
        world.extract()
        ids = everybody(tmp_path)["customer_id"]
        found = world.true_log_ratios(ids, "discount10")
        hazard = world.monthly_hazard(ids)
    # half of them take it: .5 exp(-1) + .5; those without a reason to leave feel nothing
    expected = float(np.log(0.5 * np.exp(-1.0) + 0.5))
    assert np.isclose(found, expected).mean() + np.isclose(found, 0.0).mean() == 1.0
    assert np.isclose(found, expected).mean() > 0.5
    assert 0 < hazard.mean() < 0.1


def test_being_asked_works_as_planted_and_beside_an_offer(tmp_path: Path) -> None:
    both = Effects(offers={"discount10": Effect(base=-0.5, taken=50.0)}, asked=-0.2, asked_weeks=4)
    with played(tmp_path, both) as world:
        world.live(35)
        world.extract()
        all_ = everybody(tmp_path)
        world.ask(all_.with_columns(invitation_id="a" + pl.col("customer_id")))
        world.offer(
            all_.with_columns(offer_id=pl.lit("discount10"), treatment_id="t" + pl.col("customer_id"))
        )
        world.live(42)
        play = world._play
        ratio = np.log(play.course.protection(np.flatnonzero(play.course.is_customer(42)), 42))
    assert {round(each, 6) for each in ratio.tolist()} <= {0.0, -0.2, -0.7}
    assert (np.round(ratio, 6) == -0.7).mean() > 0.5


def test_the_toll_counts_customers_leavers_and_months(tmp_path: Path) -> None:
    with played(tmp_path) as world:
        world.live(140)
        found = world.toll(49)
        fates = world._play.course.left
    assert found.leavers == int(((fates >= 49) & (fates < 140)).sum())
    assert abs(found.customers - SMALL.customers) < 0.05 * SMALL.customers
    assert abs(found.customer_months / (SMALL.customers * 91 / 30.4375) - 1) < 0.05


def test_by_person_two_worlds_part_only_where_something_was_done(tmp_path: Path) -> None:
    # nobody's leaving touches others here, so all who were not called have the same fate in both worlds
    settings = replace(SMALL, customers=4_000, contagion=1.0)
    strong = Effects(offers={"call": Effect(base=-1.8, most=1.8, taken=9.0, lasting_weeks=20)}, asked=0.0)
    fates = []
    for way in ("with", "without"):
        with Played(tmp_path / way, settings, strong, by_person=True) as world:
            world.live(35)
            world.extract()
            called = everybody(tmp_path / way)["customer_id"].gather_every(2)
            if way == "with":
                made = pl.DataFrame({"treatment_id": called, "customer_id": called}).with_columns(
                    offer_id=pl.lit("call")
                )
                world.offer(made)
            world.live(140)
            course = world._play.course
            fates.append((course.left.copy(), course.mood.copy(), course.pain.copy()))
            numbers = world._positions(called)
    others = np.setdiff1d(np.arange(fates[0][0].size), numbers)
    for with_it, without in zip(*fates, strict=True):
        assert np.array_equal(with_it[others], without[others])
    left = [(each[0][numbers] < 140) for each in fates]
    assert left[0].sum() < 0.6 * left[1].sum()
    # nobody is driven away by what only helps
    assert not (left[0] & ~left[1]).any()
