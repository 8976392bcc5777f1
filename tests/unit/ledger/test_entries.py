"""Written twice is written once; what comes back is what was written, in any script and to the microsecond."""

from collections.abc import Sequence
from datetime import date, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from churnrisk.ledger import Ledger
from churnrisk.ledger.entries import add, put
from churnrisk.ledger.facts import schema_of, whole
from churnrisk.ledger.schema import METADATA, TREATMENTS

AT = datetime(2026, 5, 2, 3, 4, 5, 678)


def treatments(**columns: Sequence[object]) -> pl.DataFrame:
    n = len(next(iter(columns.values())))
    defaults: dict[str, object] = {
        "customer_id": "a",
        "offer_id": "discount",
        "campaign_id": None,
        "at": AT,
        "known_at": AT,
        "propensity": None,
        "accepted": None,
        "root_cause": None,
        "instead_of": None,
        "source": "file",
        "as_of": None,
        "written_at": AT,
        "withdrawn_at": None,
        "left_alone": None,
    }
    filled = {name: [value] * n for name, value in defaults.items() if name not in columns}
    return pl.DataFrame({**columns, **filled}, schema=schema_of(TREATMENTS), strict=False)


def test_every_table_gives_back_what_it_holds(ledger: Ledger) -> None:
    texts = ['O\'Brien\n"x" \\ {:rows} %s', "Ольга", "王小明 😀", ""]
    row = treatments(
        treatment_id=texts,
        propensity=[0.1, 1e-300, None, 1.0],
        accepted=[True, False, None, True],
        as_of=[date(2026, 5, 1), None, None, None],
        root_cause=[*texts[:3], None],
    )
    with ledger.writing() as db:
        assert add(db, TREATMENTS, row) == 4
        assert_frame_equal(whole(db, TREATMENTS), row, check_row_order=False)
        for table in METADATA.tables.values():
            assert whole(db, table).schema == pl.Schema(schema_of(table))


def test_the_same_rows_again_change_nothing(ledger: Ledger) -> None:
    first = treatments(treatment_id=["t1", "t2"])
    with ledger.writing() as db:
        assert add(db, TREATMENTS, first) == 2
        assert add(db, TREATMENTS, treatments(treatment_id=["t2", "t3"], offer_id=["other", "other"])) == 1
        assert whole(db, TREATMENTS)["offer_id"].to_list() == ["discount", "discount", "other"]
        assert add(db, TREATMENTS, first.clear()) == 0


def test_what_became_known_later_is_filled_in_and_counted_once(ledger: Ledger) -> None:
    with ledger.writing() as db:
        put(db, TREATMENTS, treatments(treatment_id=["t1", "t2"]), ["accepted", "root_cause"])
        later = treatments(treatment_id=["t1", "t2"], accepted=[True, None], offer_id=["x", "x"])
        assert put(db, TREATMENTS, later, ["accepted", "root_cause"]) == 1
        assert put(db, TREATMENTS, later, ["accepted", "root_cause"]) == 0
        found = whole(db, TREATMENTS)
    assert found["accepted"].to_list() == [True, None]
    assert found["offer_id"].to_list() == ["discount", "discount"]


def test_of_rows_with_one_key_the_first_counts(ledger: Ledger) -> None:
    with ledger.writing() as db:
        assert add(db, TREATMENTS, treatments(treatment_id=["t", "t"], offer_id=["first", "second"])) == 1
        assert whole(db, TREATMENTS)["offer_id"].to_list() == ["first"]


def test_known_before_an_instant_is_strictly_before(ledger: Ledger) -> None:
    with ledger.writing() as db:
        add(db, TREATMENTS, treatments(treatment_id=["t"]))
        assert whole(db, TREATMENTS, AT).is_empty()
        assert whole(db, TREATMENTS, datetime(2026, 5, 2, 3, 4, 5, 679)).height == 1


def test_a_text_may_hold_what_postgresql_cannot(ledger: Ledger) -> None:
    with ledger.writing() as db:
        add(db, TREATMENTS, treatments(treatment_id=["t"], root_cause=["a\x00b"]))
        assert whole(db, TREATMENTS)["root_cause"].to_list() == ["ab"]


@pytest.mark.parametrize("n_rows", [120_000])
def test_many_rows_take_several_statements_and_all_arrive(ledger: Ledger, n_rows: int) -> None:
    frame = treatments(treatment_id=[f"t{number}" for number in range(n_rows)])
    with ledger.writing() as db:
        assert add(db, TREATMENTS, frame) == n_rows
        assert put(db, TREATMENTS, frame.with_columns(accepted=True), ["accepted"]) == n_rows
        assert whole(db, TREATMENTS)["accepted"].sum() == n_rows
