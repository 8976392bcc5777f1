"""What `churnrisk check` says about columns that settings name and no source has, and about words nobody knows."""

from __future__ import annotations

from pathlib import Path

import pytest

import churnrisk
from churnrisk.errors import ConfigError, ContractError, Fault
from churnrisk.sources import Readiness
from tests.spec.sources.drawn import HASH_KEY, drawn_workspace

PEOPLE = "customer_id,joined_on,contract,region\nann,2020-01-01,yearly,north\nbob,2020-01-01,monthly,south\n"
AS_OF = "2026-03-31"


def checked(root: Path, settings: str) -> Readiness:
    """Draw two customers with a contract and a region, and check them."""
    drawn_workspace(
        root,
        '[sources.customers]\npath = "people.csv"\nextracted_on = 2026-01-01\n' + settings,
        {"people.csv": PEOPLE},
    )
    return churnrisk.open(root, environment=HASH_KEY).check(AS_OF)


def faults(root: Path, settings: str) -> dict[str, Fault]:
    """Return the faults of the settings, by where they stand."""
    with pytest.raises((ConfigError, ContractError)) as caught:
        checked(root, settings)
    return {
        fault.where.partition("churnrisk.toml ")[2] or fault.where: fault for fault in caught.value.faults
    }


def test_every_column_that_no_source_has_is_said_in_one_go_with_the_nearest_there_is(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        '[training]\ncalibrate_by = "contrakt"\nleave_out = ["tenure_dais", "region"]\n'
        '[evaluation]\nby = ["Regoin"]\n',
    )
    assert {where: (fault.code, fault.found, fault.remedy) for where, fault in found.items()} == {
        "[training] calibrate_by": ("column_unknown", "'contrakt'", "Did you mean 'contract'?"),
        "[training] leave_out": ("column_unknown", "'tenure_dais'", "Did you mean 'tenure_days'?"),
        "[evaluation] by": ("column_unknown", "'Regoin'", "Did you mean 'region'?"),
    }
    assert found["[evaluation] by"].available == ("contract", "region")


def test_columns_of_lists_that_no_file_has_are_said_with_the_nearest(tmp_path: Path) -> None:
    found = faults(tmp_path, '[lists]\ncarry = ["regionn"]\n')
    assert found["[lists] carry"].code == "column_missing"
    assert found["[lists] carry"].remedy == "Did you mean 'region'?"


def test_names_there_are_pass_and_an_accepted_leak_that_is_gone_is_a_remark(tmp_path: Path) -> None:
    named = (
        '[training]\ncalibrate_by = "contract"\nleave_out = ["tenure_days"]\n[evaluation]\nby = ["region"]\n'
    )
    assert "column_unknown" not in {remark.code for remark in checked(tmp_path / "a", named).remarks}
    gone = checked(tmp_path / "b", '[training]\naccept_leaks = ["churn_scoer"]\n')
    remark = next(remark for remark in gone.remarks if remark.code == "column_unknown")
    assert remark.text == "[training] accept_leaks names 'churn_scoer', which no source has."


def test_a_language_without_sentences_stops_every_command_and_names_those_there_are(tmp_path: Path) -> None:
    fault = faults(tmp_path, '[lists]\nlanguage = "ruu"\n')["[lists] language"]
    assert ConfigError.exit_code == 10
    assert (fault.code, fault.found, fault.remedy) == ("setting_invalid", "'ruu'", "Did you mean 'ru'?")
    assert fault.expected == "'en', 'ru' or 'zh'"
