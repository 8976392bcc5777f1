"""Refusals of the customers' file that the next file no longer has, with history and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.spec.sources.drawn import HEAD, drawn, rows

ONE_STATE = '[sources.customers]\npath = "p.csv"\nextracted_on = 2026-01-01\n'
HISTORY = '[sources.customers]\npath = "p.csv"\n'
SAID = "customer_id,may_contact,may_survey\nann,no,no\nbob,no,yes\ncid,yes,no\n"


def warnings_of(root: Path, *files: str, settings: str = ONE_STATE, head: str = HEAD) -> tuple[str, ...]:
    """Load one file after the other and return what is said of the last."""
    return [drawn(root, settings, {"p.csv": file}, head).warnings for file in files][-1]


def test_refusals_that_the_next_file_leaves_empty_are_counted_by_consent(tmp_path: Path) -> None:
    now = "customer_id,may_contact,may_survey\nann,,no\nbob,,yes\ncid,,\n"
    found = warnings_of(tmp_path, SAID, now)
    assert [warning.partition("; ")[0] for warning in found] == [
        "customers: 1 customer refused may_survey in the version loaded before and has no value now",
        "customers: 2 customers refused may_contact in the version loaded before and have no value now",
    ]
    assert all("`churnrisk record consents`" in warning for warning in found)
    assert not any(name in warning for warning in found for name in ("ann", "bob", "cid"))
    assert warnings_of(tmp_path, now) == found  # the same table is told of as before


def test_a_column_that_is_gone_takes_its_refusals_along_and_customers_that_are_gone_do_not_count(
    tmp_path: Path,
) -> None:
    (warning,) = warnings_of(tmp_path, SAID, "customer_id,may_survey\nann,no\ncid,no\n")
    assert warning.startswith("customers: 1 customer refused may_contact")


@pytest.mark.parametrize(
    "now",
    [SAID, SAID.replace("no", "yes"), "customer_id,may_contact,may_survey\ndan,,\n"],
    ids=["said again", "agreed", "others"],
)
def test_words_that_were_said_again_are_no_loss(now: str, tmp_path: Path) -> None:
    assert warnings_of(tmp_path, SAID, now + "\n") == ()


def test_where_a_missing_consent_means_no_nothing_is_lost(tmp_path: Path) -> None:
    head = HEAD.replace("missing_consent = true", "missing_consent = false")
    assert warnings_of(tmp_path, SAID, "customer_id\nann\nbob\ncid\n", head=head) == ()


def test_what_was_filled_in_before_was_nobodys_refusal(tmp_path: Path) -> None:
    nothing = "customer_id\nann\nbob\ncid\n"
    no = HEAD.replace("missing_consent = true", "missing_consent = false")
    drawn(tmp_path, ONE_STATE, {"p.csv": nothing}, no)
    assert warnings_of(tmp_path, nothing) == ()


def test_a_file_with_history_keeps_a_refusal_and_one_without_forgets_it(tmp_path: Path) -> None:
    before = "customer_id,valid_from,may_contact\nann,2026-01-01,no\n"
    after = before + "ann,2026-02-01,\n"
    kept = drawn(tmp_path / "a", HISTORY, {"p.csv": after})
    assert rows(kept, "customers", "may_contact") == [(False,), (False,)]
    assert warnings_of(tmp_path / "b", before, after, settings=HISTORY) == ()
    drawn(tmp_path / "c", ONE_STATE, {"p.csv": "customer_id,may_contact\nann,no\n"})
    forgotten = drawn(tmp_path / "c", ONE_STATE, {"p.csv": "customer_id,may_contact\nann,\n"})
    assert rows(forgotten, "customers", "may_contact") == [(True,)]
    assert len(forgotten.warnings) == 1


def test_a_history_that_lost_its_former_rows_is_told(tmp_path: Path) -> None:
    files = [
        f"customer_id,valid_from,may_contact\nann,2026-0{month}-01,{said}\n"
        for month, said in ((1, "no"), (2, ""))
    ]
    assert len(warnings_of(tmp_path, *files, settings=HISTORY)) == 1
