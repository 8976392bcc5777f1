"""Small worlds, each made once a session."""

from __future__ import annotations

import pytest

from churnrisk.simulate import World, WorldSettings, simulate

SMALL = WorldSettings(customers=1_500, days=210, seed=7, calls_per_day=0.8, contagion=2.5)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return simulate(tmp_path_factory.mktemp("world"), SMALL)
