"""The front door: what it makes of what it is given."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import churnrisk
from churnrisk.cli import run
from churnrisk.errors import UsageError
from churnrisk.nightly import Night

AS_OF = "2026-06-30"


@pytest.mark.parametrize(("module", "method"), [("neighbourhood", "influence"), ("explaining", "explain")])
def test_a_customer_given_as_a_whole_number_is_meant_by_its_digits(
    module: str, method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "churnrisk.toml").write_text("", "utf-8")
    stage = "neighbourhood" if method == "influence" else "explain"
    monkeypatch.setattr(f"churnrisk.{module}.{stage}", lambda *given: given[-1])
    workspace = churnrisk.open(tmp_path)
    assert getattr(workspace, method)(101, as_of=AS_OF) == "101"
    assert getattr(workspace, method)("00101", as_of=AS_OF) == "00101"


CURVE = {
    "budget": [0.0, 30.0, 60.0],
    "net_value": [0.0, 500.0, 812.5],
    "n_offers": [0, 20, 38],
    "per_unit": [None, 16.7, 10.4],
    "is_budget": [False, False, True],
}


def test_what_other_budgets_would_buy_is_drawn_where_there_are_offers(tmp_path: Path) -> None:
    (tmp_path / "churnrisk.toml").write_text("", "utf-8")
    workspace, place = churnrisk.open(tmp_path), tmp_path / "curve.svg"
    night = Night(date(2026, 6, 30), "run", "1", {}, (), decided={"curve": CURVE})
    assert workspace.drawn_budgets(night, place) == place
    assert "What another budget would buy" in place.read_text("utf-8")
    assert workspace.drawn_budgets(replace(night, decided={"curve": None}), tmp_path / "no.svg") is None
    assert not (tmp_path / "no.svg").exists()
    with pytest.raises(UsageError, match=r"ends in \.svg"):
        workspace.drawn_budgets(night, tmp_path / "curve.png")


def test_a_picture_that_cannot_be_written_is_refused_before_anything_is_decided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["-w", str(tmp_path), "decide", "--dry-run", "--picture", "curve.png"]) == 2
    assert "--picture" in capsys.readouterr().err
