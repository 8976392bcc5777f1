"""The lines of the retention benchmark: each population over what is expected of it, and who is still protected."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from churnrisk.dates import AsOf
from tests.bench import retention
from tests.bench.retention import HEAD, Year, together
from tests.bench.truth import LASTING_DAYS
from training.labels import Labels
from training.levels import Levels
from training.looks import Look
from training.rows import Rows
from training.snapshots import Snapshot

DAY = date(2026, 1, 4)
N = 4_000


def rows_on(day: date, names: list[str], left: np.ndarray) -> Rows:
    n = len(names)
    return Rows(
        pl.DataFrame({"x": [0.0] * n}),
        left,
        np.ones(n),
        np.array(names, dtype=object),
        np.array([day.isoformat()] * n, dtype=object),
    )


def drawn_year() -> Year:
    rng = np.random.default_rng(4)
    truth = rng.beta(1, 12, N)
    rows = rows_on(DAY, [f"c{number}" for number in range(N)], (rng.random(N) < truth).astype(float))
    year = Year(rows, truth, rows, truth, np.arange(N) < N // 4)
    year.risk = {"naive": truth * 0.8, "ours": truth}
    year.risk_of_everybody = year.risk
    year.levels = {"naive": [Levels(13, 0.05, 0.02)], "ours": [Levels(13, 0.05, 0.02)]}
    return year


def test_over_the_truth_a_perfect_risk_has_one_in_every_population_and_a_low_one_as_much_more() -> None:
    lines = [dict(zip(HEAD[2:7], line, strict=False)) for line in drawn_year().lines()]
    told = [(line["model"], line["judged on"]) for line in lines]
    populations = ["untreated", "truth", "... top", "unprotected", "... top"]
    of_models = [(model, name) for model in ("naive", "ours") for name in populations]
    assert told == [("the world", "untreated"), *of_models]
    for line in lines:
        if line["judged on"] != "untreated":
            assert line["O/E"] == pytest.approx(1.0 if line["model"] == "ours" else 1.25)


def test_every_line_has_a_cell_for_every_heading() -> None:
    assert {len(line) for line in drawn_year().lines()} == {len(HEAD) - 2}


def test_an_action_protects_for_its_weeks_and_no_longer() -> None:
    names = ["long ago", "recent", "later", "nothing"]
    as_of = AsOf(DAY)
    snapshot = Snapshot(as_of, as_of.instant, as_of.instant, "test", is_shipped=False)
    look = Look(snapshot, pl.DataFrame(), Labels(pl.DataFrame(), {}))
    until = datetime.combine(DAY, datetime.min.time()) + timedelta(days=1)
    days = {"long ago": -LASTING_DAYS - 1, "recent": -LASTING_DAYS + 1, "later": 1}
    actions = pl.DataFrame(
        [(name, until + timedelta(days=found)) for name, found in days.items()],
        schema={"customer_id": pl.String(), "at": pl.Datetime("us")},
        orient="row",
    )
    found = retention._protected(rows_on(DAY, names, np.zeros(4)), {DAY.isoformat(): look}, actions)
    assert dict(zip(names, found.tolist(), strict=True)) == {
        "long ago": False, "recent": True, "later": False, "nothing": False
    }  # fmt: skip


def test_levels_of_several_trainings_are_as_wide_as_theirs_at_root_mean_square() -> None:
    same = Levels(13, 0.03, 0.02)
    assert together([same, same]).spread == pytest.approx(0.03)
    found = together([Levels(13, 0.03, 0.0), Levels(12, 0.04, 0.0)])
    assert (found.n_dates, found.error) == (12, 0.0)
    assert found.spread == pytest.approx(0.05 / 2**0.5)
