"""Which word on a consent is in force, against a slow twin that goes through the words one by one."""

from __future__ import annotations

from dataclasses import dataclass
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


def table(rows: list[Row], default: bool) -> pl.DataFrame:
    made = pl.DataFrame(
        {
            "customer_key": [7] * len(rows),
            "version": range(len(rows)),
            "valid_from": [row.valid_from for row in rows],
            "known_at": [row.known_at for row in rows],
            NAME: [default if row.value is None else row.value for row in rows],
            f"said_{NAME}": [row.value is not None for row in rows],
        },
        schema_overrides={"valid_from": pl.Datetime("us"), "known_at": pl.Datetime("us")},
    )
    return made.with_columns(may_survey=pl.lit(value=True))


def recorded(words: list[Word]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "customer_id": ["a"] * len(words),
            "consent": [NAME] * len(words),
            "at": [word.at for word in words],
            "value": [word.value for word in words],
        },
        schema={
            "customer_id": pl.String,
            "consent": pl.String,
            "at": pl.Datetime("us"),
            "value": pl.Boolean,
        },
    )


def found(rows: list[Row], default: bool, words: list[Word], by: datetime = NOW) -> bool:
    crm = file_words(table(rows, default).lazy(), by, CONSENTS).collect()
    told = crm.with_columns(customer_id=pl.lit("a")).drop("customer_key")
    return bool(consents_in_force(told, recorded(words), "UTC", by).item(0, NAME))


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_the_word_in_force_is_what_going_through_the_words_one_by_one_says(data: st.DataObject) -> None:
    rows, words, default = data.draw(files()), data.draw(WORDS), data.draw(st.booleans())
    assert found(rows, default, words) == twin(rows, default, words, NOW)
    in_any_order = data.draw(st.permutations(words))
    assert found(rows, default, in_any_order) == found(rows, default, words)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_refusal_is_undone_by_nothing_but_a_later_yes(data: st.DataObject) -> None:
    """However many rows and extracts come after it: nobody says yes, so nobody may be contacted."""
    rows, words, default = data.draw(files()), data.draw(WORDS), data.draw(st.booleans())
    refusal = Word(max([NOW - timedelta(days=30), *(word.at for word in words)]), value=False)
    last = rows[-1]
    nothing_new = [
        Row(
            None if last.valid_from is None else last.known_at + timedelta(days=extract),
            last.known_at + timedelta(days=extract),
            last.value,
        )
        for extract in range(1, data.draw(st.integers(1, 3)) + 1)
    ]
    by = NOW + timedelta(days=30)
    assert found([*rows, *nothing_new], default, [*words, refusal], by) == found(
        rows, default, [*words, refusal], by
    )
    if last.valid_from is None or last.value is None:
        assert not found([*rows, *nothing_new], default, [*words, refusal], by)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_nothing_that_the_file_learns_later_changes_what_it_said(data: st.DataObject) -> None:
    rows = data.draw(files())
    known = [row for row in rows if row.known_at < NOW and (row.valid_from or row.known_at) < NOW]
    if not known:
        return
    words, default = data.draw(WORDS), data.draw(st.booleans())
    assert found(rows, default, words) == found(known, default, words)
