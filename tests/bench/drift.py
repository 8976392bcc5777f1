"""False alarms of the drift tests when nothing drifts, what planted shifts they find, and what watching a night costs.

    python -m tests.bench drift [--full]

Worlds are drawn: successive nights hold the same people (correlation 0.9 of what lies behind a value) or others. An
alarm is a p-value of 0.05 or less of a single input; a night's alarm is any q-value of 0.05 or less among its inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import Feature, bins_of, reference_of
from churnrisk.config import MonitoringSettings
from scoring.monitor import (
    Before,
    Tonight,
    Watch,
    independent_shift,
    monitored,
    move_table,
    paired_shift,
    psi,
    q_values,
)

Floats = NDArray[np.float64]
Rows = list[list[object]]

ALIKE = 0.9
LEVEL = 0.05
DRAWS = 999
SIZES = (200, 1_000, 10_000)
N_INPUTS = 40
RULE_OF_THUMB = 0.1


def _normal(hidden: Floats) -> Floats:
    return hidden


def _three(hidden: Floats) -> Floats:
    return np.digitize(hidden, [-0.5, 1.2]).astype(np.float64)


def _ties(hidden: Floats) -> Floats:
    return np.where(hidden < 0.5, 0.0, np.floor((hidden - 0.5) * 10))


def _missing(hidden: Floats) -> Floats:
    return np.where((hidden * 7) % 1 < 0.2, np.nan, hidden)


def _rare(hidden: Floats) -> Floats:
    return np.digitize(hidden, [2.0, 2.5]).astype(np.float64)


INPUTS: dict[str, Callable[[Floats], Floats]] = {
    "a real number": _normal,
    "three values": _three,
    "seven of ten at 0, the rest whole": _ties,
    "a fifth missing": _missing,
    "three values, two of them rare (2 %)": _rare,
}


def tables(full: bool) -> Iterator[tuple[str, Sequence[str], Rows]]:
    """Yield every table."""
    worlds = 2_000 if full else 600
    yield (
        f"False alarms when nothing drifts, % of {worlds} worlds (naive = the same people taken as others)",
        ["input", "customers", "others", "the same people", "naive"],
        _false_alarms(worlds),
    )
    yield (
        f"Nights with any alarm among {N_INPUTS} inputs of which none drifts, % of {worlds // 4} nights (q <= 0.05)",
        [
            "customers",
            "the same people",
            "others",
            "index above 0.1, the same people",
            "... others",
        ],
        _false_nights(worlds // 4),
    )
    yield (
        f"Shifts found, % of {worlds // 4} worlds (p <= 0.05)",
        ["shift, in standard deviations", "customers", "others", "the same people"],
        _power(worlds // 4),
    )
    n = 1_000_000 if full else 200_000
    yield (
        f"Watching a night of {n:,} customers and 150 inputs",
        ["compared with", "processor s", "waiting s"],
        _cost(n),
    )


def _pair(rng: np.random.Generator, n: int, *, is_same: bool, shift: float = 0.0) -> tuple[Floats, Floats]:
    """Draw what lies behind an input on two nights."""
    first, fresh = rng.normal(size=n), rng.normal(size=n)
    return first, (ALIKE * first + np.sqrt(1 - ALIKE**2) * fresh if is_same else fresh) + shift


def _counts(first: Floats, second: Floats) -> tuple[NDArray[np.uint8], NDArray[np.uint8], int]:
    """Code both in bins of the two together, which treat both alike."""
    one, two = (pl.Series(values, nan_to_null=True) for values in (first, second))
    bins = bins_of("x", "number", [one, two])
    return bins.codes(one), bins.codes(two), bins.n_bins


def _others(first: Floats, second: Floats, rng: np.random.Generator) -> float:
    """Bins as in a bundle: made of the first alone."""
    one, two = (pl.Series(values, nan_to_null=True) for values in (first, second))
    bins = bins_of("x", "number", [one])
    return independent_shift(bins.counts(one), bins.counts(two), rng, draws=DRAWS).p_value


def _same(first: Floats, second: Floats, rng: np.random.Generator) -> float:
    one, two, n_bins = _counts(first, second)
    return paired_shift(move_table(one, two, n_bins), rng, draws=DRAWS).p_value


def _percent(found: Sequence[bool]) -> float:
    return round(100 * float(np.mean(found)), 1)


def _false_alarms(worlds: int) -> Rows:
    rng = np.random.default_rng(1)
    rows: Rows = []
    for name, made in INPUTS.items():
        for n in SIZES:
            others, same, naive = [], [], []
            for _ in range(worlds):
                first, second = (made(each) for each in _pair(rng, n, is_same=False))
                others.append(_others(first, second, rng) <= LEVEL)
                first, second = (made(each) for each in _pair(rng, n, is_same=True))
                same.append(_same(first, second, rng) <= LEVEL)
                naive.append(_others(first, second, rng) <= LEVEL)
            rows.append([name, f"{n:,}", _percent(others), _percent(same), _percent(naive)])
    return rows


def _false_nights(nights: int) -> Rows:
    rng = np.random.default_rng(2)
    rows: Rows = []
    for n in SIZES:
        found = [_night(rng, n, is_same=is_same) for _ in range(nights) for is_same in (True, False)]
        alarms = (found[0::2], found[1::2])
        rows.append(
            [f"{n:,}", *(_percent([night[each] for night in kind]) for each in (0, 1) for kind in alarms)]
        )
    return rows


def _night(rng: np.random.Generator, n: int, *, is_same: bool) -> tuple[bool, bool]:
    """Say whether any of the inputs is called moved, by the tests and by the rule of thumb."""
    kinds, p_values, indices = list(INPUTS.values()), [], []
    for each in range(N_INPUTS):
        first, second = (kinds[each % len(kinds)](values) for values in _pair(rng, n, is_same=is_same))
        p_values.append((_same if is_same else _others)(first, second, rng))
        one, two, n_bins = _counts(first, second)
        indices.append(float(psi(np.bincount(one, minlength=n_bins), np.bincount(two, minlength=n_bins))))
    return bool(q_values(p_values).min() <= LEVEL), max(indices) > RULE_OF_THUMB


def _power(worlds: int) -> Rows:
    rng = np.random.default_rng(3)
    rows: Rows = []
    for shift in (0.05, 0.1, 0.2):
        for n in SIZES:
            others, same = [], []
            for _ in range(worlds):
                others.append(_others(*_pair(rng, n, is_same=False, shift=shift), rng) <= LEVEL)
                same.append(_same(*_pair(rng, n, is_same=True, shift=shift), rng) <= LEVEL)
            rows.append([str(shift), f"{n:,}", _percent(others), _percent(same)])
    return rows


def _cost(n: int) -> Rows:
    rng = np.random.default_rng(4)
    names = [f"x{each}" for each in range(150)]
    kinds = list(INPUTS.values())
    features = [Feature(name, "number", "calls") for name in names]
    ids = pl.Series("customer_id", [f"c{each:07}" for each in range(n)])

    def night(is_second: bool) -> pl.DataFrame:
        made = {}
        for each, name in enumerate(names):
            draw = np.random.default_rng([5, each])
            hidden = draw.normal(size=n)
            if is_second:
                hidden = ALIKE * hidden + np.sqrt(1 - ALIKE**2) * draw.normal(size=n)
            made[name] = pl.Series(kinds[each % len(kinds)](hidden), nan_to_null=True)
        return pl.DataFrame({"customer_id": ids, **made})

    with TemporaryDirectory() as folder:
        first = night(is_second=False)
        risk = pl.Series("risk", rng.beta(1, 40, n))
        first.write_parquet(Path(folder) / "features.parquet")
        reference = reference_of(features, first, as_of="2026-05-01", risk=risk)
        del first
        second = night(is_second=True)
        day = date(2026, 6, 30)
        tonight = Tonight(day, second, risk * 1.001, features, "1", lambda _: "calls")
        scores = pl.DataFrame({"customer_id": ids, "risk": risk})
        kept = pl.scan_parquet(Path(folder) / "features.parquet")
        before = Before(day - timedelta(days=1), "run", "1", scores, kept, {})
        rows: Rows = []
        for words, watch in (
            ("the training", Watch(reference=reference)),
            ("the training and the last night", Watch(reference=reference, before=before)),
        ):
            clock, processor = perf_counter(), process_time()
            monitored(tonight, watch, MonitoringSettings())
            rows.append([words, round(process_time() - processor, 1), round(perf_counter() - clock, 1)])
    return rows
