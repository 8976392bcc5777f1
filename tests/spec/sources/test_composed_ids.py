"""Ids that look alike and are not: compared as given, and said."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from churnrisk.errors import ContractError
from churnrisk.sources import LoadedSources
from tests.spec.sources.drawn import drawn

ONE, OTHER = (unicodedata.normalize(form, "é1") for form in ("NFC", "NFD"))
SURVEYS = "invitation_id,customer_id,metric,invited_at\n1,{},nps,2026-01-10\n2,zoe,nps,2026-01-10\n"


def loaded(root: Path, people: str, surveys: str = "", calls: str = "") -> LoadedSources:
    """Draw customers, surveys of two of whom one is unknown in any case, and calls."""
    settings = '[sources.surveys]\npath = "s.csv"\nmax_bad_share = 1\n' if surveys else ""
    settings += '[sources.calls]\npath = "c.csv"\n' if calls else ""
    files: dict[str, str | bytes] = {
        "people.csv": f"customer_id,joined_on\n{people}",
        "s.csv": surveys,
        "c.csv": calls,
    }
    return drawn(root, settings, {name: text for name, text in files.items() if text})


def remarks(found: LoadedSources) -> list[str]:
    """Return what is said of composition."""
    return [warning for warning in found.warnings if "Unicode composition" in warning]


def test_two_customers_whose_ids_differ_by_composition_alone_are_two_and_that_is_said(tmp_path: Path) -> None:
    found = loaded(tmp_path, f"{ONE},2020-01-01\n{OTHER},2020-01-01\nann,2020-01-01\n")
    assert found.reports["customers"].n_customers == 3
    (said,) = remarks(found)
    assert said.startswith("customers: 2 ids look like another customer's and count as different people")
    assert ONE not in said
    assert OTHER not in said


def test_ids_of_another_source_that_only_look_like_a_customers_are_counted(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        f"{ONE},2020-01-01\nann,2020-01-01\n",
        SURVEYS.format(OTHER) + f"3,{ONE},nps,2026-01-10\n",
        f"caller_id,callee_id,started_at\n{OTHER},ann,2026-01-01\nann,{OTHER},2026-01-02\nann,{ONE},2026-01-02\n",
    )
    assert found.reports["surveys"].by_code() == {"unknown_customer": 2}
    assert sorted(said.partition(" look")[0] for said in remarks(found)) == ["calls: 1 id", "surveys: 1 id"]


def test_a_source_that_is_refused_for_it_says_so_too(tmp_path: Path) -> None:
    with pytest.raises(
        ContractError, match=r"surveys: 1 id looks like a customer's and is none: .* \(NFC, NFD\)"
    ):
        loaded(tmp_path, f"{ONE},2020-01-01\n", SURVEYS.format(OTHER))


def test_ids_written_alike_bring_no_remark(tmp_path: Path) -> None:
    assert remarks(loaded(tmp_path / "a", f"{ONE},2020-01-01\n", SURVEYS.format(ONE))) == []
    plain = "ann,2020-01-01\nbob,2020-01-01\n"
    assert remarks(loaded(tmp_path / "b", plain, SURVEYS.format("ann") + f"3,{OTHER},nps,2026-01-10\n")) == []
