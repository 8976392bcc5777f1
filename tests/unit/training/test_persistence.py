"""Tie strength learned from whether ties persist: better where it can be, the default where not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from churnrisk.config import ChurnSettings
from churnrisk.dates import AsOf
from churnrisk.errors import ModelUnfit, SourceMissing
from churnrisk.metrics.paired import auc_difference
from churnrisk.store import Engine
from churnrisk.tables.lake import LakeTables
from features.ties import tie_table
from features.ties.blend import DEFAULT_WEIGHTS, blended_strength
from features.ties.rules import TieRules
from tests.bench.ties_persistence import COPENHAGEN, copenhagen_contacts, pair_facts
from tests.spec.features.drawn import completed, lake_of, table
from training.persistence import PersistenceFit, fit_persistence, labelled_ties, learned_weights

START = datetime(2014, 2, 1)
CHURN = ChurnSettings.model_validate({})


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(threads=2) as opened:
        yield opened


def calls_of(contacts: pl.DataFrame) -> pl.DataFrame:
    """The contacts of the bench (at_s, sender, receiver) as a validated table of calls."""
    named = contacts.filter(pl.col("sender") != pl.col("receiver")).select(
        caller_key=pl.col("sender").cast(pl.Int64),
        callee_key=pl.col("receiver").cast(pl.Int64),
        started_at=pl.lit(START) + pl.duration(seconds=pl.col("at_s")),
    )
    return completed("calls", named.sort("started_at", "caller_key", "callee_key"))


def world(folder: Path, contacts: pl.DataFrame) -> LakeTables:
    calls = calls_of(contacts)
    keys = pl.concat([calls["caller_key"], calls["callee_key"]]).unique().sort().to_list()
    customers = table("customers", "customer_key\n" + "\n".join(map(str, keys)))
    return lake_of(folder, {"customers": customers, "calls": calls})


def moody_contacts(n_pairs: int = 3000, n_days: int = 120, seed: int = 4) -> pl.DataFrame:
    """As among new acquaintances: a pair writes daily for some days and then never again, however much it wrote."""
    draw = np.random.default_rng(seed)
    begin, length = draw.integers(0, n_days, n_pairs), draw.geometric(1 / 12, n_pairs)
    sender = draw.integers(0, 900, n_pairs)
    receiver = (sender + draw.integers(1, 900, n_pairs)) % 900
    rows = [
        (int(day) * 86_400 + int(draw.integers(0, 86_400)), int(a), int(b))
        for start, n, a, b in zip(begin, length, sender, receiver, strict=True)
        for day in range(start, min(start + n, n_days))
    ]
    return pl.DataFrame(rows, schema=["at_s", "sender", "receiver"], orient="row")


def fitted(engine: Engine, folder: Path, contacts: pl.DataFrame, n_days: int, days: int) -> PersistenceFit:
    as_of = AsOf(START.date() + timedelta(days=n_days - 1))
    return fit_persistence(engine, world(folder, contacts), CHURN, as_of, rules=TieRules(), days=days)


def test_on_copenhagen_the_default_is_hard_to_beat(engine: Engine, tmp_path: Path) -> None:
    fit = fitted(engine, tmp_path, copenhagen_contacts(COPENHAGEN), n_days=28, days=7)
    assert (fit.cuts, fit.n_learned, fit.n_judged) == (("2014-02-14", "2014-02-21"), 657, 794)
    assert fit.default_auc >= 0.785
    assert fit.persisting_share == pytest.approx(0.443, abs=0.001)
    assert fit.auc == pytest.approx(fit.default_auc, abs=0.012)
    assert fit.weights is None
    assert "the default strength is kept" in fit.text()


def test_where_silence_says_more_it_is_learned(engine: Engine, tmp_path: Path) -> None:
    fit = fitted(engine, tmp_path, moody_contacts(), n_days=120, days=14)
    assert fit.is_better
    assert fit.auc > fit.default_auc + 0.05
    assert fit.weights is not None
    assert fit.weights["silence"] < -0.3
    assert set(fit.weights) == set(DEFAULT_WEIGHTS)
    assert fit.figures()["auc_gain_low"] > 0
    assert "from the next training on" in fit.text()


def test_the_default_weights_give_the_default_strength() -> None:
    facts = pair_facts(copenhagen_contacts(COPENHAGEN), 0, 21)
    as_of_us = 21 * 86_400_000_000
    default = tie_table(facts, as_of_us=as_of_us)
    learned = tie_table(facts, as_of_us=as_of_us, weights=DEFAULT_WEIGHTS)
    assert learned["strength"].to_numpy() == pytest.approx(default["strength"].to_numpy(), rel=1e-12)
    assert learned["attention_ab"].to_numpy() == pytest.approx(default["attention_ab"].to_numpy(), rel=1e-9)


def test_few_ties_leave_the_weights_near_the_default_and_many_do_not(engine: Engine, tmp_path: Path) -> None:
    cut = AsOf(START.date() + timedelta(days=91))
    ties = labelled_ties(
        engine, world(tmp_path, moody_contacts()), CHURN, cut, 14, consent_as_of=cut, rules=TieRules()
    )
    distances = [
        abs(learned_weights(ties.gather_every(every), cut)["silence"]) for every in (ties.height // 30, 1)
    ]
    assert distances[0] < 0.75 * distances[1]


def test_learning_keeps_the_spread_of_the_default(engine: Engine, tmp_path: Path) -> None:
    cut = AsOf(START.date() + timedelta(days=91))
    ties = labelled_ties(
        engine, world(tmp_path, moody_contacts()), CHURN, cut, 14, consent_as_of=cut, rules=TieRules()
    )
    spreads = [
        ties.select(blended_strength(weights, cut.instant_us).log().std()).item()
        for weights in (learned_weights(ties, cut), DEFAULT_WEIGHTS)
    ]
    assert spreads[0] == pytest.approx(spreads[1], rel=1e-9)
    reversed_labels = ties.with_columns(~pl.col("persists"))
    assert learned_weights(reversed_labels, cut) == dict(DEFAULT_WEIGHTS)


def test_too_few_ties_teach_nothing(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(ModelUnfit, match="at least 50 ties"):
        fitted(engine, tmp_path, moody_contacts(n_pairs=30), n_days=120, days=14)
    customers = lake_of(tmp_path / "none", {"customers": "customer_key\n0\n1"})
    with pytest.raises(SourceMissing, match="a calls source"):
        fit_persistence(engine, customers, CHURN, AsOf(date(2014, 6, 1)), rules=TieRules())
    with pytest.raises(SourceMissing, match="found the last contact on"):
        fitted(engine, tmp_path / "old", moody_contacts(n_pairs=30), n_days=400, days=14)


def test_the_difference_of_two_auc_is_that_of_all_pairs_of_rows() -> None:
    draw = np.random.default_rng(3)
    y = draw.random(60) < 0.4
    one, two = draw.integers(0, 6, 60) + 2 * y, draw.integers(0, 6, 60) + y
    wins = [np.sign(s[y][:, None] - s[~y][None, :]) / 2 + 0.5 for s in (one, two)]
    difference = wins[0] - wins[1]
    found = auc_difference(y, one, two)
    assert found.value == pytest.approx(difference.mean())
    variance = difference.mean(1).var(ddof=1) / y.sum() + difference.mean(0).var(ddof=1) / (~y).sum()
    assert found.high - found.low == pytest.approx(2 * 1.959964 * variance**0.5, rel=1e-6)
    assert auc_difference(y, one, one) == (0.0, 0.0, 0.0)
