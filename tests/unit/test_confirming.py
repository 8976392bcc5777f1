"""How asking goes: which answers are judged, who is compared with whom, and by which window."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from churnrisk.at_once import following
from churnrisk.bundle import Bundle
from churnrisk.config import Config
from churnrisk.confirming import _arms, _by_band, _judged, _outcomes, how_asking_goes
from churnrisk.dates import AsOf
from churnrisk.ledger import Decisions, Ledger, record_decisions
from churnrisk.ledger.facts import answers
from churnrisk.ledger.taking import AnswerRules, matched, take_answers
from churnrisk.store import Workspace
from churnrisk.tables.lake import LakeTables
from tests.drawn_asked import decide
from tests.drawn_models import drawn_bundle
from tests.unit.ledger.test_at_once import said

INSTANT = pl.Datetime("us")
SETTINGS = (
    '[time]\nzone = "UTC"\n[churn]\ngap_days = 14\nhorizon_days = 30\n[surveys]\nholdout_share = 0.25\n'
)
ASKED = datetime(2026, 5, 2)
LATER = AsOf(date(2026, 7, 1), "UTC")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "churnrisk.toml").write_text(SETTINGS)
    return Workspace.open(tmp_path)


@pytest.fixture
def config(workspace: Workspace) -> Config:
    return workspace.config


def frame(schema: dict[str, Any], *rows: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=schema, orient="row")


LEFT = {"customer_id": pl.String, "left_at": INSTANT}
TREATED = {"customer_id": pl.String, "at": INSTANT}


def moved(*names: str, risk_after: float | None = 0.3) -> pl.DataFrame:
    at = ASKED + timedelta(days=1)
    rows = [
        (name.rstrip("0123456789"), name, "confirm", "nps", ASKED, at, at, 3.0, 0.2, 0.2, risk_after)
        for name in names
    ]
    text = ("customer_id", "invitation_id", "purpose", "metric")
    schema = dict.fromkeys(text, pl.String) | {
        "invited_at": INSTANT, "answered_at": INSTANT, "answer_known_at": INSTANT, "score": pl.Float64,
        "risk_at_asking": pl.Float64, "risk_before": pl.Float64, "risk_after": pl.Float64,
    }  # fmt: skip
    return frame(schema, *rows)


def test_answers_are_judged_by_what_was_written_and_what_came_of_it(config: Config) -> None:
    left = frame(LEFT, ("anna", datetime(2026, 5, 20)), ("carl", datetime(2026, 5, 10)))
    treated = frame(TREATED, ("dora", datetime(2026, 5, 5)))
    found = _judged(moved("anna1", "boris1", "carl1", "dora1"), left, treated, config, LATER)
    assert found.select("customer_id", "left", "risk_before", "risk_after").rows() == [
        ("anna", 1, 0.2, 0.3),
        ("boris", 0, 0.2, 0.3),
    ], "carl left before the window, dora was treated in it"


def test_answers_that_moved_nothing_and_windows_that_are_open_are_not_judged(config: Config) -> None:
    nobody = frame(LEFT), frame(TREATED)
    assert _judged(moved("anna1", risk_after=None), *nobody, config, LATER).is_empty()
    assert _judged(moved("anna1"), *nobody, config, AsOf(date(2026, 6, 10), "UTC")).is_empty()


def test_those_asked_are_compared_with_the_held_out_over_the_window_of_the_risk(config: Config) -> None:
    schema = {"customer_id": pl.String, "asked_at": INSTANT, "is_held_out": pl.Boolean}
    arms = frame(
        schema,
        ("anna", ASKED, False),
        ("boris", ASKED, True),
        ("carl", ASKED, True),
        ("dora", LATER.instant, True),
    )
    left = frame(LEFT, ("boris", datetime(2026, 6, 1)), ("carl", datetime(2026, 5, 3)))
    found = _outcomes(arms, left, config, LATER)
    assert found.rows() == [("anna", False, 0, pytest.approx(4 / 3)), ("boris", True, 1, 4.0)]


def test_of_each_customer_the_first_time_counts_and_other_refusals_do_not(workspace: Workspace) -> None:
    def night(day: int, *rows: tuple[str, str, str, str]) -> None:
        names = ("customer_id", "subject", "decision", "reason_code")
        decisions = pl.DataFrame(list(rows), schema=list(names), orient="row").with_columns(
            kind=pl.lit("survey"), position=pl.int_range(1, pl.len() + 1), why=pl.lit(""), purpose=pl.lit("survey"),
            is_random=pl.lit(value=False), details=pl.lit("{}"),
        )  # fmt: skip
        at = datetime(2026, 5, day + 1)
        record_decisions(ledger, date(2026, 5, day), at, Decisions("r", "s", "{}", decisions), at)

    with Ledger.open(workspace, {}) as ledger:
        night(
            1,
            ("anna", "confirm:nps", "ask", "chosen"),
            ("boris", "confirm:nps", "hold-out", "survey_hold_out"),
        )
        night(
            2,
            ("boris", "confirm:nps", "hold-out", "survey_hold_out"),
            ("carl", "confirm:nps", "hold-out", "permanent_hold_out"),
            ("dora", "random:nps", "ask", "chosen"),
            ("emil", "confirm:nps", "refused", "budget_spent"),
        )
        with ledger.reading() as db:
            found = _arms(db, LATER)
    assert found.rows() == [("anna", ASKED, False), ("boris", ASKED, True)]


def test_bands_are_those_of_the_risk_at_asking() -> None:
    bundle: Bundle = drawn_bundle()
    told = pl.concat([moved("anna1"), moved("boris1").with_columns(score=pl.lit(None, dtype=pl.Float64))])
    found = _by_band(told, bundle)
    assert found["evidence"].to_list() == ["detractor", "silent"]
    assert found["band"].to_list() == bundle.band([0.2, 0.2]).to_list()


def test_with_few_answers_the_page_says_so(workspace: Workspace) -> None:
    with Ledger.open(workspace, {}) as ledger, workspace.engine() as engine:
        decide(ledger, {"customer_id": "anna"})
        rules = AnswerRules((0, 6), 7)
        with ledger.writing() as db:
            take_answers(
                db, matched(db, said("ask-anna", 3, datetime(2026, 5, 3))), rules,
                source="file", now=datetime(2026, 5, 4), following=following(workspace),
            )  # fmt: skip
            assert answers(db)["risk_after"].null_count() == 0
        tables = customers(workspace, engine)
        found = how_asking_goes(workspace, engine, tables, ledger, LATER, bundle=drawn_bundle())
    assert (found.n_asked, found.n_answered, found.figures) == (1, 1, None)
    assert found.few.startswith("1 answers whose outcome is known, 0 of them")
    assert "not known" in found.effect


def customers(workspace: Workspace, engine: Any) -> LakeTables:
    """Anna, who stayed, as validated tables."""
    keys, versions = workspace.root / "keys.parquet", workspace.root / "customers.parquet"
    frame({"customer_key": pl.UInt32, "customer_id": pl.String}, (0, "anna")).write_parquet(keys)
    schema = {"customer_key": pl.UInt32, "left_at": INSTANT, "left_known_at": INSTANT}
    frame(schema, (0, None, None)).write_parquet(versions)
    tables = LakeTables({"keys": keys, "customers": versions})
    tables.register(engine)
    return tables
