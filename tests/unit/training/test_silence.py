"""That the customers' file ends before the date looked from is told where it is unlike the file, and else not."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from churnrisk.config import ChurnSettings
from churnrisk.dates import AsOf
from churnrisk.tables.lake import LakeTables
from training.silence import FEWEST_DAYS, LOOK_BACK_DAYS, PLENTY_DAYS, silence_of, silence_words

LAST = date(2026, 6, 30)
CANCELLED = ChurnSettings()  # a window of 30 days: three days are never told


def every(n_days: int, n: int, until: date = LAST) -> list[date]:
    """``n`` days, so many apart, the last one ``until``."""
    return sorted(until - timedelta(days=n_days * place) for place in range(n))


@pytest.mark.parametrize(
    ("days", "silent", "is_told", "why"),
    [
        (every(1, 300), 3, False, "a tenth of the window hides few"),
        (every(1, 300), 4, True, "a file of every day that ends"),
        (every(7, 53), 14, False, "a file of every week, of which two did not come"),
        (every(7, 53), 15, True, "and a third"),
        (every(6, 61), 6, False, "as long as ever"),
        (every(6, 61), 7, True, "longer than ever, of plenty"),
        (every(30, 12), 60, False, "a small base, where nothing happens for weeks"),
        (every(30, 12), 61, True, "twice as long as ever"),
        (every(1, FEWEST_DAYS - 1), 300, False, "nobody can say what is usual"),
        ([], 300, False, "nothing at all"),
    ],
)
def test_a_silence_is_told_when_it_is_longer_than_the_year_before_had_any(
    days: list[date], silent: int, is_told: bool, why: str
) -> None:
    found = silence_of(pl.Series(days, dtype=pl.Date), AsOf(LAST + timedelta(days=silent)), least_days=3)
    assert (found is not None) == is_told, why
    if found is not None:
        assert (found.since, found.days) == (LAST, silent)


def test_what_happened_later_or_longer_than_a_year_before_does_not_count() -> None:
    old = [LAST - timedelta(days=LOOK_BACK_DAYS + 200), *every(1, 100)]
    assert silence_of(pl.Series(old), AsOf(LAST + timedelta(days=5)), least_days=3) is not None
    later = [*every(1, 100), LAST + timedelta(days=50)]
    found = silence_of(pl.Series(later), AsOf(LAST + timedelta(days=5)), least_days=3)
    assert found is not None
    assert found.since == LAST


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3, 0.9])
def test_files_that_go_on_are_hardly_ever_said_to_have_ended(rate: float) -> None:
    """A year in which something happens on any day with one probability, looked from on its last day."""
    rng = np.random.default_rng(7)
    year = np.array([LAST - timedelta(days=place) for place in range(LOOK_BACK_DAYS)])
    told = [
        silence_of(
            pl.Series(year[rng.random(len(year)) < rate].tolist(), dtype=pl.Date), AsOf(LAST), least_days=3
        )
        for _ in range(2_000)
    ]
    assert sum(each is not None for each in told) / len(told) < 0.015
    assert PLENTY_DAYS > LOOK_BACK_DAYS * 0.1


def customers(
    folder: Path, *, joined: list[date], left: list[tuple[date, date]], known: list[date] | None = None
) -> LakeTables:
    """Somebody who joined on each day, and somebody else who left on each first, as was known on each second."""
    old = datetime(2020, 1, 1)
    frame = pl.concat(
        [
            pl.DataFrame({"joined_at": joined}).with_columns(
                left_at=pl.lit(None), left_known_at=pl.lit(None)
            ),
            pl.DataFrame(left, schema=["left_at", "left_known_at"], orient="row").with_columns(
                joined_at=pl.lit(old)
            ),
        ],
        how="diagonal_relaxed",
    ).with_columns(pl.col("joined_at", "left_at", "left_known_at").cast(pl.Datetime("us")))
    frame = frame.with_columns(
        valid_from=pl.lit(None, pl.Datetime("us")),
        known_at=pl.col("joined_at") if known is None else pl.Series(known).cast(pl.Datetime("us")),
    )
    frame.write_parquet(folder / "customers.parquet")
    return LakeTables({"customers": folder / "customers.parquet"})


def test_a_file_that_ends_is_told_with_its_end_and_what_to_do(tmp_path: Path) -> None:
    """Contracts end a month after notice: what was known ahead goes on for a month and tells nothing."""
    left = [(day + timedelta(days=31), day) for day in every(1, 200)]
    tables = customers(tmp_path, joined=every(1, 200), left=left)
    assert silence_words(tables, CANCELLED, AsOf(LAST + timedelta(days=3))) == ()
    (told,) = silence_words(tables, CANCELLED, AsOf(LAST + timedelta(days=20)))
    assert told.startswith(
        "the customers' file: nothing in it changed after 2026-06-30, 20 days before 2026-07-20"
    )
    assert "never was silent for more than 1: whoever left since then counts as staying" in told
    assert told.endswith("or name 2026-06-30 with --as-of")
    inactive = ChurnSettings.model_validate({"kind": "inactive", "inactive_days": 90})
    assert silence_words(tables, inactive, AsOf(LAST + timedelta(days=20))) == ()
    assert silence_words(LakeTables({}), CANCELLED, AsOf(LAST)) == ()


def test_leavings_that_end_while_customers_go_on_joining_are_told(tmp_path: Path) -> None:
    gone = LAST - timedelta(days=25)
    tables = customers(tmp_path, joined=every(1, 200), left=[(day, day) for day in every(1, 150, gone)])
    (told,) = silence_words(tables, CANCELLED, AsOf(LAST))
    assert told.startswith(
        f"the customers' file goes on, but no leaving became known after {gone}, 25 days before"
    )
    assert silence_words(tables, CANCELLED, AsOf(gone)) == ()


def test_a_small_base_where_hardly_anything_happens_is_left_in_peace(tmp_path: Path) -> None:
    """Some fifteen leave a year, and as many join."""
    rng = np.random.default_rng(2)
    days = sorted(LAST - timedelta(days=int(back)) for back in rng.integers(20, 365, 30))
    tables = customers(tmp_path, joined=days[::2], left=[(day, day) for day in days[1::2]])
    assert silence_words(tables, CANCELLED, AsOf(LAST)) == ()


def test_what_became_known_after_the_date_shows_that_the_file_goes_on(tmp_path: Path) -> None:
    """Looked back from a day in a quiet month: the file, read later, holds what came after."""
    later = LAST + timedelta(days=40)
    joined = [*every(1, 200), later]
    tables = customers(tmp_path, joined=joined, left=[(day, day) for day in joined])
    assert silence_words(tables, CANCELLED, AsOf(LAST + timedelta(days=30))) == ()


def test_an_extract_says_by_its_own_date_how_far_it_reaches(tmp_path: Path) -> None:
    """One state per customer, extracted on the day looked from, in which nothing happened for three weeks."""
    joined = every(1, 200, LAST - timedelta(days=21))
    gone = [(day, day) for day in every(30, 7)]
    known = [LAST] * (len(joined) + len(gone))
    tables = customers(tmp_path, joined=joined, left=gone, known=known)
    assert silence_words(tables, CANCELLED, AsOf(LAST)) == ()
