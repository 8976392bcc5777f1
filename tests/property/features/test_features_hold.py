"""What may never move a feature: later knowledge, the order of rows, names, and who else is computed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import polars.selectors as cs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from churnrisk.config import ChurnSettings
from churnrisk.store import Engine
from features import FeatureSet, build
from tests.property.features.worlds import (
    AS_OF,
    N_CUSTOMERS,
    World,
    late_news,
    shuffled,
    with_news,
    without_news,
    worlds,
)
from tests.spec.features.drawn import written

# A build takes a fifth of a second: a counterexample is shown as found, for shrinking one would take many minutes.
FEW = settings(
    max_examples=10,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
CHURNS = st.sampled_from(
    [
        ChurnSettings.model_validate({}),
        ChurnSettings.model_validate(
            {
                "kind": "inactive",
                "inactive_days": 30,
                "activity": ["calls", "usage", "events", "interactions"],
            }
        ),
    ]
)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(threads=2) as opened:
        yield opened


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lake")


def of(
    engine: Engine, folder: Path, world: World, churn: ChurnSettings, names: list[str] | None = None
) -> FeatureSet:
    return build(engine, written(folder, world, constant=["size"]), AS_OF, churn, customers=names)


def assert_same(one: FeatureSet, other: FeatureSet) -> None:
    assert_frame_equal(one.frame, other.frame, check_exact=True)
    assert one.network is not None
    assert other.network is not None
    assert_frame_equal(one.network, other.network, check_exact=True)


@FEW
@given(world=worlds(), news=late_news(), churn=CHURNS)
def test_whatever_becomes_known_later_leaves_every_bit_as_it_is(
    engine: Engine, folder: Path, world: World, news: World, churn: ChurnSettings
) -> None:
    found = of(engine, folder, world, churn)
    assert_same(of(engine, folder, with_news(world, news), churn), found)


@FEW
@given(world=worlds(), churn=CHURNS)
def test_taking_away_what_became_known_later_leaves_every_bit_as_it_is(
    engine: Engine, folder: Path, world: World, churn: ChurnSettings
) -> None:
    found = of(engine, folder, world, churn)
    assert_same(of(engine, folder, without_news(world), churn), found)


@FEW
@given(world=worlds(), churn=CHURNS, seed=st.integers(0, 1 << 16))
def test_the_order_of_rows_changes_no_bit(
    engine: Engine, folder: Path, world: World, churn: ChurnSettings, seed: int
) -> None:
    found = of(engine, folder, world, churn)
    assert_same(of(engine, folder, shuffled(world, seed), churn), found)


@FEW
@given(world=worlds(), churn=CHURNS, order=st.permutations(range(N_CUSTOMERS)))
def test_renaming_customers_moves_their_rows_and_nothing_else(
    engine: Engine, folder: Path, world: World, churn: ChurnSettings, order: list[int]
) -> None:
    found = of(engine, folder, world, churn)
    names = pl.DataFrame(
        {"customer_key": range(N_CUSTOMERS), "customer_id": [f"n{place}" for place in order]}
    )
    renamed = of(engine, folder, {**world, "keys": names}, churn)
    # communities are found in the order of the ids
    by_order = r"^customer_id$|community"
    plain, moved = (set_.frame.sort("customer_key").drop(cs.matches(by_order)) for set_ in (found, renamed))
    assert_frame_equal(moved, plain, check_exact=False, abs_tol=1e-9, rel_tol=1e-9)


@FEW
@given(world=worlds(), churn=CHURNS, chosen=st.sets(st.integers(0, N_CUSTOMERS - 1), min_size=1))
def test_some_customers_computed_alone_equal_the_same_computed_with_all(
    engine: Engine, folder: Path, world: World, churn: ChurnSettings, chosen: set[int]
) -> None:
    names = [f"c{key}" for key in sorted(chosen)]
    alone = of(engine, folder, world, churn, names)
    everybody = of(engine, folder, world, churn).frame
    assert_frame_equal(alone.frame, everybody.filter(pl.col("customer_id").is_in(names)), check_exact=True)
