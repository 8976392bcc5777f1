"""A model on disk and its predictions: a folder of text and JSON, never a pickle.

    bundle.json   features with their category codes, calibrator, intervals, bands, what leaving means, where from
    model.txt     the learner: LightGBM's text, or JSON for the logistic regression

It decides what a risk is once a model exists, in evaluation and at night alike, and refuses to know how models are
fitted or registered.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..errors import Fault, ModelUnfit
from .calibrator import Calibrator, VennAbersGrid, calibrator_from
from .encoding import ROWS_AT_ONCE, Feature, Floats, Kind, matrix, table_faults
from .files import json_text
from .learners import Additive, Learner, Trees
from .leaver_kinds import LeaverKinds
from .segments import Calibrated, RowCalibration, Segments

FORMAT = "churnrisk-bundle"
FORMAT_VERSION = 1
"""Raised when a bundle of an older version can no longer be read."""

PRIOR = "rule prior"
"""Learner among the parameters, and first words of the regime, of a rule made of too few leavers to learn from."""

LOGISTIC = "logistic"
"""Learner among the parameters of a logistic regression: too few leavers for trees."""

TIE_WEIGHTS = "tie_weights"
"""Parameter of a training: the weights of tie strength, when they were learned from the user's own ties."""

DESCRIPTION_FILE = "bundle.json"
LEARNER_FILE = "model.txt"


@dataclass(frozen=True)
class Band:
    """One band of risk, from ``risk_from`` up to the next band, with what really happened in it at evaluation.

    ``realised_rate`` and its interval are None when no evaluated customer fell into the band.
    """

    name: str
    risk_from: float
    n: int
    realised_rate: float | None
    realised_low: float | None
    realised_high: float | None


@dataclass(frozen=True)
class Provenance:
    """Where a model comes from: what it predicts, what it saw, under which regime it was made."""

    churn: Mapping[str, Any] = field(default_factory=dict)
    """kind, horizon_days, gap_days, inactive_days."""
    regime: str = ""
    trained_until: str | None = None
    """ISO instant (UTC) up to which outcomes were seen; None for an extract without dates."""
    snapshots: tuple[str, ...] = ()
    """As-of days (ISO) whose outcomes the shipped model learned from."""
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Bundle:
    """A fitted, calibrated model. Make one by training or with :meth:`load`; it never changes afterwards.

    ``ignored`` are columns of the feature table that training dropped; they may be there and are not read.
    """

    features: tuple[Feature, ...]
    learner: Learner
    calibrator: Calibrator
    intervals: VennAbersGrid
    base_rate: float
    bands: tuple[Band, ...]
    ignored: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=Provenance)
    segments: Segments | None = None
    """Calibrations of segments that have their own; None: ``calibrator`` and ``intervals`` are everybody's."""
    leaver_kinds: LeaverKinds | None = None
    """How a customer would leave, where training could tell."""
    model_version: str = ""
    """What the registry calls it; empty before registration."""

    @property
    def kinds(self) -> dict[str, Kind]:
        """Name and kind of every feature, as the feature table must be made for this model."""
        return {feature.name: feature.kind for feature in self.features}

    def predict(self, frame: pl.DataFrame, *, allow_extra: bool = False) -> pl.DataFrame:
        """Return risk, risk_low and risk_high of each row, in the order given.

        Parameters
        ----------
        frame : the feature table; key columns and those dropped in training may be there.
        allow_extra : take columns the model has never seen, and do not read them.

        Returns
        -------
        polars.DataFrame
            Float64, 0 < risk < 1, risk_low <= risk <= risk_high. The interval is Venn-Abers', widened to hold the
            smoothed risk where that lies outside.

        Raises
        ------
        ModelUnfit
            A feature is missing, extra, of another type or infinite; the message names all of them.
        """
        score = self.raw_score(frame, allow_extra=allow_extra)
        calibration = self.calibration_of(frame)
        risk = calibration.risk(score)
        low, high = calibration.interval(score)
        return pl.DataFrame(
            {"risk": risk, "risk_low": np.minimum(low, risk), "risk_high": np.maximum(high, risk)},
            schema={"risk": pl.Float64, "risk_low": pl.Float64, "risk_high": pl.Float64},
        )

    def kind_shares(self, frame: pl.DataFrame) -> pl.DataFrame | None:
        """Return a Float64 column per kind of leaver, each row summing to 1: how each would leave, given that they do.

        None where training could not tell kinds apart. Raises like :meth:`predict`.
        """
        if self.leaver_kinds is None:
            return None
        self._refuse_other_table(frame, allow_extra=True)
        names = self.leaver_kinds.names
        parts = [
            self.leaver_kinds.shares(matrix(part, self.features)) for part in frame.iter_slices(ROWS_AT_ONCE)
        ]
        shares = np.concatenate(parts) if parts else np.empty((0, len(names)))
        return pl.DataFrame(shares, schema=dict.fromkeys(names, pl.Float64), orient="row")

    def raw_score(self, frame: pl.DataFrame, *, allow_extra: bool = False) -> Floats:
        """Return the learner's log-odds before calibration; raises like :meth:`predict`."""
        self._refuse_other_table(frame, allow_extra=allow_extra)
        parts = [self.learner.score(matrix(part, self.features)) for part in frame.iter_slices(ROWS_AT_ONCE)]
        return np.concatenate(parts) if frame.height else np.empty(0)

    def contributions(self, frame: pl.DataFrame, *, allow_extra: bool = False) -> Floats:
        """Return (rows, features + 1) in log-odds before calibration, features in the order of ``features``.

        The last column is the score of the average training row; a row's sum is its raw score (up to rounding).
        Meant for customers on lists: several milliseconds a row. Raises like :meth:`predict`.
        """
        self._refuse_other_table(frame, allow_extra=allow_extra)
        empty = np.empty((0, len(self.features) + 1))
        parts = [
            self.learner.contributions(matrix(part, self.features))
            for part in frame.iter_slices(ROWS_AT_ONCE)
        ]
        return np.concatenate(parts) if frame.height else empty

    def moves(self, before: pl.DataFrame, now: pl.DataFrame) -> Floats:
        """Return (rows, features): what each feature moved the raw score from a row of one table to that of the other.

        Exact Shapley values of the one row against the other, in log-odds before calibration: a row sums to the
        difference of the raw scores, and a feature that is the same in both moved nothing. Raises like :meth:`predict`.
        """
        for frame in (before, now):
            self._refuse_other_table(frame, allow_extra=True)
        return self.learner.moves(matrix(before, self.features), matrix(now, self.features))

    def calibration_of(self, frame: pl.DataFrame) -> RowCalibration:
        """Return what turns raw scores of the rows of ``frame`` into risks: their segment's own where there is one."""
        whole = Calibrated(self.calibrator, self.intervals)
        if self.segments is None:
            return RowCalibration(whole)
        return RowCalibration(whole, tuple(self.segments.parts.values()), self.segments.places(frame))

    def band(self, risk: Sequence[float] | Floats | pl.Series) -> pl.Series:
        """Return the name of the band of each risk: the highest whose ``risk_from`` it reaches."""
        starts = np.array([band.risk_from for band in self.bands])
        names = pl.Series([band.name for band in self.bands])
        position = np.searchsorted(starts, np.asarray(risk, dtype=np.float64), side="right") - 1
        return names.gather(np.maximum(position, 0)).alias("band")

    @property
    def is_prior(self) -> bool:
        """Whether this is a rule prior: there were too few leavers to learn from."""
        return self.provenance.parameters.get("learner") == PRIOR

    @property
    def tie_weights(self) -> dict[str, float] | None:
        """Weights of tie strength that training learned with; None = the default strength."""
        weights = self.provenance.parameters.get(TIE_WEIGHTS)
        return None if weights is None else dict(weights)

    @property
    def identity(self) -> str:
        """A short hash of everything but the version: two bundles that predict alike for the same reasons."""
        described = json_text(replace(self, model_version="").as_dict())
        return hashlib.sha256(described.encode()).hexdigest()[:16]

    def with_version(self, version: str) -> Bundle:
        """Return the same model under the registry's name for it."""
        return replace(self, model_version=version)

    def as_dict(self) -> dict[str, Any]:
        """Give the contents of bundle.json."""
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "learner": {
                "kind": self.learner.kind,
                "sha256": hashlib.sha256(self.learner.text.encode()).hexdigest(),
            },
            "features": [feature.as_dict() for feature in self.features],
            "ignored": list(self.ignored),
            "calibrator": self.calibrator.as_dict(),
            "intervals": self.intervals.as_dict(),
            **({} if self.leaver_kinds is None else {"leaver_kinds": self.leaver_kinds.as_dict()}),
            **({} if self.segments is None else {"segments": self.segments.as_dict()}),
            "base_rate": self.base_rate,
            "bands": [vars(band) for band in self.bands],
            "provenance": {**vars(self.provenance), "snapshots": list(self.provenance.snapshots)},
            "model_version": self.model_version,
        }

    def save(self, folder: Path) -> None:
        """Write the two files into ``folder``; the same bundle always gives the same bytes."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / LEARNER_FILE).write_text(self.learner.text, encoding="utf-8", newline="\n")
        (folder / DESCRIPTION_FILE).write_text(json_text(self.as_dict()), encoding="utf-8", newline="\n")

    @classmethod
    def load(cls, folder: Path) -> Bundle:
        """Read a bundle; raise ModelUnfit when there is none, or it is broken or of another format."""
        for name in (DESCRIPTION_FILE, LEARNER_FILE):
            if not (folder / name).is_file():
                raise ModelUnfit(
                    Fault(
                        "model_missing",
                        str(folder / name),
                        "a model",
                        "no such file",
                        "Run `churnrisk train`.",
                    )
                )
        text = (folder / LEARNER_FILE).read_bytes().decode("utf-8")
        try:
            plain = json.loads((folder / DESCRIPTION_FILE).read_text(encoding="utf-8"))
            found = (plain["format"], plain["format_version"])
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise _broken(folder, "bundle.json of a churnrisk model", f"unreadable: {error}") from error
        if found != (FORMAT, FORMAT_VERSION):
            raise _broken(folder, f"{FORMAT} version {FORMAT_VERSION}", f"{found[0]} version {found[1]}")
        if hashlib.sha256(text.encode()).hexdigest() != plain["learner"]["sha256"]:
            raise _broken(folder, "the model.txt that was saved with bundle.json", "another or a damaged one")
        return cls._from(plain, text)

    @classmethod
    def _from(cls, plain: Mapping[str, Any], text: str) -> Bundle:
        origin = plain["provenance"]
        is_trees = plain["learner"]["kind"] == Trees.kind
        return cls(
            features=tuple(Feature.from_dict(feature) for feature in plain["features"]),
            learner=Trees(text) if is_trees else Additive.from_dict(json.loads(text)),
            calibrator=calibrator_from(plain["calibrator"]),
            intervals=VennAbersGrid.from_dict(plain["intervals"]),
            base_rate=plain["base_rate"],
            bands=tuple(Band(**band) for band in plain["bands"]),
            ignored=tuple(plain["ignored"]),
            leaver_kinds=LeaverKinds.from_dict(plain["leaver_kinds"]) if "leaver_kinds" in plain else None,
            segments=Segments.from_dict(plain["segments"]) if "segments" in plain else None,
            provenance=Provenance(**{**origin, "snapshots": tuple(origin["snapshots"])}),
            model_version=plain["model_version"],
        )

    def _refuse_other_table(self, frame: pl.DataFrame, *, allow_extra: bool) -> None:
        faults = table_faults(frame, self.features, self.ignored, allow_extra=allow_extra)
        if faults:
            raise ModelUnfit(faults)


def _broken(folder: Path, expected: str, found: str) -> ModelUnfit:
    remedy = "Run `churnrisk promote` again, or `churnrisk train`."
    return ModelUnfit(Fault("model_broken", str(folder), expected, found, remedy))
