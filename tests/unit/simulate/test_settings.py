from __future__ import annotations

import json
from datetime import date

import pytest

from churnrisk.errors import UsageError
from churnrisk.simulate import WorldSettings, reference_world
from churnrisk.simulate.settings import LIMITS


def test_the_last_day_is_fixed_so_that_a_world_does_not_depend_on_when_it_is_made() -> None:
    assert WorldSettings().end_on == date(2026, 6, 30)


@pytest.mark.parametrize("name", LIMITS)
def test_each_number_is_refused_just_outside_its_limits(name: str) -> None:
    low, high = LIMITS[name]
    for outside in (low - 1, high + 1):
        with pytest.raises(UsageError, match=f"simulate {name}"):
            WorldSettings(**{name: outside})  # type: ignore[arg-type]


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        WorldSettings(contagion=9, homophily=0.9, file_format={"calls": "xml", "truth": "csv"})  # type: ignore[dict-item]
    places = [fault.where for fault in caught.value.faults]
    assert places == [
        "simulate contagion",
        "simulate homophily",
        "simulate file_format[calls]",
        "simulate file_format",
    ]
    assert {fault.code for fault in caught.value.faults} == {"world_impossible"}


def test_more_ties_than_a_community_can_hold_are_refused() -> None:
    with pytest.raises(UsageError, match="at least 32"):
        WorldSettings(mean_degree=20, inside_share=0.8, community_size=20)


def test_the_reference_world_is_the_one_of_the_design() -> None:
    world = reference_world(contagion=2.5, homophily=0.6, seed=3)
    assert (world.customers, world.days, world.seed) == (50_000, 548, 3)
    assert (world.contagion, world.homophily) == (2.5, 0.6)
    assert (world.mean_degree, world.community_size, world.inside_share) == (10, 40, 0.8)
    assert 0.015 <= world.monthly_churn <= 0.025
    assert 0.25 <= world.response_rate <= 0.35


def test_settings_can_be_written_as_json() -> None:
    plain = json.loads(json.dumps(WorldSettings().as_plain()))
    assert plain["end_on"] == "2026-06-30"
    assert plain["file_format"]["calls"] == "parquet"
    assert plain["mechanism"]["trait"] > 0
