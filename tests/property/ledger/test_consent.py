"""Which word on a consent is in force, against a slow twin that goes through the words one by one.

An example is a table of several customers: what one of them says must not reach another either.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from churnrisk.ledger.consent import file_words
from churnrisk.ledger.permission import CONSENTS, consents_in_force

NOW = datetime(2026, 5, 10)
NAME = "may_contact"


@dataclass(frozen=True)
class Row:
    """A row of the customers' file: its date (None: the file has none), when it was known, what it says."""

    valid_from: datetime | None
    known_at: datetime
    value: bool | None


@dataclass(frozen=True)
class Word:
    at: datetime
    value: bool


INSTANTS = st.integers(-16, 8).map(lambda quarters: NOW + timedelta(hours=6 * quarters))
WORDS = st.lists(st.builds(Word, INSTANTS, st.booleans()), max_size=4)
VALUES = st.sampled_from([True, True, False, None])


@st.composite
def files(draw: st.DrawFn) -> list[Row]:
    """One customer's rows in the order of the validated table."""
    starts = sorted(draw(st.lists(INSTANTS, min_size=1, max_size=5, unique=True)))
    if draw(st.booleans()):
        return [
            Row(start, start + timedelta(hours=6 * draw(st.integers(0, 4))), draw(VALUES)) for start in starts
        ]
    return [Row(None, start, draw(VALUES)) for start in starts]


def spoke(value: bool, at: datetime) -> tuple[datetime, bool]:
    """What a word is held against others by: a refusal with a date alone to the day's end, and first of equals."""
    has_date_alone = (at.hour, at.minute) == (0, 0)
    late = at + timedelta(hours=24, microseconds=-1) if has_date_alone and not value else at
    return late, not value


def twin(rows: list[Row], default: bool, words: list[Word], by: datetime) -> bool:
    known = [row for row in rows if row.known_at < by and (row.valid_from or row.known_at) < by]
    said: bool | None = None
    since: datetime | None = None
    silent = True
    for row in known:
        if row.value is None:
            silent = True
            continue
        if row.value != said or (row.value is False and silent):
            since = row.valid_from
        said, silent = row.value, False
    present = known[-1] if known else rows[0]
    since = since if known else None
    if present.value is None and said is False:
        present = Row(since, present.known_at, value=False)
    heard = [word for word in words if not word.value or word.at <= by + timedelta(hours=1)]
    if not heard:
        return default if present.value is None else present.value
    ours = max(heard, key=lambda word: spoke(word.value, word.at))
    if present.value is None:
        return ours.value
    if since is None:
        return present.value and ours.value
    if spoke(present.value, since)[0] == spoke(ours.value, ours.at)[0]:
        return present.value and ours.value
    return ours.value if spoke(ours.value, ours.at) > spoke(present.value, since) else present.value


@dataclass(frozen=True)
class Customer:
    rows: list[Row]
    default: bool
    """What the settings fill where a row has no value."""
    words: list[Word]

    def twin(self, by: datetime) -> bool:
        return twin(self.rows, self.default, self.words, by)


CUSTOMERS = st.lists(st.builds(Customer, files(), st.booleans(), WORDS), min_size=1, max_size=12)


def examples(n_customers: int) -> settings:
    """Return as many examples as hold so many customers: six each, as lists up to twelve are drawn."""
    return settings(max_examples=n_customers // 6, deadline=None)


def table(customers: list[Customer]) -> pl.DataFrame:
    rows = [
        (
            key,
            version,
            row.valid_from,
            row.known_at,
            each.default if row.value is None else row.value,
            row.value,
        )
        for key, each in enumerate(customers)
        for version, row in enumerate(each.rows)
    ]
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "customer_key": pl.Int64,
        "version": pl.Int64,
        "valid_from": pl.Datetime("us"),
        "known_at": pl.Datetime("us"),
        NAME: pl.Boolean,
        "value": pl.Boolean,
    }
    made = pl.DataFrame(rows, schema=schema, orient="row")
    return made.with_columns(
        pl.col("value").is_not_null().alias(f"said_{NAME}"), may_survey=pl.lit(value=True)
    )


def recorded(customers: list[Customer]) -> pl.DataFrame:
    rows = [
        (str(key), NAME, word.at, word.value) for key, each in enumerate(customers) for word in each.words
    ]
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "customer_id": pl.String,
        "consent": pl.String,
        "at": pl.Datetime("us"),
        "value": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def found(customers: list[Customer], by: datetime = NOW) -> list[bool]:
    """Return each customer's word in force, in their order."""
    crm = file_words(table(customers).lazy(), by, CONSENTS).collect().sort("customer_key")
    assert crm["customer_key"].to_list() == list(range(len(customers)))
    told = crm.with_columns(customer_id=pl.col("customer_key").cast(pl.String)).drop("customer_key")
    merged = consents_in_force(told, recorded(customers), "UTC", by)
    assert merged["customer_id"].to_list() == told["customer_id"].to_list()
    return merged[NAME].to_list()


@examples(600)
@given(CUSTOMERS, st.data())
def test_the_word_in_force_is_what_going_through_the_words_one_by_one_says(
    customers: list[Customer], data: st.DataObject
) -> None:
    assert found(customers) == [each.twin(NOW) for each in customers]
    in_any_order = [replace(each, words=data.draw(st.permutations(each.words))) for each in customers]
    assert found(in_any_order) == found(customers)


@examples(300)
@given(CUSTOMERS, st.data())
def test_a_refusal_is_undone_by_nothing_but_a_later_yes(
    customers: list[Customer], data: st.DataObject
) -> None:
    """However many rows and extracts come after it: nobody says yes, so nobody may be contacted."""
    refused = [
        replace(
            each,
            words=[
                *each.words,
                Word(max([NOW - timedelta(days=30), *(word.at for word in each.words)]), value=False),
            ],
        )
        for each in customers
    ]
    repeated = [
        replace(each, rows=[*each.rows, *nothing_new(each.rows[-1], data.draw(st.integers(1, 3)))])
        for each in refused
    ]
    by = NOW + timedelta(days=30)
    in_force = found(repeated, by)
    assert in_force == found(refused, by)
    assert not any(
        may
        for may, each in zip(in_force, customers, strict=True)
        if each.rows[-1].valid_from is None or each.rows[-1].value is None
    )


def nothing_new(last: Row, n_extracts: int) -> list[Row]:
    """Return extracts that repeat the last row."""
    return [
        Row(
            None if last.valid_from is None else last.known_at + timedelta(days=extract),
            last.known_at + timedelta(days=extract),
            last.value,
        )
        for extract in range(1, n_extracts + 1)
    ]


@examples(300)
@given(CUSTOMERS)
def test_nothing_that_the_file_learns_later_changes_what_it_said(customers: list[Customer]) -> None:
    so_far = [
        replace(
            each,
            rows=[row for row in each.rows if row.known_at < NOW and (row.valid_from or row.known_at) < NOW],
        )
        for each in customers
    ]
    known = [place for place, each in enumerate(so_far) if each.rows]
    if not known:
        return
    with_all = found(customers)
    assert [with_all[place] for place in known] == found([so_far[place] for place in known])
