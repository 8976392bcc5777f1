"""A call table that fell silent says nothing of anybody: unknown is null, never 0. As of 2026-03-31, UTC."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from churnrisk.dates import AsOf
from churnrisk.store import Engine
from features import FeatureSet
from features.silence import silence_of
from features.ties.names import tie_feature_names
from tests.spec.features.drawn import AS_OF, features_of, lake, shown

CUSTOMERS = "customer_key\n0\n1\n2"
LEFT = "customer_key | left_at\n0 |\n1 |\n2 | 2026-03-20"
ANSWERS = """
customer_key | metric | occasion     | invited_at | answered_at | score
1            | nps    | relationship | 2026-03-01 | 2026-03-20  | 1
"""
FIRST_DAY = "2026-01-01"
"""Of the 90 days to 31 March that make a tie."""


def found_with(engine: Engine, folder: Path, calls: str, customers: str = LEFT) -> FeatureSet:
    head = "caller_key | callee_key | started_at | known_at\n"
    return features_of(engine, lake(folder, customers=customers, calls=head + calls, surveys=ANSWERS))


def notes(found: FeatureSet) -> list[str]:
    return [note for note in found.notes if note.startswith("table calls:")]


def assert_unknown(found: FeatureSet) -> None:
    names = [name for name in tie_feature_names() if name in found.frame.columns]
    assert len(names) > 40
    assert found.frame.select(names).null_count().row(0) == (found.frame.height,) * len(names)
    counts = (
        "n_calls_out_30d",
        "n_calls_in_90d",
        "n_active_days_90d",
        "n_partners_90d",
        "share_calls_offnet_90d",
    )
    assert shown(found, *counts) == [(name, *[None] * len(counts)) for name in found.frame["customer_id"]]
    assert found.network is not None
    told = found.network.drop("customer_id", "offnet_share")
    assert told.null_count().row(0) == (found.frame.height,) * told.width
    assert found.ties is not None
    assert not found.ties.is_usable.any()
    assert found.ties.named().number_of_edges() == 0


def test_calls_that_stopped_coming_leave_everything_about_ties_unknown_and_the_note_says_since_when(
    engine: Engine, tmp_path: Path
) -> None:
    found = found_with(engine, tmp_path, "0 | 1 | 2025-12-31 23:59 | 2025-12-31 23:59")
    assert_unknown(found)
    assert shown(found, "days_since_contact") == [("c0", 90), ("c1", 90)]  # what is known stays
    (note,) = notes(found)
    assert "a contact of a customer in the 90 days from 2026-01-01 to 2026-03-31" in note
    assert "found the last contact on 2025-12-31" in note
    assert "Deliver newer calls, or name a day up to 2026-03-30 with --as-of." in note


def test_a_contact_at_the_first_instant_of_the_window_makes_zeros_true(
    engine: Engine, tmp_path: Path
) -> None:
    found = found_with(engine, tmp_path, f"0 | -5 | {FIRST_DAY} | {FIRST_DAY}")
    assert shown(found, "n_ties", "tie_strength_sum", "n_calls_out_90d", "n_calls_in_30d") == [
        ("c0", 0, 0.0, 1, 0),
        ("c1", 0, 0.0, 0, 0),
    ]
    assert notes(found) == []
    assert found.ties is not None
    assert found.ties.silence is None


def test_the_day_named_in_the_remedy_is_the_last_that_has_ties(engine: Engine, tmp_path: Path) -> None:
    head = "caller_key | callee_key | started_at\n0 | 1 | 2025-12-31 23:59"
    tables = lake(tmp_path, customers=CUSTOMERS, calls=head)
    for day, n_ties in ((date(2026, 3, 30), 1), (date(2026, 3, 31), None)):
        found = features_of(engine, tables, AsOf(day))
        assert shown(found, "n_ties")[0] == ("c0", n_ties)


def test_numbers_that_match_no_customer_are_silence_too(engine: Engine, tmp_path: Path) -> None:
    found = found_with(engine, tmp_path, "-5 | -6 | 2026-03-20 | 2026-03-20")
    assert_unknown(found)
    assert "found contacts up to 2026-03-20 whose numbers are no customers'" in notes(found)[0]
    assert "id_digits" in notes(found)[0]


def test_contacts_of_those_who_refuse_tell_nothing_of_the_others(engine: Engine, tmp_path: Path) -> None:
    customers = "customer_key | may_use_calls\n0 | no\n1 | yes\n2 | yes"
    found = found_with(engine, tmp_path, "0 | 1 | 2026-03-20 | 2026-03-20", customers)
    assert_unknown(found)
    assert "only contacts of customers who refuse the use of their calls" in notes(found)[0]


def test_what_is_not_known_yet_is_no_contact(engine: Engine, tmp_path: Path) -> None:
    found = found_with(engine, tmp_path, "0 | 1 | 2026-03-20 | 2026-04-01")
    assert_unknown(found)
    assert "found no contact known by then" in notes(found)[0]


def test_a_contact_of_one_who_became_a_customer_later_is_none_of_a_customer(
    engine: Engine, tmp_path: Path
) -> None:
    customers = "customer_key | joined_at\n0 | 2025-01-01\n1 | 2025-01-01\n2 | 2026-05-01"
    found = found_with(engine, tmp_path, "2 | -9 | 2026-03-20 | 2026-03-20", customers)
    assert_unknown(found)


def test_hubs_alone_are_no_silence(engine: Engine, tmp_path: Path) -> None:
    rows = "\n".join(f"0 | -{number} | 2026-03-20 | 2026-03-20" for number in range(2, 110))
    found = found_with(engine, tmp_path, rows)
    assert shown(found, "n_ties") == [("c0", None), ("c1", 0)]
    assert notes(found) == []


@pytest.mark.parametrize("days", [30, 90])
def test_silence_is_judged_by_the_latest_usable_contact_of_a_customer(days: int) -> None:
    """Every mix of who is in contact, against the rule in plain words."""
    begin = AS_OF.days_before(days)
    kinds = [(of_customer, permitted) for of_customer in (False, True) for permitted in (False, True)]
    for last in (begin, AS_OF.days_before(days + 1)):
        for kind in kinds:
            supply = pl.DataFrame(
                [(*kind, last)], schema=["is_of_customer", "is_permitted", "last_at"], orient="row"
            )
            found = silence_of(supply, AS_OF, days)
            assert (found is None) == (all(kind) and last >= begin)
            if found is not None:
                assert found.error.codes == ("ties_unknown",)
                assert found.error.exit_code == 12
