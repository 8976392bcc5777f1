"""The SQL of calls, pairs, surveys and usage against plain loops, on random sources in a zone whose clock changes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from churnrisk.dates import AsOf
from churnrisk.store import Engine
from features import FeatureSet
from tests.oracle.features.slow_features import (
    call_features,
    opinions,
    pair_features,
    survey_features,
    usage_features,
)
from tests.spec.features.drawn import completed, features_of, lake_of

AS_OF = AsOf(date(2026, 4, 20), "Europe/Berlin")
N = 30
CUSTOMERS = list(range(N))
MINUTE = timedelta(minutes=1)


def random_sources(seed: int) -> dict[str, pl.DataFrame]:
    draw = np.random.default_rng(seed)
    now = AS_OF.instant

    def times(n: int, days: int) -> list[Any]:
        return [now - int(minutes) * MINUTE for minutes in draw.integers(-3 * 1440, days * 1440, n)]

    def later(starts: list[Any], hours: int) -> list[Any]:
        return [
            start + int(delay) * MINUTE
            for start, delay in zip(starts, draw.integers(0, hours * 60, len(starts)), strict=True)
        ]

    n_calls = 3000
    started = times(n_calls, 130)
    calls = pl.DataFrame(
        {
            "caller_key": draw.integers(0, N, n_calls),
            "callee_key": draw.integers(-6, N, n_calls),
            "started_at": started,
            "duration_s": [
                None if draw.random() < 0.2 else int(draw.integers(0, 900)) for _ in range(n_calls)
            ],
            "is_missed": draw.random(n_calls) < 0.1,
            "kind": draw.choice(["voice", "sms"], n_calls),
            "known_at": later(started, 48),
        }
    ).filter(pl.col("caller_key") != pl.col("callee_key"))
    n_surveys = 300
    invited = times(n_surveys, 400)
    answered = later(invited, 24 * 20)
    silent = draw.random(n_surveys) < 0.4
    surveys = pl.DataFrame(
        {
            "invitation_id": [f"i{number:03d}" for number in range(n_surveys)],
            "customer_key": draw.integers(0, N, n_surveys),
            "metric": draw.choice(["nps", "csat", "ces"], n_surveys),
            "occasion": draw.choice(["relationship", "support"], n_surveys),
            "invited_at": invited,
            "known_at": later(invited, 10),
            "answered_at": [
                None if is_silent else at for at, is_silent in zip(answered, silent, strict=True)
            ],
            "score": [None if is_silent else float(draw.integers(0, 11)) for is_silent in silent],
            "comment": [
                None if is_silent or draw.random() < 0.5 else "слишком дорого" for is_silent in silent
            ],
        }
    )
    keys, months = np.meshgrid(CUSTOMERS[:-1], range(12))
    starts = [now - timedelta(days=20 + 30 * int(month)) for month in months.ravel()]
    usage = pl.DataFrame(
        {
            "customer_key": keys.ravel(),
            "period_start": starts,
            "known_at": [start + timedelta(days=30) for start in starts],
            "metric": "minutes",
            "value": draw.integers(0, 5, len(starts)).astype(float) * 1.1,
        }
    ).sample(fraction=0.6, seed=seed)
    return {
        name: completed(name, frame)
        for name, frame in (("calls", calls), ("surveys", surveys), ("usage", usage))
    }


@pytest.fixture(scope="module", params=[1, 2])
def sources(request: pytest.FixtureRequest) -> dict[str, pl.DataFrame]:
    return random_sources(request.param)


@pytest.fixture(scope="module")
def found(sources: dict[str, pl.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> FeatureSet:
    customers = "customer_key\n" + "\n".join(map(str, CUSTOMERS))
    with Engine(threads=2) as engine:
        return features_of(
            engine, lake_of(tmp_path_factory.mktemp("lake"), {"customers": customers, **sources}), AS_OF
        )


def assert_like(found: FeatureSet, slow: dict[int, dict[str, Any]]) -> None:
    """Counts are equal; quotients agree to the last digits."""
    for key, row in slow.items():
        fast = found.frame.filter(pl.col("customer_key") == key).row(0, named=True)
        for name, value in row.items():
            assert fast[name] == (value if value is None else pytest.approx(value, rel=1e-12)), (key, name)


def test_calls(found: FeatureSet, sources: dict[str, pl.DataFrame]) -> None:
    assert_like(found, call_features(sources["calls"], CUSTOMERS, AS_OF))


def test_surveys(found: FeatureSet, sources: dict[str, pl.DataFrame]) -> None:
    assert_like(found, survey_features(sources["surveys"], CUSTOMERS, AS_OF))


def test_opinions(found: FeatureSet, sources: dict[str, pl.DataFrame]) -> None:
    slow = opinions(sources["surveys"], CUSTOMERS, AS_OF)
    assert found.opinions is not None
    assert dict(found.opinions.rows()) == {f"c{key}": opinion for key, (opinion, _) in slow.items()}
    metrics = {"detractor", "passive", "promoter"}
    assert {opinion for opinion, _ in slow.values()} == metrics


def test_exposure_to_detractors_counts_by_the_age_of_the_answer_each_opinion_rests_on(
    found: FeatureSet, sources: dict[str, pl.DataFrame]
) -> None:
    slow = opinions(sources["surveys"], CUSTOMERS, AS_OF)
    pairs = pair_features(sources["calls"], CUSTOMERS, AS_OF)
    for days in (7, 30, 90):
        turned = {key for key, (opinion, age) in slow.items() if opinion == "detractor" and age <= days}
        for key in CUSTOMERS:
            friends = {a + b - key for a, b in pairs if key in (a, b)}
            row = found.frame.filter(pl.col("customer_key") == key).row(0, named=True)
            assert row[f"detractor_exposure_n_{days}d"] == (len(friends & turned) if friends else None)


def test_usage(found: FeatureSet, sources: dict[str, pl.DataFrame]) -> None:
    assert_like(found, usage_features(sources["usage"], CUSTOMERS, AS_OF, "minutes"))


def test_pairs(found: FeatureSet, sources: dict[str, pl.DataFrame]) -> None:
    assert found.ties is not None
    key_of = dict(found.ties.nodes.select("node", "customer_key").iter_rows())
    slow = pair_features(sources["calls"], CUSTOMERS, AS_OF)
    assert found.ties.graph.n_ties == len(slow)
    for row in found.ties.graph.ties.iter_rows(named=True):
        a, b = key_of[row["node_a"]], key_of[row["node_b"]]
        facts = slow[min(a, b), max(a, b)]
        counts = (facts["n_ab"], facts["n_ba"]) if a < b else (facts["n_ba"], facts["n_ab"])
        assert (row["n_ab"], row["n_ba"]) == counts
        names = ("n_recent", "seconds", "active_days", "trains", "last_contact")
        assert {name: row[name] for name in names} == {name: facts[name] for name in names}
