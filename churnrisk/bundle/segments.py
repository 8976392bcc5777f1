"""Calibration by segment: which calibrator and which intervals each row gets; refuses to know how they were fitted.

A segment with enough leavers of its own has its own, everybody else those of all customers. Within a segment the risk
rises strictly with the score; between segments it need not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from .calibrator import Calibrator, VennAbersGrid, calibrator_from, risk_of, risk_slope_of
from .encoding import Floats

OF_ALL = -1
"""Place of rows whose segment has no calibration of its own."""


@dataclass(frozen=True, eq=False)
class Calibrated:
    """A calibrator with its intervals."""

    calibrator: Calibrator
    intervals: VennAbersGrid


@dataclass(frozen=True, eq=False)
class Segments:
    """Segments of ``feature`` (a text column that the model reads) with calibrations of their own, by rising name."""

    feature: str
    parts: Mapping[str, Calibrated]

    def places(self, frame: pl.DataFrame) -> np.ndarray[Any, np.dtype[np.intp]]:
        """Return the place among ``parts`` of each row, `OF_ALL` for other and unknown texts."""
        names = list(self.parts)
        found = (
            frame[self.feature]
            .cast(pl.String)
            .replace_strict(names, list(range(len(names))), default=OF_ALL, return_dtype=pl.Int64)
        )
        return found.fill_null(OF_ALL).to_numpy().astype(np.intp)

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        parts = {
            name: {"calibrator": part.calibrator.as_dict(), "intervals": part.intervals.as_dict()}
            for name, part in self.parts.items()
        }
        return {"feature": self.feature, "parts": parts}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Segments:
        """Read what :meth:`as_dict` gave."""
        parts = {
            name: Calibrated(calibrator_from(part["calibrator"]), VennAbersGrid.from_dict(part["intervals"]))
            for name, part in plain["parts"].items()
        }
        return cls(plain["feature"], parts)


@dataclass(frozen=True, eq=False)
class RowCalibration:
    """From raw scores to risks, each row by the calibration that is its own.

    ``places`` name the calibration of each row among ``parts``, `OF_ALL` that of all customers.
    """

    of_all: Calibrated
    parts: tuple[Calibrated, ...] = ()
    places: np.ndarray[Any, np.dtype[np.intp]] | None = None

    def risk(self, score: Floats) -> Floats:
        """Return the calibrated risk (0 to 1) of each row's raw score (log-odds)."""
        return self._each(score, lambda part, own: risk_of(part.calibrator, own))

    def slope(self, score: Floats) -> Floats:
        """Return the derivative of the calibrated risk by the raw score, at each row's raw score."""
        return self._each(score, lambda part, own: risk_slope_of(part.calibrator, own))

    def interval(self, score: Floats) -> tuple[Floats, Floats]:
        """Return the Venn-Abers interval of each row's raw score."""
        low = self._each(score, lambda part, own: part.intervals.interval(own)[0])
        return low, self._each(score, lambda part, own: part.intervals.interval(own)[1])

    def _each(self, score: Floats, of: Callable[[Calibrated, Floats], Floats]) -> Floats:
        found = of(self.of_all, score)
        if self.places is None:
            return found
        for place, part in enumerate(self.parts):
            own = self.places == place
            found[own] = of(part, score[own])
        return found
