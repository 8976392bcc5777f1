"""Own features are made twice: whoever reads what came after the as-of instant is caught, whoever filters is not."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from churnrisk.config import ChurnSettings
from churnrisk.dates import AsOf
from churnrisk.store import Engine
from features.library import library
from tests.spec.features.drawn import lake
from training.futures import own_features, reading_the_future
from training.leakage import Leak, Origins

DAY, TODAY = AsOf(date(2026, 3, 31)), AsOf(date(2026, 6, 30))

CUSTOMERS = "customer_key | joined_at\n" + "\n".join(f"{k} | 2025-01-01" for k in range(40))
EVENTS = "customer_key | at | event\n" + "\n".join(
    [f"{k} | 2026-03-0{1 + k % 9} | login" for k in range(40)]
    + [f"{k} | 2026-05-0{1 + k % 9} | goodbye" for k in range(0, 40, 4)]
)

HEAD = """\
-- output: {name}
-- grain: customer_key
-- reads: population, events
-- parameters: as_of
-- columns:
--   customer_key | key
--   n_{name} | events | never null | digital | events | higher is worse

"""
COUNTED = HEAD + (
    "select population.customer_key, count(events.at) as n_{name} from population "
    "left join events on population.customer_key = events.customer_key"
)
UNBOUNDED = COUNTED.replace("parameters: as_of", "parameters:") + " group by population.customer_key\n"
BOUNDED = COUNTED + " and events.at < $as_of and events.known_at < $as_of group by population.customer_key\n"


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine(threads=1) as opened:
        yield opened


def found_in(engine: Engine, folder: Path, **files: str) -> tuple[Leak, ...]:
    own = folder / "features"
    own.mkdir()
    for name, text in files.items():
        (own / f"{name}.sql").write_text(text.replace("{name}", name), encoding="utf-8")
    tables = lake(folder / "lake", customers=CUSTOMERS, events=EVENTS)
    labels = pl.DataFrame({"customer_key": range(40), "left": [int(k % 4 == 0) for k in range(40)]})
    names = own_features(own)
    return reading_the_future(
        engine,
        tables,
        ChurnSettings(),
        day=DAY,
        consent_as_of=TODAY,
        names=names,
        own=own,
        labels=labels,
        origins=Origins("customers", (), lambda name: library(own).catalogue[name].source, frozenset(names)),
    )


def test_an_own_feature_without_a_bound_in_time_reads_the_future_and_is_refused(
    engine: Engine, tmp_path: Path
) -> None:
    (found,) = found_in(engine, tmp_path, loose=UNBOUNDED, tight=BOUNDED)
    assert (found.feature, found.code, found.is_fatal) == ("n_loose", "reads_future", True)
    assert found.evidence.startswith(
        "of 40 customers 10 have another value when everything after the as-of instant is taken away; AUC 1.000 with it"
    )
    assert "In your own feature read only what happened and was known before" in found.remedy


def test_an_own_feature_that_filters_and_a_workspace_without_one_pass(engine: Engine, tmp_path: Path) -> None:
    assert found_in(engine, tmp_path, tight=BOUNDED) == ()
    assert own_features(None) == ()
    assert own_features(tmp_path / "nowhere") == ()
