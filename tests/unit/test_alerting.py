"""What another alert window would have raised, over the answers of sources and ledger, each once."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

import churnrisk
from churnrisk.alerting import window_of
from churnrisk.cli import run
from churnrisk.errors import UsageError
from churnrisk.ledger import Ledger
from churnrisk.ledger.taking import AnswerRules, matched, take_answers
from churnrisk.store import Workspace
from tests.drawn_asked import decide
from tests.unit.ledger.test_at_once import said

SETTINGS = """
[time]
zone = "UTC"
[sources.customers]
path = "customers.csv"
extracted_on = 2026-04-01
[sources.surveys]
path = "surveys.csv"
[privacy]
missing_consent = true
"""
SURVEYS = """invitation_id,customer_id,metric,occasion,invited_at,answered_at,score,comment
w1,anna,nps,relationship,2026-04-02,2026-04-03T10:00:00,3,too slow
w2,boris,nps,relationship,2026-04-02,2026-04-05T10:00:00,5,
w3,anna,nps,relationship,2026-05-02,2026-05-03T10:00:00,9,
w4,boris,csat,bill,2026-05-02,2026-05-03T10:00:00,1,
w5,boris,nps,relationship,2026-05-02,2026-05-25T10:00:00,0,after the date
ask-anna,anna,nps,confirmation,2026-05-02,2026-05-09T10:00:00,2,exported too
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "churnrisk.toml").write_text(SETTINGS)
    (tmp_path / "customers.csv").write_text("customer_id,joined_on\nanna,2024-01-01\nboris,2024-01-01\n")
    (tmp_path / "surveys.csv").write_text(SURVEYS)
    workspace = Workspace.open(tmp_path)
    with Ledger.open(workspace, {}) as ledger:
        decide(ledger, {"customer_id": "anna"})
        with ledger.writing() as db:
            answer = said("ask-anna", 2, datetime(2026, 5, 9, 10))
            rules = AnswerRules((0, 6), 7)
            take_answers(db, matched(db, answer), rules, source="http", now=datetime(2026, 5, 9, 11))
    return tmp_path


def test_months_tell_what_a_narrower_window_would_drop(folder: Path) -> None:
    found = churnrisk.open(folder).alerts_preview("0-4", as_of="2026-05-20")
    assert found.table.select("n_answers", "n_present", "n_window", "n_added", "n_dropped").rows() == [
        (2, 2, 1, 0, 1),
        (2, 1, 1, 0, 0),
    ]
    assert found.table["n_commented"].to_list() == [1, 0]
    assert (
        churnrisk.open(folder).alerts_preview((0, 9), as_of="2026-05-20").as_dict()["total"]["n_added"] == 1
    )


def test_the_command_prints_a_table_or_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["-q", "-w", str(folder), "alerts", "preview", "--window", "0-4", "--as-of", "2026-05-20"]
    assert run(words) == 0
    shown = capsys.readouterr().out
    assert "2026-04" in shown
    assert "0-6" in shown
    assert run([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["window"], told["present"], told["total"]["n_dropped"]) == ([0.0, 4.0], [0.0, 6.0], 1)


def test_without_answers_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "churnrisk.toml").write_text(
        SETTINGS.replace('[sources.surveys]\npath = "surveys.csv"\n', "")
    )
    (tmp_path / "customers.csv").write_text("customer_id,joined_on\nanna,2024-01-01\n")
    words = ["-q", "-w", str(tmp_path), "alerts", "preview", "--window", "0-4", "--as-of", "2026-05-20"]
    assert run(words) == 0
    assert "No answer" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "4", "6-0", "0-11", "a-b", "-1-4"])
def test_a_window_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="as 0-4"):
        window_of(text)


def test_a_window_names_both_ends() -> None:
    assert window_of("0-4") == (0.0, 4.0)
    assert window_of(" 3 - 6 ") == (3.0, 6.0)
