"""Calls to ties at scale: a plain count by pair beside a cold build, and one more night beside a cold build of it.

    python -m tests.bench pairs [--full]

Calls come in bursts: two of a pair on a day when it talks, as among the calls of Copenhagen (2.1). Every contender runs
in a process of its own, on two threads. The marks by which a night knows the days that changed are made by loading.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

import numpy as np
import polars as pl

from churnrisk.dates import AsOf
from churnrisk.store import Engine
from churnrisk.tables.marks import MARKS_NAME, joined_marks, marks_of
from features.library import library
from features.pair_store import PairStore, PairWindow
from features.ties import tie_table
from tests.bench.measure import Measure, measured

FIRST = date(2026, 1, 1)
WINDOW_DAYS = 90
DAY_US = 86_400_000_000
CALLS_A_TALK = 2

Rows = list[list[object]]


def write_calls(
    folder: Path, n_customers: int, n_pairs: int, n_calls: int, n_days: int, seed: int = 1
) -> Path:
    """Write calls day by day as loading leaves them: by time, in row groups, with their marks beside."""
    from pyarrow import parquet

    draw = np.random.default_rng(seed)
    one = draw.integers(0, n_customers, n_pairs)
    is_near = draw.random(n_pairs) < 0.8
    step = np.where(is_near, draw.integers(1, 40, n_pairs), draw.integers(1, n_customers, n_pairs))
    other = (one + step) % n_customers
    chances = np.cumsum(draw.lognormal(0.0, 1.0, n_pairs))
    path = folder / "part-0.parquet"
    writer, marks = None, []
    for day in range(n_days):
        n_talks = n_calls // n_days // CALLS_A_TALK
        n_each = draw.geometric(1 / CALLS_A_TALK, n_talks)
        pair = np.repeat(np.searchsorted(chances, draw.random(n_talks) * chances[-1]), n_each)
        second = np.repeat(draw.integers(0, 80_000, n_talks), n_each) + draw.integers(0, 6_400, len(pair))
        order = np.argsort(second, kind="stable")
        pair = pair[order]
        at = (FIRST.toordinal() - date(1970, 1, 1).toordinal() + day) * DAY_US + second[order] * 1_000_000
        is_back, is_missed = draw.random(len(pair)) < 0.5, draw.random(len(pair)) < 0.1
        lasted = draw.exponential(90, len(pair)).astype(np.int64)
        calls = pl.DataFrame(
            {
                "caller_key": np.where(is_back, other[pair], one[pair]),
                "callee_key": np.where(is_back, one[pair], other[pair]),
                "started_at": pl.Series(at).cast(pl.Datetime("us")),
                "duration_s": pl.select(
                    pl.when(pl.lit(pl.Series(~is_missed))).then(pl.Series(lasted))
                ).to_series(),
                "is_missed": is_missed,
                "kind": pl.Series(["voice"]).new_from_index(0, len(pair)),
                "known_at": pl.Series(at + lasted * 1_000_000).cast(pl.Datetime("us")),
            }
        )
        table = calls.to_arrow(compat_level=pl.CompatLevel.oldest())
        writer = writer or parquet.ParquetWriter(path, table.schema, compression="zstd", compression_level=1)
        writer.write_table(table, row_group_size=122_880)
        marks.append(marks_of(calls.lazy()))
    if writer is not None:
        writer.close()
    joined_marks(marks).write_parquet(folder / MARKS_NAME)
    return path


def as_of_after(n_days: int) -> AsOf:
    """Give the as-of date whose last day is the ``n_days``-th of the calls."""
    return AsOf(date.fromordinal(FIRST.toordinal() + n_days - 1))


def count_by_pair(calls: str, n_days: int) -> dict[str, Any]:
    """Count plainly what the window's pairs are counted from."""
    day = as_of_after(n_days)
    with Engine(threads=2) as engine:
        engine.register("calls", Path(calls))
        engine.execute(
            "create temp table counted as select least(caller_key, callee_key) as a, "
            "greatest(caller_key, callee_key) as b, count(*) as n from calls "
            "where started_at >= $start and started_at < $stop group by all",
            {"start": day.days_before(WINDOW_DAYS), "stop": day.instant},
        )
        (row,) = engine.frame("select count(*) as n_pairs, sum(n)::bigint as n_calls from counted").rows()
    return {"n_pairs": row[0], "n_calls": row[1]}


def pairs_in_sql(calls: str, n_days: int, digest: bool = True) -> dict[str, Any]:
    """Count the window's pairs with the one statement that keeps nothing."""
    from churnrisk.config import ChurnSettings
    from features.quarters import quarter_hours
    from features.running import Run, parameters_of

    day, settings = as_of_after(n_days), ChurnSettings.model_validate({"history_days": WINDOW_DAYS})
    with Engine(threads=2, memory_limit="3GB", spill=Path(calls).parent / "spill") as engine:
        engine.register("calls", Path(calls))
        run = Run(engine, day, settings, library(), parameters_of(day, settings, day), {"calls"})
        run.put("quarter_hours", quarter_hours(day, WINDOW_DAYS))
        run.put("consents", pl.DataFrame(schema={"customer_key": pl.Int64, "may_use_calls": pl.Boolean}))
        run.make("call_pairs")
        return {"digest": _digest(run.rows("call_pairs")) if digest else ""}


def build(calls: str, kept: str, n_days: int, digest: bool = True) -> dict[str, Any]:
    """Make pairs and ties of a window with what the folder holds; seconds and processor seconds of each part."""
    day = as_of_after(n_days)
    window = PairWindow(day, WINDOW_DAYS)
    parameters = {"as_of": day.instant, "history_from": day.days_before(WINDOW_DAYS)}
    with Engine(threads=2, memory_limit="1GB") as engine:
        engine.register("calls", Path(calls))
        contacts = library().statements["contacts_between"]
        store = PairStore(Path(kept), engine, contacts, parameters, Path(calls))
        clock = _Clock()
        ledger = store.ledger(window)
        store.fold(ledger)
        clock.stop("fold")
        pairs = store.folded(ledger)
        clock.stop("as-of pass")
    found: dict[str, Any] = {"n_counted_days": store.n_counted_days, "n_pairs": pairs.height}
    found["digest"] = _digest(pairs) if digest else ""
    clock.start()
    nodes = pairs.rename({"key_a": "node_a", "key_b": "node_b"})
    del pairs
    ties = tie_table(nodes, as_of_us=day.instant_us)
    clock.stop("tie table")
    found["n_ties"] = ties.height
    found["kept_mb"] = sum(path.stat().st_size for path in Path(kept).iterdir()) / 1e6
    return {**found, **clock.parts}


class _Clock:
    """Wall and processor seconds of the parts of a run."""

    def __init__(self) -> None:
        self.parts: dict[str, tuple[float, float]] = {}
        self.start()

    def start(self) -> None:
        self._wall, self._busy = perf_counter(), process_time()

    def stop(self, part: str) -> None:
        self.parts[part] = (perf_counter() - self._wall, process_time() - self._busy)
        self.start()


def _digest(pairs: pl.DataFrame) -> str:
    rows = pairs.sort("key_a", "key_b")
    digest = hashlib.sha256()
    for name in rows.columns:
        digest.update(rows[name].to_numpy().tobytes())
    return digest.hexdigest()[:12]


def tables(full: bool) -> Sequence[tuple[str, Sequence[str], Rows]]:
    """Give the figures for `python -m tests.bench pairs`."""
    n_customers, n_pairs, n_calls = (
        (1_000_000, 6_650_000, 50_000_000) if full else (100_000, 665_000, 5_000_000)
    )
    with TemporaryDirectory() as place:
        folder = Path(place)
        n_all = n_calls * (WINDOW_DAYS + 2) // WINDOW_DAYS
        calls = str(write_calls(folder, n_customers, n_pairs, n_all, WINDOW_DAYS + 2))
        kept, fresh = str(folder / "kept"), str(folder / "fresh")
        module = "tests.bench.pairs_scale"
        warm = write_calls(_made(folder / "warm"), 100, 300, 9_200, WINDOW_DAYS + 2)
        measured(f"{module}:build", {"calls": str(warm), "kept": str(folder / "warm" / "kept"), "n_days": 92})
        days = WINDOW_DAYS
        plain = measured(f"{module}:count_by_pair", {"calls": calls, "n_days": days})
        sql = measured(f"{module}:pairs_in_sql", {"calls": calls, "n_days": days})
        cold = measured(f"{module}:build", {"calls": calls, "kept": kept, "n_days": days})
        first = measured(f"{module}:build", {"calls": calls, "kept": kept, "n_days": days + 1})
        again = measured(f"{module}:build", {"calls": calls, "kept": kept, "n_days": days + 2})
        other = measured(f"{module}:build", {"calls": calls, "kept": fresh, "n_days": days + 2})
        shutil.rmtree(kept)
    title = (
        f"{plain.result['n_calls']:,} calls of {n_customers:,} customers, {plain.result['n_pairs']:,} pairs, "
        f"{WINDOW_DAYS} days; two threads"
    )
    head = ["step", "seconds", "processor s", "of the count (busy)", "peak MB", "days read", "digest"]
    rows: Rows = [
        ["count by pair (plain DuckDB)", plain.seconds, plain.busy_seconds, 1.0, plain.peak_mb, 90, ""]
    ]
    statement = ["one statement (call_pairs.sql, 3 GB)", sql.seconds, sql.busy_seconds]
    ratio = _of((sql.seconds, sql.busy_seconds), plain)
    rows.append([*statement, ratio, sql.peak_mb, 90, sql.result["digest"]])
    rows += _rows("cold", cold, plain) + _rows("first night after", first, plain)
    rows += _rows("night after that", again, plain) + _rows("the same, cold", other, plain)
    return [(title, head, rows)]


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _rows(name: str, run: Measure, plain: Measure) -> Rows:
    result = run.result
    parts = ("fold", "as-of pass", "tie table")
    sums = {
        "calls to ties, as-of pass apart": ("fold", "tie table"),
        "calls to ties, all": parts,
    }
    rows: Rows = []
    for title, summed in sums.items():
        wall, busy = (sum(result[part][kind] for part in summed) for kind in (0, 1))
        rows.append([f"{name}: {title}", wall, busy, _of((wall, busy), plain), run.peak_mb, "", ""])
    rows[0][-2:] = [result["n_counted_days"], result["digest"]]
    rows += [[f"  {part}", *result[part], _of(result[part], plain), "", "", ""] for part in parts]
    return rows


def _of(spent: tuple[float, float], plain: Measure) -> str:
    """How many times the plain count, in seconds and in processor seconds."""
    wall, busy = spent
    return f"{wall / plain.seconds:.2f} ({busy / plain.busy_seconds:.2f})"
