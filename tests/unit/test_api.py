"""The front door: what it makes of what it is given."""

from __future__ import annotations

from pathlib import Path

import pytest

import churnrisk

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
