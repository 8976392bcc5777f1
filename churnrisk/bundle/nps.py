"""What customers who were not heard would answer to the recommend question: two calibrated models, kept beside a risk.

    nps/nps.json        what the training found, also where no model was made
    nps/detractor/      a bundle: P(detractor)
    nps/promoter/       a bundle: P(promoter | no detractor); passive is the rest
    nps/answering.json  who answers when asked

It decides how two probabilities become three, and refuses to know how they were fitted and what was really answered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import polars as pl

from .answering import Answering, read_answering
from .bundle import Bundle
from .encoding import Kind
from .files import json_text

NPS_FOLDER = "nps"
NPS_FILE = "nps.json"

NpsCategory = Literal["detractor", "passive", "promoter"]
NPS_CATEGORIES: tuple[NpsCategory, ...] = get_args(NpsCategory)
"""In this order; of two equally likely the first is named, so that nobody is taken for happier than they may be."""

DETRACTOR_TO, PROMOTER_FROM = 6, 9
"""0 to 6 detractor, 7 and 8 passive, 9 and 10 promoter (Reichheld 2003)."""

PREDICTED_COLUMNS = {
    "detractor": pl.Float64(),
    "detractor_low": pl.Float64(),
    "detractor_high": pl.Float64(),
    "passive": pl.Float64(),
    "promoter": pl.Float64(),
    "promoter_low": pl.Float64(),
    "promoter_high": pl.Float64(),
    "category": pl.String(),
}


def nps_category(score: pl.Expr) -> pl.Expr:
    """Return the place in :data:`NPS_CATEGORIES` of an answer of 0 to 10 (Int8), null where there is none."""
    place = {name: number for number, name in enumerate(NPS_CATEGORIES)}
    return (
        pl.when(score <= DETRACTOR_TO)
        .then(place["detractor"])
        .when(score >= PROMOTER_FROM)
        .then(place["promoter"])
        .when(score.is_not_null())
        .then(place["passive"])
        .cast(pl.Int8)
    )


@dataclass(frozen=True)
class NpsModel:
    """P(detractor), and P(promoter) of those who are none, each by a calibrated model of its own."""

    detractor: Bundle
    promoter: Bundle

    @property
    def kinds(self) -> dict[str, Kind]:
        """Name and kind of every feature that one of the two reads."""
        return {**self.promoter.kinds, **self.detractor.kinds}

    def with_version(self, version: str) -> NpsModel:
        """Return the same under the registry's name for the risk model beside which it lies."""
        return NpsModel(self.detractor.with_version(version), self.promoter.with_version(version))

    def predict(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the probability of each category and the likeliest, per row in the order given.

        Parameters
        ----------
        frame : the feature table; columns that the models do not read may be there.

        Returns
        -------
        polars.DataFrame
            :data:`PREDICTED_COLUMNS`. The three probabilities lie in 0 to 1 and sum to 1; low <= probability <= high.
            With d of the first model and q of the second: detractor d, promoter (1 - d) q, passive (1 - d)(1 - q); the
            ends of promoter take the ends of both. Among equals the category that comes first in
            :data:`NPS_CATEGORIES`.

        Raises
        ------
        ModelUnfit
            A feature is missing or of another type; the message names all of them.
        """
        first, second = (
            [found[column].to_numpy() for column in ("risk", "risk_low", "risk_high")]
            for found in (
                bundle.predict(frame, allow_extra=True) for bundle in (self.detractor, self.promoter)
            )
        )
        (d, d_low, d_high), (q, q_low, q_high) = first, second
        values = {
            "detractor": d,
            "detractor_low": d_low,
            "detractor_high": d_high,
            "passive": (1 - d) * (1 - q),
            "promoter": (1 - d) * q,
            "promoter_low": (1 - d_high) * q_low,
            "promoter_high": (1 - d_low) * q_high,
        }
        parts = {name: pl.Series(value) for name, value in values.items()}
        likeliest = np.argmax(np.column_stack([parts[name].to_numpy() for name in NPS_CATEGORIES]), axis=1)
        parts["category"] = pl.Series(NPS_CATEGORIES, dtype=pl.String).gather(likeliest)
        return pl.DataFrame({name: parts[name] for name in PREDICTED_COLUMNS}, schema=PREDICTED_COLUMNS)


@dataclass(frozen=True)
class NpsFindings:
    """What a training found of predicting the category, without any row of a customer.

    ``reason`` says why there is no model and what would lift it, empty where there is one. ``n_answers`` are those the
    shipped model learned from. ``figures`` are those of a twin that saw nothing of the answers it was judged on, by
    name, each with its ends (95 %), null where undefined.
    """

    reason: str = ""
    n_answers: int = 0
    regime: str = ""
    tested_from: str = ""
    """First and last day (ISO) that customers were looked at for the test."""
    tested_until: str = ""
    n_judged_answers: int = 0
    figures: Mapping[str, tuple[float | None, float | None, float | None]] = field(default_factory=dict)

    def sentence(self) -> str:
        """Say for a terminal what came of it."""
        if self.reason:
            return f"What silent customers would answer is not predicted: {self.reason}."
        gained, low, high = self.figures["log_loss_gained"]
        ends = (
            "" if None in {gained, low, high} else f": {gained:.4f} nats per answer [{low:.4f}, {high:.4f}]"
        )
        return (
            f"What silent customers would answer is predicted, from {self.n_answers:,} answers; out of time it beats "
            f"the shares answered before{ends}."
        )

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {**vars(self), "figures": {name: list(ends) for name, ends in self.figures.items()}}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> NpsFindings:
        """Read what :meth:`as_dict` gave."""
        figures = {name: (ends[0], ends[1], ends[2]) for name, ends in plain["figures"].items()}
        return cls(**{**plain, "figures": figures})


@dataclass(frozen=True)
class PredictedNps:
    """The findings, the model unless they say why there is none, and who answers when asked where that was learned."""

    findings: NpsFindings
    model: NpsModel | None = None
    answering: Answering | None = None

    def save(self, folder: Path) -> None:
        """Write into ``folder``/nps; the same always gives the same bytes."""
        inside = folder / NPS_FOLDER
        inside.mkdir(parents=True, exist_ok=True)
        text = json_text(self.findings.as_dict())
        (inside / NPS_FILE).write_text(text, encoding="utf-8", newline="\n")
        if self.model is not None:
            self.model.detractor.save(inside / "detractor")
            self.model.promoter.save(inside / "promoter")
        if self.answering is not None:
            self.answering.save(inside)


def read_predicted_nps(folder: Path) -> PredictedNps | None:
    """Return what lies beside the risk model in ``folder``; None for one that was trained without surveys or before.

    Raises ModelUnfit when one of its bundles is broken.
    """
    inside = folder / NPS_FOLDER
    if not (inside / NPS_FILE).is_file():
        return None
    findings = NpsFindings.from_dict(json.loads((inside / NPS_FILE).read_text("utf-8")))
    if findings.reason:
        return PredictedNps(findings, answering=read_answering(inside))
    model = NpsModel(Bundle.load(inside / "detractor"), Bundle.load(inside / "promoter"))
    return PredictedNps(findings, model, read_answering(inside))
