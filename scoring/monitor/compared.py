"""Tonight's inputs and risks beside those of the training and of the last night: how far each has moved.

It decides what is compared with what, and which test fits: customers of the last night are mostly the same ones and are
paired, those of the training are taken as another sample. It refuses to know what follows from a movement.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import Bins, Feature, Histogram, Reference, bins_of
from churnrisk.config import MonitoringSettings

from .drift import Shift, independent_shift, move_table, paired_shift
from .watched import Watched, adjusted

SCORE_NAME = "risk"

MOVED_MISSING, MUCH_MISSING = 0.05, 0.25
"""Change of the share of missing values that is a drift, and a strong one. Judgements."""


@dataclass(frozen=True)
class Before:
    """The last night published before tonight.

    ``scores``: customer_id, risk. ``features``: customer_id and inputs as published, read column by column.
    ``facts``: facts known then, by source.
    """

    day: date
    run_id: str
    model_version: str
    scores: pl.DataFrame
    features: pl.LazyFrame | None = None
    facts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Tonight:
    """What is being looked at: the feature table with customer_id, the risks in its order, where inputs come from."""

    day: date
    frame: pl.DataFrame
    risk: pl.Series
    features: Sequence[Feature]
    model_version: str
    source_of: Callable[[str], str]

    def column(self, name: str) -> pl.Series:
        """Return an input, or the risk."""
        return self.risk if name == SCORE_NAME else self.frame[name]


def since_training(tonight: Tonight, reference: Reference, settings: MonitoringSettings) -> Iterator[Watched]:
    """Yield how far each input, its missing share, and the risk are from the training's; nothing about new inputs."""
    on = date.fromisoformat(reference.as_of) if reference.as_of else None
    inputs: list[Watched] = []
    missing: list[Watched] = []
    for feature in tonight.features:
        kept = reference.features.get(feature.name)
        if kept is not None:
            counts = kept.bins.counts(tonight.column(feature.name))
            given = _Pair(tonight, feature.name, "training", on, np.array(kept.counts), counts)
            inputs.append(given.moved("input", independent_shift(kept.counts, counts, given.rng)))
            missing += given.missing(independent_shift(given.gaps[0], given.gaps[1], given.rng))
    yield from _judged(inputs, settings)
    yield from _judged_missing(missing, settings)
    if reference.risk is not None:
        yield from _judged([_score_since_training(tonight, reference.risk, on)], settings)


def since_last_night(
    tonight: Tonight, before: Before, reference: Reference | None, settings: MonitoringSettings
) -> Iterator[Watched]:
    """Yield how far each input and the risk of the customers of both nights have moved.

    Bins are the training's; without them, those of both nights together. Risks of two models are not compared.
    """
    if before.features is not None:
        known = set(before.features.collect_schema().names())
        were = before.features.select("customer_id").collect()["customer_id"]
        rows = _rows_of_both(tonight.frame["customer_id"], were)
        inputs: list[Watched] = []
        missing: list[Watched] = []
        for feature in tonight.features if rows.height else ():
            if feature.name in known:
                kept = None if reference is None else reference.features.get(feature.name)
                was = before.features.select(feature.name).collect()[feature.name]
                row, gap = _paired(tonight, feature, was, rows=rows, kept=kept, day=before.day)
                inputs.append(row)
                missing += gap
        yield from _judged(inputs, settings)
        yield from _judged_missing(missing, settings)
    if before.model_version == tonight.model_version:
        yield from _judged(list(_score_since_last_night(tonight, before, reference)), settings)


@dataclass(frozen=True)
class _Pair:
    """Counts of one input in the same bins, before and tonight."""

    tonight: Tonight
    name: str
    baseline: str
    on: date | None
    before: NDArray[np.float64]
    now: NDArray[np.float64]

    @property
    def rng(self) -> np.random.Generator:
        """Draws that depend on the input and the day alone, so that the same night gives the same bytes."""
        words = f"{self.baseline} {self.name}".encode()
        return np.random.default_rng([zlib.crc32(words), self.tonight.day.toordinal()])

    @property
    def gaps(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Customers with and without a value, before and tonight."""
        return tuple(np.array([counts[:-1].sum(), counts[-1]]) for counts in (self.before, self.now))  # type: ignore[return-value]

    def moved(self, kind: str, shift: Shift) -> Watched:
        """Return the row of the movement itself."""
        return Watched(
            kind,
            self.baseline,
            self.name,
            source=None if self.name == SCORE_NAME else self.tonight.source_of(self.name) or None,
            baseline_on=self.on,
            value=shift.psi,
            threshold=shift.by_chance,
            p_value=shift.p_value,
            n=round(float(self.now.sum())),
            n_before=round(float(self.before.sum())),
        )

    def missing(self, shift: Shift) -> Iterator[Watched]:
        """Yield the row of the share of missing values, where there were any."""
        (_, were), (_, are) = self.gaps
        if were or are:
            expected, observed = were / self.before.sum(), are / self.now.sum()
            row = self.moved("missing", shift)
            yield replace(
                row,
                value=float(observed - expected),
                threshold=None,
                observed=float(observed),
                expected=float(expected),
            )


def _score_since_training(tonight: Tonight, kept: Histogram, on: date | None) -> Watched:
    counts = kept.bins.counts(tonight.risk)
    given = _Pair(tonight, SCORE_NAME, "training", on, np.array(kept.counts), counts)
    row = given.moved("score", independent_shift(kept.counts, counts, given.rng))
    return replace(row, observed=_mean(tonight.risk))


def _score_since_last_night(
    tonight: Tonight, before: Before, reference: Reference | None
) -> Iterator[Watched]:
    rows = _rows_of_both(tonight.frame["customer_id"], before.scores["customer_id"])
    if rows.height:
        kept = None if reference is None else reference.risk
        was, risk = before.scores["risk"], Feature(SCORE_NAME, "number")
        row, _ = _paired(tonight, risk, was, rows=rows, kept=kept, day=before.day)
        now, then = _mean(tonight.risk.gather(rows["now"])), _mean(was.gather(rows["before"]))
        yield replace(row, kind="score", observed=now, expected=then)


def _rows_of_both(now: pl.Series, before: pl.Series) -> pl.DataFrame:
    """Return the positions ``now`` and ``before`` of the customers who stand in both."""
    one = pl.DataFrame({"customer_id": now}).with_row_index("now")
    two = pl.DataFrame({"customer_id": before}).with_row_index("before")
    return one.join(two, on="customer_id", how="inner", maintain_order="left").select("now", "before")


def _paired(
    tonight: Tonight,
    feature: Feature,
    was: pl.Series,
    *,
    rows: pl.DataFrame,
    kept: Histogram | None,
    day: date,
) -> tuple[Watched, list[Watched]]:
    column = tonight.column(feature.name)
    bins: Bins = kept.bins if kept is not None else bins_of(feature.name, feature.kind, [was, column])
    before, now = bins.codes(was)[rows["before"].to_numpy()], bins.codes(column)[rows["now"].to_numpy()]
    moves = move_table(before, now, bins.n_bins)
    given = _Pair(
        tonight,
        feature.name,
        "last_night",
        day,
        moves.sum(axis=1).astype(np.float64),
        moves.sum(axis=0).astype(np.float64),
    )
    gaps = np.array([[moves[:-1, :-1].sum(), moves[:-1, -1].sum()], [moves[-1, :-1].sum(), moves[-1, -1]]])
    return given.moved("input", paired_shift(moves, given.rng)), list(
        given.missing(paired_shift(gaps, given.rng))
    )


def _judged(rows: Sequence[Watched], settings: MonitoringSettings) -> Iterator[Watched]:
    """Call drift what is beyond chance, all tests of the family together, and large enough to matter."""
    for row in adjusted(rows):
        yield replace(row, verdict=_verdict(row, settings, settings.drift_from, settings.strong_drift_from))


def _judged_missing(rows: Sequence[Watched], settings: MonitoringSettings) -> Iterator[Watched]:
    for row in adjusted(rows):
        yield replace(row, verdict=_verdict(row, settings, MOVED_MISSING, MUCH_MISSING))


def _verdict(row: Watched, settings: MonitoringSettings, drift: float, strong: float) -> str:
    size = abs(row.value or 0.0)
    if row.q_value is None or row.q_value > settings.false_discoveries:
        return "steady"
    return "moved" if size < drift else "drift" if size < strong else "strong drift"


def _mean(values: pl.Series) -> float | None:
    return float(values.to_numpy().mean()) if values.len() else None
