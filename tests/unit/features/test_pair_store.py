"""Which stretches of days a window is made of, which are kept, and what a night reads again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import compute, parquet

from churnrisk.dates import AsOf
from churnrisk.store import Engine
from churnrisk.tables.marks import MARKS_NAME, call_marks, joined_marks, marks_of
from features import pair_store
from features.library import library
from features.pair_store import LONGEST_STRETCH_DAYS, DamagedStretchError, PairStore, PairWindow, stretches
from features.ties.decay import as_of_base, base_of, newest_weight, weights
from tests.spec.features.drawn import completed, features_of, lake

DAY = timedelta(days=1)
LAST = date(2026, 3, 31)


def drawn_calls(n_days: int = 100, customers: int = 6) -> pl.DataFrame:
    """Two calls on each of the days before 1 April, among changing customers."""
    midnight = datetime(2026, 4, 1)
    rows = [
        {
            "caller_key": day % customers,
            "callee_key": (day + step) % customers,
            "started_at": midnight - day * DAY,
        }
        for day in range(1, n_days + 1)
        for step in (1, 2)
    ]
    return completed("calls", pl.DataFrame(rows)).sort("started_at", "caller_key", "callee_key")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(threads=2) as opened:
        yield opened


def night(
    engine: Engine, folder: Path, calls: pl.DataFrame, day: date, beside: tuple[AsOf, ...] = ()
) -> tuple[pl.DataFrame, int]:
    """Pairs of a 90-day window, and how many days were read for them."""
    store, pairs = paired(engine, folder, calls, day, beside)
    return pairs, store.n_counted_days


def paired(
    engine: Engine, folder: Path, calls: pl.DataFrame, day: date, beside: tuple[AsOf, ...] = ()
) -> tuple[PairStore, pl.DataFrame]:
    """The store after it gave the pairs of a 90-day window, and these."""
    path = folder / "part-0.parquet"
    calls.write_parquet(path)
    engine.register("calls", path)
    as_of = AsOf(day)
    parameters = {"as_of": as_of.instant, "history_from": as_of.days_before(90)}
    store = PairStore(folder / "pairs", engine, library().statements["contacts_between"], parameters, path)
    return store, store.call_pairs(PairWindow(as_of, 90, beside)).sort("key_a", "key_b")


def test_a_window_is_covered_day_by_day_once() -> None:
    for n_days in (1, 7, 30, 31, 90, 590):
        window = PairWindow(AsOf(LAST), n_days)
        days = [day for part in window.cover for day in range(part.first, part.end)]
        assert days == list(range(window.last - n_days + 1, window.last + 1))
        assert [part.n_days for part in window.cover][-2:] == [1, 1][: min(2, n_days)]
        assert all(part.first % part.n_days == 0 for part in window.cover)
        assert any(part.end == window.recent_from for part in window.cover) or n_days <= 30


def test_the_longest_stretch_has_its_limit() -> None:
    assert {part.n_days for part in stretches(0, 200)} == {LONGEST_STRETCH_DAYS, 8}


def test_a_night_after_another_reads_its_own_day_only(engine: Engine, tmp_path: Path) -> None:
    calls = drawn_calls()
    assert night(engine, tmp_path, calls, LAST - DAY)[1] == 90
    assert night(engine, tmp_path, calls, LAST - DAY)[1] == 0
    # Two stretches lose their first day, the oldest and the oldest of the recent ones: never counted in parts so far.
    assert night(engine, tmp_path, calls, LAST)[1] <= 1 + 2 * LONGEST_STRETCH_DAYS


def test_the_oldest_days_are_read_again_only_while_none_was_kept_day_by_day(
    engine: Engine, tmp_path: Path
) -> None:
    calls = drawn_calls(n_days=230)
    counted = [night(engine, tmp_path, calls, LAST - ago * DAY)[1] for ago in range(130, -1, -1)]
    assert counted[0] == 90
    assert set(counted[95:]) == {1}


@pytest.mark.parametrize("step", [7, 28, 30, 31])
def test_snapshots_beside_each_other_count_each_day_once(engine: Engine, tmp_path: Path, step: int) -> None:
    dates = tuple(AsOf(LAST - step * number * DAY) for number in range(5))
    calls = drawn_calls(n_days=90 + 4 * step)
    counted = sum(night(engine, tmp_path, calls, as_of.day, dates)[1] for as_of in dates)
    assert counted == 90 + 4 * step
    assert sum(night(engine, tmp_path, calls, as_of.day, dates)[1] for as_of in reversed(dates)) == 0


def test_snapshots_beside_a_window_do_not_change_how_it_is_cut_when_they_are_itself() -> None:
    window = PairWindow(AsOf(LAST), 90)
    assert PairWindow(AsOf(LAST), 90, (AsOf(LAST),)).cover == window.cover
    far = (AsOf(LAST - 400 * DAY),)
    assert PairWindow(AsOf(LAST), 90, far).cover == window.cover


def test_a_call_that_comes_late_has_its_day_counted_again(engine: Engine, tmp_path: Path) -> None:
    calls = drawn_calls()
    first, _ = night(engine, tmp_path, calls, LAST)
    day = datetime(2026, 3, 20, 12)
    late = completed("calls", pl.DataFrame([{"caller_key": 0, "callee_key": 1, "started_at": day}]))
    second, n_days = night(engine, tmp_path, pl.concat([calls, late]).sort("started_at"), LAST)
    assert second["n_ab"].sum() == first["n_ab"].sum() + 1
    assert 1 <= n_days <= LONGEST_STRETCH_DAYS
    unknown = late.with_columns(known_at=pl.lit(datetime(2026, 4, 1)))
    third, _ = night(engine, tmp_path, pl.concat([calls, unknown]).sort("started_at"), LAST)
    assert third.equals(first)


def test_a_run_that_died_half_way_does_no_harm(engine: Engine, tmp_path: Path) -> None:
    calls = drawn_calls()
    expected, _ = night(engine, tmp_path, calls, LAST)
    kept = sorted((tmp_path / "pairs").iterdir())
    kept[0].with_suffix(".half").write_bytes(b"PAR1")
    kept[1].unlink()
    assert night(engine, tmp_path, calls, LAST)[0].equals(expected)
    assert not list((tmp_path / "pairs").glob("*.half"))


def swapped(path: Path) -> None:
    """Whole Parquet of other facts: one contact the more, all else as it was."""
    table = parquet.read_table(path)
    more = compute.add(table["n_ab"], pa.scalar(1, pa.int32()))
    parquet.write_table(table.set_column(table.column_names.index("n_ab"), "n_ab", more), path)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut in half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "last byte lost": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "emptied": lambda path: path.write_bytes(b""),
    "overwritten with zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "no rows left": lambda path: pl.read_parquet(path).head(0).write_parquet(path),
    "no rows left, sums kept": lambda path: parquet.write_table(parquet.read_table(path).slice(0, 0), path),
    "rewritten without sums": lambda path: pl.read_parquet(path).write_parquet(path),
    "a column lost": lambda path: parquet.write_table(parquet.read_table(path).drop_columns("trains"), path),
    "a fact changed": swapped,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_stretch_is_thrown_away_and_counted_again(
    engine: Engine, tmp_path: Path, damage: str
) -> None:
    calls = drawn_calls()
    expected, _ = night(engine, tmp_path, calls, LAST)
    kept = sorted((tmp_path / "pairs").iterdir())
    longest = max(kept, key=lambda path: int(path.name.split("-")[3]))
    whole = {path: path.read_bytes() for path in (longest, kept[-1])}
    for path in whole:
        DAMAGES[damage](path)
    again, n_days = night(engine, tmp_path, calls, LAST)
    assert again.equals(expected)
    assert n_days == sum(int(path.name.split("-")[3]) for path in whole)
    assert {path: path.read_bytes() for path in whole} == whole
    assert night(engine, tmp_path, calls, LAST)[1] == 0


def test_what_was_damaged_is_said_with_its_days_and_only_once(engine: Engine, tmp_path: Path) -> None:
    calls = drawn_calls()
    night(engine, tmp_path, calls, LAST)
    kept = sorted((tmp_path / "pairs").iterdir())
    longest = max(kept, key=lambda path: int(path.name.split("-")[3]))
    for path in (longest, kept[-1]):
        path.write_bytes(b"PAR1")
    first = date.fromisoformat(longest.name[:10])
    last = first + timedelta(days=int(longest.name.split("-")[3]) - 1)
    (note,) = paired(engine, tmp_path, calls, LAST)[0].notes
    days = f"{first} to {last}, {kept[-1].name[:10]}"
    assert note.startswith(f"kept pairs of {days} were damaged: thrown away and counted again")
    assert paired(engine, tmp_path, calls, LAST)[0].notes == ()
    kept[-1].unlink()
    assert paired(engine, tmp_path, calls, LAST)[0].notes == ()


def test_damaged_parts_of_a_stretch_are_counted_again(engine: Engine, tmp_path: Path) -> None:
    calls = drawn_calls()
    for ago in range(9, 0, -1):
        night(engine, tmp_path, calls, LAST - ago * DAY)
    for path in (tmp_path / "pairs").iterdir():
        path.write_bytes(b"PAR1")
    damaged, n_days = night(engine, tmp_path, calls, LAST)
    assert n_days == 90
    (tmp_path / "fresh").mkdir()
    assert damaged.equals(night(engine, tmp_path / "fresh", calls, LAST)[0])


def test_a_stretch_that_stays_damaged_is_said_after_one_more_count(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair_store, "_write", lambda _facts, path: path.write_bytes(b"PAR1"))
    with pytest.raises(DamagedStretchError):
        night(engine, tmp_path, drawn_calls(), LAST)


def test_what_is_no_file_of_ours_is_left_alone(engine: Engine, tmp_path: Path) -> None:
    calls = drawn_calls()
    expected, _ = night(engine, tmp_path, calls, LAST)
    foreign = tmp_path / "pairs" / "backup"
    foreign.mkdir()
    (foreign / "old.parquet").write_bytes(b"PAR1")
    others = [tmp_path / "pairs" / name for name in (".DS_Store", "notes.txt", "other.parquet")]
    for path in others:
        path.write_bytes(b"")
    assert night(engine, tmp_path, calls, LAST)[0].equals(expected)
    assert night(engine, tmp_path, calls, LAST + DAY)[0].height
    assert all(path.is_file() for path in (*others, foreign / "old.parquet"))


def test_a_stretch_is_on_the_disk_before_it_has_its_name(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    replace = Path.replace

    def replaced(path: Path, target: Path) -> Path:
        assert path.stat().st_ino in flushed
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", lambda descriptor: flushed.append(os.fstat(descriptor).st_ino))
    monkeypatch.setattr(Path, "replace", replaced)
    night(engine, tmp_path, drawn_calls(), LAST)
    assert len(flushed) == len(list((tmp_path / "pairs").iterdir()))


def test_calls_out_of_order_are_counted_in_order(engine: Engine, tmp_path: Path) -> None:
    calls = drawn_calls()
    expected, _ = night(engine, tmp_path, calls, LAST)
    shuffled, n_days = night(
        engine, tmp_path / ".." / tmp_path.name, calls.sample(fraction=1, shuffle=True, seed=1), LAST
    )
    assert (shuffled.equals(expected), n_days) == (True, 0)
    for path in (tmp_path / "pairs").iterdir():
        path.unlink()
    assert night(engine, tmp_path, calls.sample(fraction=1, shuffle=True, seed=1), LAST)[0].equals(expected)


def test_no_calls_give_no_pairs(engine: Engine, tmp_path: Path) -> None:
    found, _ = night(engine, tmp_path, drawn_calls().clear(), LAST)
    assert (found.height, found.columns[:2]) == (0, ["key_a", "key_b"])


def test_marks_add_up_over_parts_and_know_every_column(tmp_path: Path) -> None:
    calls = drawn_calls()
    whole = marks_of(calls.lazy())
    assert joined_marks([marks_of(calls[:50].lazy()), marks_of(calls[50:].reverse().lazy())]).equals(whole)
    for column in ("caller_key", "callee_key", "started_at", "duration_s", "is_missed", "kind", "known_at"):
        other = calls.with_columns(pl.lit(None, calls.schema[column]).alias(column))
        if column in {"started_at", "known_at"}:
            other = calls.with_columns(pl.col(column) + timedelta(microseconds=1))
        if column != "duration_s":
            assert not marks_of(other.lazy()).equals(whole), column
    calls.write_parquet(tmp_path / "part-0.parquet")
    assert call_marks(tmp_path / "part-0.parquet").equals(whole)
    whole.head(1).write_parquet(tmp_path / MARKS_NAME)
    assert call_marks(tmp_path / "part-0.parquet").height == 1


def test_weights_halve_exactly_and_move_with_their_base() -> None:
    day = LAST.toordinal()
    for half_life in (14, 30):
        days = np.arange(day - 600, day + 1)
        newest = as_of_base(day, half_life)
        found = weights(days, half_life, newest)
        assert found[-1] == newest_weight(day, half_life)
        kept = found > 0
        assert (found[kept][half_life:] == 2 * found[kept][:-half_life]).all()
        base = base_of(day - 40, half_life)
        assert (weights(days[-41:], half_life, base) << (base - newest) == found[-41:]).all()


def test_features_warn_of_what_was_damaged(engine: Engine, tmp_path: Path) -> None:
    customers = "customer_key\n" + "\n".join(map(str, range(6)))
    tables = replace(
        lake(tmp_path / "lake", customers=customers, calls=drawn_calls()), kept=tmp_path / "pairs"
    )
    whole = features_of(engine, tables)
    assert not [note for note in whole.notes if "damaged" in note]
    min((tmp_path / "pairs").iterdir()).write_bytes(b"PAR1")
    again = features_of(engine, tables)
    assert again.frame.equals(whole.frame)
    assert len([note for note in again.notes if note.startswith("kept pairs of 2026-01-01")]) == 1
