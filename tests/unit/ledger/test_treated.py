"""What is told of treatments is known from when it was told: a date looked at again sees what it saw."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from sqlalchemy import text

from churnrisk.ledger import Ledger, database
from churnrisk.ledger.facts import treatments
from churnrisk.ledger.taking import take_treatments
from churnrisk.ledger.treated import words_of
from churnrisk.store import Workspace
from tests.unit.ledger.desk import INSTANT, decide_offers

JUNE = datetime(2026, 6, 1)


def told(days: int, *, known: bool = True, **words: object) -> pl.DataFrame:
    at = JUNE + timedelta(days=days)
    return pl.DataFrame(
        {
            "treatment_id": ["t-a"],
            "customer_id": ["a"],
            "offer_id": ["discount"],
            "at": [INSTANT],
            "known_at": [at if known else None],
            "accepted": [words.get("accepted")],
            "root_cause": [words.get("root_cause")],
        },
        schema_overrides={"known_at": pl.Datetime("us"), "accepted": pl.Boolean, "root_cause": pl.String},
    )


def take(
    ledger: Ledger, rows: pl.DataFrame, now: datetime = JUNE + timedelta(days=90)
) -> tuple[int, int, int]:
    with ledger.writing() as db:
        found = take_treatments(db, rows, source="file", now=now)
    return found.n_new, found.n_changed, found.n_known


def seen(ledger: Ledger, days: int) -> tuple[object, ...]:
    with ledger.reading() as db:
        return treatments(db, JUNE + timedelta(days=days)).select("accepted", "root_cause").row(0)


def test_a_root_cause_told_today_is_not_seen_by_the_dates_before(ledger: Ledger) -> None:
    decide_offers(ledger, a="discount")
    now = JUNE + timedelta(days=10)
    assert take(ledger, told(0, known=False, root_cause="price"), now) == (0, 1, 0)
    assert seen(ledger, 10) == (None, None)
    assert seen(ledger, 11) == (None, "price")


def test_each_word_has_its_own_date_and_the_one_known_last_counts(ledger: Ledger) -> None:
    decide_offers(ledger, a="discount")
    assert take(ledger, told(1, accepted=False)) == (0, 1, 0)
    assert take(ledger, told(5, accepted=True, root_cause="price")) == (0, 1, 0)
    assert [seen(ledger, day) for day in (1, 2, 6)] == [(None, None), (False, None), (True, "price")]
    with ledger.reading() as db:
        assert treatments(db).select("accepted", "root_cause").row(0) == (True, "price")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_order_in_which_words_are_recorded_changes_nothing(
    ledger: Ledger, order: tuple[int, int]
) -> None:
    decide_offers(ledger, a="discount")
    rows = [told(1, accepted=False), told(5, accepted=True)]
    for place in (*order, *order):
        take(ledger, rows[place])
    assert [seen(ledger, day) for day in (2, 6)] == [(False, None), (True, None)]
    with ledger.reading() as db:
        assert words_of(db, pl.Series(["t-a"])).height == 2
        assert treatments(db)["accepted"].to_list() == [True]


def test_the_same_words_again_are_no_news(ledger: Ledger) -> None:
    decide_offers(ledger, a="discount")
    for known in (True, False):
        take(ledger, told(1, known=known, accepted=True, root_cause="price"))
        assert take(ledger, told(1, known=known, accepted=True, root_cause="price")) == (0, 0, 1)
    with ledger.reading() as db:
        assert words_of(db, pl.Series(["t-a"])).height == 2


def test_what_a_file_told_first_stays_known_from_then_when_it_is_corrected(ledger: Ledger) -> None:
    assert take(ledger, told(1, accepted=False)) == (1, 0, 0)
    assert take(ledger, told(5, accepted=True)) == (0, 1, 0)
    assert [seen(ledger, day) for day in (2, 6)] == [(False, None), (True, None)]


def test_what_stood_beside_decided_treatments_before_words_had_dates_is_known_from_the_migration_on(
    workspace: Workspace, environment: dict[str, str]
) -> None:
    """Nobody had written down when: a later date may see it, a date before the migration must not."""
    engine = database.opened_engine(environment["LEDGER_URL"])
    with engine.connect().execution_options(writes_alone=True) as db, db.begin():
        database._upgrade(db, "0002")
        for name, source in (("t-a", "decide"), ("t-b", "file")):
            db.execute(
                text(
                    "insert into treatments (treatment_id, customer_id, offer_id, at, known_at, accepted, root_cause, "
                    "source, written_at) values (:name, 'a', 'discount', :at, :at, true, 'price', :source, :at)"
                ),
                {"name": name, "at": "2026-05-03 00:00:00.000000", "source": source},
            )
    engine.dispose()
    with Ledger.open(workspace, environment) as ledger, ledger.reading() as db:
        before = treatments(db, JUNE).select("treatment_id", "accepted", "root_cause").rows()
        later = datetime.now(UTC).replace(tzinfo=None) + timedelta(seconds=1)
        after = treatments(db, later).select("accepted", "root_cause").rows()
    assert before == [("t-a", None, None), ("t-b", True, "price")]
    assert after == [(True, "price")] * 2


def test_words_on_many_treatments_are_kept_apart(ledger: Ledger) -> None:
    decide_offers(ledger, a="discount", b="discount", c="discount")
    each = [
        told(day, accepted=accepted).with_columns(treatment_id=pl.lit(f"t-{name}"), customer_id=pl.lit(name))
        for name, day, accepted in (("c", 5, True), ("a", 3, False), ("b", 4, True))
    ]
    assert take(ledger, pl.concat(each)) == (0, 3, 0)
    assert take(ledger, pl.concat(each[::-1])) == (0, 0, 3)
    with ledger.reading() as db:
        assert treatments(db)["accepted"].to_list() == [False, True, True]
        assert treatments(db, JUNE + timedelta(days=4, hours=1))["accepted"].to_list() == [False, True, None]
