"""Calibration by segment: each value of one text column with enough leavers is calibrated on its own rows.

It decides which segments have enough, and refuses to know how a calibration is fitted. A risk that is right over all
customers can be too high for one contract and too low for another; calibrated apart (Mondrian, after the taxonomies of
Vovk, Lindsay, Nouretdinov & Gammerman 2003) it is right within each, and so is the guarantee of its interval.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import Calibrated, Feature, RowCalibration, Segments
from churnrisk.tables.lake import ATTRIBUTE_PREFIX

from .calibrate import Calibration, fitted_calibration
from .folds import Folds
from .rows import Rows

Floats = NDArray[np.float64]

FEWEST_IN_SEGMENT = 200
"""Distinct leavers, and stayers, from whom a segment is calibrated apart: as many as trees need (judgement)."""


@dataclass(frozen=True)
class SegmentCalibration:
    """The calibration of all rows and of each segment that has enough, with what is to be said of it."""

    of_all: Calibration
    segments: Segments | None
    notes: tuple[str, ...]

    def by_row(self, frame: pl.DataFrame) -> RowCalibration:
        """Return the calibration of each row of ``frame``."""
        whole = Calibrated(self.of_all.calibrator, self.of_all.intervals)
        if self.segments is None:
            return RowCalibration(whole)
        return RowCalibration(whole, tuple(self.segments.parts.values()), self.segments.places(frame))


def segment_calibration(
    score: Floats, rows: Rows, folds: Folds, *, by: str | None, features: tuple[Feature, ...]
) -> SegmentCalibration:
    """Calibrate out-of-fold scores over all rows, and in each segment of the column ``by``.

    Parameters
    ----------
    score : shape (n,), log-odds, from learners that did not see the row's customer.
    rows : the n rows.
    folds : shape (n,), customer-disjoint.
    by : text column of the features; None: one calibration for all. A column that the model does not read (numbers, or
        screened out) is not used either, which is noted: risks of tonight rest on what the model's table holds.
    features : what the model reads.
    """
    of_all = fitted_calibration(score, rows.left, rows.weight, n_leavers=rows.n_rarer, folds=folds)
    if by is None:
        return SegmentCalibration(of_all, None, ())
    if not any(feature.name == by and feature.kind == "category" for feature in features):
        words = f"not calibrated by {by.removeprefix(ATTRIBUTE_PREFIX)}: the model reads no text column of that name"
        return SegmentCalibration(of_all, None, (words,))
    names = rows.frame[by].cast(pl.String)
    parts, poor = {}, []
    for name in sorted(names.drop_nulls().unique().to_list()):
        found = _of_segment(score, rows, folds, (names == name).fill_null(value=False).to_numpy())
        if found is None:
            poor.append(name)
        else:
            parts[name] = found
    segments = Segments(by, parts) if parts else None
    return SegmentCalibration(
        of_all, segments, tuple(_notes(by.removeprefix(ATTRIBUTE_PREFIX), parts.keys(), poor))
    )


def _of_segment(score: Floats, rows: Rows, folds: Folds, inside: NDArray[np.bool_]) -> Calibrated | None:
    own = Rows(
        rows.frame.select([]),
        rows.left[inside],
        rows.weight[inside],
        rows.customer[inside],
        rows.snapshot[inside],
    )
    if own.n_rarer < FEWEST_IN_SEGMENT:
        return None
    weight = own.weight / own.weight.mean()
    found = fitted_calibration(score[inside], own.left, weight, n_leavers=own.n_rarer, folds=folds[inside])
    return Calibrated(found.calibrator, found.intervals)


def _notes(by: str, apart: object, poor: list[str]) -> Iterator[str]:
    names = list(apart)  # type: ignore[call-overload]
    if names:
        yield f"calibrated by {by}: {', '.join(names)} on rows of their own"
    if poor:
        few = f"fewer than {FEWEST_IN_SEGMENT} leavers or stayers"
        yield f"{by} {', '.join(poor)}: calibrated with all customers, {few} of their own"
