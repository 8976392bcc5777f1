"""Whether the planted contagion can be measured in who leaves, and is absent where none was planted."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log, sqrt
from typing import NamedTuple

import polars as pl
import pytest

from churnrisk.simulate import Mechanism, World, WorldSettings, simulate


class Ratio(NamedTuple):
    low: float
    ratio: float
    high: float


@pytest.fixture(scope="module")
def world_with(tmp_path_factory: pytest.TempPathFactory) -> Callable[[float, float], World]:
    made: dict[tuple[float, float], World] = {}

    def make(contagion: float, homophily: float) -> World:
        if (contagion, homophily) not in made:
            settings = WorldSettings(
                customers=15_000,
                days=240,
                seed=11,
                contagion=contagion,
                homophily=homophily,
                calls_per_day=0.01,
                mechanism=Mechanism(trait=1.0),
            )
            made[contagion, homophily] = simulate(tmp_path_factory.mktemp("contagion"), settings)
        return made[contagion, homophily]

    return make


def ratio_of_leaving(world: World, strata: list[str]) -> Ratio:
    """Mantel-Haenszel risk ratio of deciding within four weeks, with against without a recently churned strong friend.

    99 % interval after Greenland & Robins 1985.
    """
    people = pl.read_parquet(world.truth_paths["people"]).select("customer_id", "decided_on")
    months = pl.read_parquet(world.truth_paths["hazard"]).join(people, on="customer_id")
    table = (
        months.with_columns(
            is_exposed=pl.col("n_recent_strong_leavers") > 0,
            leaves=(pl.col("decided_on") - pl.col("day"))
            .dt.total_days()
            .is_between(0, 27)
            .fill_null(value=False),
            others=((pl.col("log_hazard") - pl.col("contagion")) * 4).round(0),
            is_newcomer=pl.col("newcomer") > 0.1,
        )
        .group_by(*strata, "is_exposed")
        .agg(pl.col("leaves").sum(), pl.len().alias("n"))
    )
    top = bottom = spread = 0.0
    for _, stratum in table.group_by(strata):
        rows = {row["is_exposed"]: (row["leaves"], row["n"]) for row in stratum.iter_rows(named=True)}
        if len(rows) < 2:
            continue
        (a, n1), (c, n0) = rows[True], rows[False]
        n = n1 + n0
        top += a * n0 / n
        bottom += c * n1 / n
        spread += (n1 * n0 * (a + c) - a * c * n) / n**2
    half = 2.576 * sqrt(spread / (top * bottom))
    middle = log(top / bottom)
    return Ratio(exp(middle - half), exp(middle), exp(middle + half))


ALIKE = ["day", "others"]
"""The same month, and equal in all causes but contagion, the trait included."""


def test_with_contagion_customers_with_a_churned_strong_friend_leave_more_often_than_others_like_them(
    world_with: Callable[[float, float], World],
) -> None:
    found = ratio_of_leaving(world_with(2.5, 0.0), ALIKE)
    # A little below 2.5, for some friends' leaving fades within the four weeks; above it, for some have two.
    assert found.low > 1.8
    assert found.low < 2.5 < found.high * 1.2


def test_without_contagion_and_homophily_they_do_not(world_with: Callable[[float, float], World]) -> None:
    found = ratio_of_leaving(world_with(1.0, 0.0), ALIKE)
    assert found.low < 1 < found.high
    assert found.high < 1.5


def test_homophily_alone_looks_like_contagion_until_the_trait_is_held_equal(
    world_with: Callable[[float, float], World],
) -> None:
    world = world_with(1.0, 0.6)
    # Newcomers have had no time to lose a friend and leave more often: that hides homophily, so it is held equal.
    naive, alike = ratio_of_leaving(world, ["day", "is_newcomer"]), ratio_of_leaving(world, ALIKE)
    assert naive.low > 1
    assert alike.low < 1 < alike.high
