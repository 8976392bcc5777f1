"""Pairs put together from what other nights kept are the pairs counted at once, to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from churnrisk.config import ChurnSettings
from churnrisk.dates import AsOf
from churnrisk.store import Engine
from churnrisk.tables.lake import LakeTables
from features.running import prepared
from tests.spec.features.drawn import completed, table, written

ZONE = "Europe/Berlin"
LAST = date(2026, 4, 10)
"""The clock changed on 29 March."""
NOW = AsOf(LAST, ZONE).instant
HOUR = timedelta(hours=1)
N_CUSTOMERS = 4

Call = tuple[int, int, datetime, int | None, int]
"""Caller, callee, begin, seconds, hours until it was known."""

CHURNS = st.sampled_from(
    [
        ChurnSettings.model_validate({}),
        ChurnSettings.model_validate({"history_days": 20}),
        ChurnSettings.model_validate({"kind": "inactive", "inactive_days": 500}),
    ]
)


@st.composite
def calls(draw: st.DrawFn) -> list[Call]:
    begun = st.one_of(st.integers(0, 24 * 130), st.integers(0, 24 * 600)).map(
        lambda hours: NOW - hours * HOUR
    )
    call = st.tuples(
        st.integers(-2, N_CUSTOMERS),
        st.integers(-2, N_CUSTOMERS),
        begun,
        st.one_of(st.none(), st.integers(0, 900)),
        st.sampled_from([0, 0, 0, 1, 30, 24 * 20]),
    )
    return draw(st.lists(call.filter(lambda drawn: drawn[0] != drawn[1]), min_size=1, max_size=30))


@st.composite
def nights(draw: st.DrawFn) -> list[tuple[int, list[Call], bool]]:
    """Days back from the last, the calls in the files that night, and whether customer 1 refuses."""
    whole = draw(calls())
    night = st.tuples(
        st.sampled_from([0, 0, 1, 2, 3, 9, 33, 100]), st.integers(0, len(whole) - 1), st.booleans()
    )
    drawn = draw(st.lists(night, min_size=2, max_size=6))
    days = draw(st.sampled_from([drawn, sorted(drawn, reverse=True)]))
    return [(ago, whole[:-missing] if missing % 3 == 1 else whole, refuses) for ago, missing, refuses in days]


def lake(folder: Path, night: list[Call], *, refuses: bool) -> LakeTables:
    rows = [
        {"caller_key": a, "callee_key": b, "started_at": at, "duration_s": s, "known_at": at + late * HOUR}
        for a, b, at, s, late in night
    ]
    kinds: dict[str, Any] = {
        "duration_s": pl.Int64,
        "started_at": pl.Datetime("us"),
        "known_at": pl.Datetime("us"),
    }
    customers = "customer_key | may_use_calls\n" + "\n".join(
        f"{key} | {'no' if refuses and key == 1 else 'yes'}" for key in range(N_CUSTOMERS)
    )
    keys = pl.DataFrame({"customer_key": range(N_CUSTOMERS)}).with_columns(
        customer_id=pl.col("customer_key").cast(pl.String)
    )
    frame = completed("calls", pl.DataFrame(rows, schema_overrides=kinds))
    return written(folder, {"keys": keys, "customers": table("customers", customers), "calls": frame})


def pairs(engine: Engine, tables: LakeTables, day: date, churn: ChurnSettings) -> pl.DataFrame:
    with prepared(engine, tables, AsOf(day, ZONE), churn) as running:
        assert running.make("call_pairs")
        return running.rows("call_pairs").sort("key_a", "key_b")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(threads=2) as opened:
        yield opened


FEW = settings(
    max_examples=25,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@FEW
@given(nights=nights(), churn=CHURNS)
@example(  # a call over midnight, known the day after; the next night it is there
    nights=[(1, [(0, 1, NOW - 25 * HOUR, 7200, 3)], False), (0, [(0, 1, NOW - 25 * HOUR, 7200, 3)], False)],
    churn=ChurnSettings.model_validate({}),
)
def test_any_nights_in_any_order_give_the_pairs_of_one_count(
    engine: Engine, nights: list[tuple[int, list[Call], bool]], churn: ChurnSettings
) -> None:
    with TemporaryDirectory() as folder:
        kept = Path(folder) / "pairs"
        for ago, night, refuses in nights:
            tables = lake(Path(folder), night, refuses=refuses)
            day = LAST - timedelta(days=ago)
            at_once = pairs(engine, tables, day, churn)
            assert pairs(engine, replace(tables, kept=kept), day, churn).equals(at_once)
            assert not list(kept.glob("*.half"))


@settings(FEW, max_examples=10)
@given(history=calls(), agos=st.lists(st.integers(0, 130), min_size=2, max_size=5, unique=True), churn=CHURNS)
@example(  # known between two snapshots: the earlier one must not know it
    history=[(0, 1, NOW - 40 * 24 * HOUR, 60, 24 * 20)],
    agos=[0, 30, 60],
    churn=ChurnSettings.model_validate({}),
)
def test_snapshots_beside_each_other_know_what_each_would_know_alone(
    engine: Engine, history: list[Call], agos: list[int], churn: ChurnSettings
) -> None:
    dates = [AsOf(LAST - timedelta(days=ago), ZONE) for ago in agos]
    with TemporaryDirectory() as folder:
        tables = lake(Path(folder), history, refuses=False)
        kept = replace(tables, kept=Path(folder) / "pairs", kept_for=tuple(dates))
        for as_of in dates:
            alone = pairs(engine, tables, as_of.day, churn)
            assert pairs(engine, kept, as_of.day, churn).equals(alone)
