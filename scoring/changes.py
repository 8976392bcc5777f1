"""What moved a customer's risk since the night before, in points that add up to the difference.

It decides what is told of each input that moved, and refuses to know where last night's inputs were kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from churnrisk.bundle import Bundle
from churnrisk.dates import AsOf
from churnrisk.messages import Sentences
from churnrisk.tables.lines import (
    ANOTHER_MODEL,
    LATER_DATA,
    NEW_CALIBRATION,
    NOT_KEPT,
    NOT_SCORED_BEFORE,
    OTHER_INPUTS,
    SURVEY_ANSWER,
    inputs_only,
)
from features.catalogue import Catalogue, catalogue

from .points import in_points
from .reasons.choice import Choice
from .reasons.described import Described, described
from .reasons.discretion import may_tell, n_own_at_most
from .reasons.effects import Floats
from .reasons.table import value_text

N_MOVED = 8
"""Inputs that moved told per customer, at most. A judgement: new figures of a month move several at once."""

LEAST_TOLD_PP = 0.01
"""Points below which a move is not told singly: every age moves by a day every night. A judgement."""

_ROUNDING_PP = 1e-9

_SCHEMA = {
    "as_of": pl.Date,
    "customer_id": pl.String,
    "position": pl.Int64,
    "since": pl.Date,
    "feature": pl.String,
    "value_before": pl.String,
    "value_now": pl.String,
    "effect_pp": pl.Float64,
    "sentence": pl.String,
    "run_id": pl.String,
}


@dataclass(frozen=True, eq=False)
class LastNight:
    """What the night before left.

    Attributes
    ----------
    as_of
        Its date.
    scores
        Rows of its published table: customer_id, risk, risk_before_survey, model_version.
    inputs
        customer_id and the inputs its model saw, as they were; customers may be missing. None: not kept.
    is_recalibrated
        Its model is tonight's under another calibration.
    """

    as_of: date
    scores: pl.DataFrame
    inputs: pl.DataFrame | None = None
    is_recalibrated: bool = False


def changes(
    frame: pl.DataFrame,
    scored: pl.DataFrame,
    bundle: Bundle,
    sentences: Sentences,
    last: LastNight | None,
    *,
    as_of: AsOf,
    run_id: str,
    consents: pl.DataFrame | None = None,
    known_features: Catalogue | None = None,
) -> pl.DataFrame:
    """Return the published table ``changes``: what moved the risk of each customer of ``frame`` since the night before.

    The risk before any survey moves from f_last(x_last) to f(x). First the model changes at last night's inputs:
    f(x_last) - f_last(x_last) is one line. Then the inputs move: the exact Shapley values of x against x_last in
    log-odds (`Bundle.moves`) are turned into points by their share in f(x) - f(x_last), like reasons. An input that is
    the same has moved nothing. What survey answers added is compared apart. A customer's ``effect_pp`` add up to 100
    (risk - risk last night); what has no line of its own is in "other inputs".

    What other customers did never has a line here: from one night to the next it is one customer's doing.

    Parameters
    ----------
    frame : pl.DataFrame
        Tonight's feature rows of the customers: customer_id and every feature of the model.
    scored : pl.DataFrame
        Tonight's scores: customer_id, risk, risk_before_survey.
    bundle : Bundle
        Tonight's model.
    sentences : Sentences
        The language.
    last : LastNight or None
        The night before; None: there was none.
    as_of, run_id
        Tonight.
    consents, known_features
        As for `reasons`.
    """
    words = catalogue() if known_features is None else known_features
    moved = _Moved.of(frame, scored, bundle, last, words=words, consents=consents)
    rows = [
        {
            "as_of": as_of.day,
            "customer_id": customer_id,
            "position": position,
            "since": since,
            "run_id": run_id,
            **line,
        }
        for customer_id, since, lines in moved.by_customer(sentences, words)
        for position, line in enumerate(lines, start=1)
    ]
    return pl.DataFrame(rows, schema=_SCHEMA)


def _points(
    bundle: Bundle,
    before: pl.DataFrame,
    now: pl.DataFrame,
    *,
    risk: Floats,
    middle: Floats,
    is_kept: np.ndarray[Any, np.dtype[np.bool_]],
) -> Floats:
    """Return (rows, features): points that each input moved the risk, from ``middle`` with last night's inputs.

    Who came into another segment that is calibrated apart is first calibrated anew with last night's score, which is
    the doing of the input that names the segment; then the score moves.
    """
    calibration, score = bundle.calibration_of(now), bundle.raw_score(before, allow_extra=True)
    there = calibration.risk(score) if bundle.segments is not None else middle
    rise = np.where(is_kept, risk - there, 0.0)
    moves = np.where(is_kept[:, None], bundle.moves(before, now), 0.0)
    points = in_points(moves, rise, calibration.slope(score))
    if bundle.segments is not None:
        names = [feature.name for feature in bundle.features]
        points[:, names.index(bundle.segments.feature)] += np.where(is_kept, 100.0 * (there - middle), 0.0)
    return points


@dataclass(frozen=True, eq=False)
class _Compared:
    """One customer in both nights."""

    total_pp: float
    survey_pp: float
    model_pp: float
    """What the model's change moved, or, with the same model, what data that came later did."""
    has_inputs: bool


@dataclass(frozen=True, eq=False)
class _Moved:
    """Everything that changes rest on, rows in the order of the frame."""

    frame: pl.DataFrame
    before: pl.DataFrame
    features: tuple[Described, ...]
    points: Floats
    told: tuple[tuple[int, ...], ...]
    compared: tuple[_Compared | None, ...]
    last: LastNight | None
    is_new_version: bool

    @classmethod
    def of(
        cls,
        frame: pl.DataFrame,
        scored: pl.DataFrame,
        bundle: Bundle,
        last: LastNight | None,
        *,
        words: Catalogue,
        consents: pl.DataFrame | None,
    ) -> _Moved:
        features = described(bundle, words)
        nights = _both_nights(frame, scored, last)
        before = _inputs_before(frame, last)
        is_kept = nights["was"].is_not_null().to_numpy() & before["is_kept"].to_numpy()
        middle = bundle.predict(before, allow_extra=True)["risk"].to_numpy()
        points = _points(
            bundle, before, frame, risk=nights["model_risk"].to_numpy(), middle=middle, is_kept=is_kept
        )
        allowed = may_tell(frame, features, consents) & may_tell(before, features, consents)
        allowed &= ~np.array([feature.is_of_others for feature in features], dtype=bool)[None, :]
        return cls(
            frame,
            before,
            features,
            points,
            tuple(_chosen(features, points, allowed)),
            tuple(_compared(nights, middle, is_kept)),
            last,
            last is not None and set(last.scores["model_version"]) != {bundle.model_version},
        )

    def by_customer(
        self, sentences: Sentences, words: Catalogue
    ) -> Iterator[tuple[str, date | None, list[dict[str, Any]]]]:
        """Yield customer, the date compared with, and lines that add up."""
        for row, found in enumerate(self.compared):
            customer_id = str(self.frame["customer_id"][row])
            if found is None or self.last is None:
                yield customer_id, None, [_line(NOT_SCORED_BEFORE, None, sentences)]
            else:
                yield customer_id, self.last.as_of, list(self._lines(row, found, sentences, words))

    def _lines(
        self, row: int, found: _Compared, sentences: Sentences, words: Catalogue
    ) -> Iterator[dict[str, Any]]:
        if not found.has_inputs:
            if found.survey_pp:
                yield _line(SURVEY_ANSWER, found.survey_pp, sentences)
            yield _line(NOT_KEPT, found.total_pp - found.survey_pp, sentences)
            return
        told = 0.0
        for k in self.told[row]:
            feature, effect = self.features[k].as_told(words), float(self.points[row, k])
            told += effect
            yield _move(
                feature, self.before[feature.name][row], self.frame[feature.name][row], effect, sentences
            )
        model = self._model_line(found)
        apart = found.survey_pp + (found.model_pp if model else 0.0)
        yield _line(OTHER_INPUTS, found.total_pp - told - apart, sentences)
        if found.survey_pp:
            yield _line(SURVEY_ANSWER, found.survey_pp, sentences)
        if model:
            yield _line(model, found.model_pp, sentences)

    def _model_line(self, found: _Compared) -> str | None:
        if not self.is_new_version:
            return LATER_DATA if abs(found.model_pp) > _ROUNDING_PP else None
        return NEW_CALIBRATION if self.last is not None and self.last.is_recalibrated else ANOTHER_MODEL


def _both_nights(frame: pl.DataFrame, scored: pl.DataFrame, last: LastNight | None) -> pl.DataFrame:
    """Return customer_id, risk and model_risk tonight; was and model_was last night, null where not scored."""
    model_risk = pl.coalesce("risk_before_survey", "risk")
    found = frame.select("customer_id").join(
        scored.select("customer_id", "risk", model_risk=model_risk),
        on="customer_id",
        how="left",
        maintain_order="left",
    )
    if last is None:
        unknown = pl.lit(None, dtype=pl.Float64)
        return found.with_columns(was=unknown, model_was=unknown)
    earlier = last.scores.select("customer_id", was=pl.col("risk"), model_was=model_risk)
    return found.join(earlier, on="customer_id", how="left", maintain_order="left")


def _inputs_before(frame: pl.DataFrame, last: LastNight | None) -> pl.DataFrame:
    """Return last night's rows in the order of ``frame``, with ``is_kept``.

    An input that last night's model did not have counts as it is tonight: it did not move. So do all inputs of
    customers of whom none were kept.
    """
    if last is None or last.inputs is None:
        return frame.with_columns(is_kept=pl.lit(value=False))
    kept = [name for name in last.inputs.columns if name in frame.columns and name != "customer_id"]
    found = frame.select("customer_id").join(
        last.inputs.select("customer_id", *kept).with_columns(is_kept=pl.lit(value=True)),
        on="customer_id",
        how="left",
        maintain_order="left",
    )
    is_kept = found["is_kept"].fill_null(value=False)
    columns = [
        found[name].cast(frame.schema[name]).zip_with(is_kept, frame[name]) if name in kept else frame[name]
        for name in frame.columns
        if name != "customer_id"
    ]
    return pl.DataFrame([frame["customer_id"], *columns, is_kept.alias("is_kept")])


def _compared(
    nights: pl.DataFrame, middle: Floats, is_kept: np.ndarray[Any, Any]
) -> Iterator[_Compared | None]:
    for row, risk_between, has_inputs in zip(nights.iter_rows(named=True), middle, is_kept, strict=True):
        if row["was"] is None:
            yield None
            continue
        survey = (row["risk"] - row["model_risk"]) - (row["was"] - row["model_was"])
        yield _Compared(
            100 * (row["risk"] - row["was"]),
            100 * survey,
            100 * (float(risk_between) - row["model_was"]),
            bool(has_inputs),
        )


def _chosen(
    features: tuple[Described, ...], points: Floats, allowed: np.ndarray[Any, Any]
) -> Iterator[tuple[int, ...]]:
    own_at_most = n_own_at_most(features)
    for own, may in zip(points, allowed, strict=True):
        choice = Choice(features, own, may, own_at_most, is_each_story_once=False)
        choice.take(np.where(np.abs(own) >= LEAST_TOLD_PP, np.abs(own), 0.0), N_MOVED)
        yield tuple(choice.chosen)


def _move(feature: Described, before: Any, now: Any, effect: float, sentences: Sentences) -> dict[str, Any]:
    said = sentences.moved(feature.name, before, now, unit=feature.unit, label=feature.label)
    return {
        "feature": feature.name,
        "value_before": value_text(before),
        "value_now": value_text(now),
        "effect_pp": effect,
        "sentence": said,
    }


def _line(name: str, effect: float | None, sentences: Sentences) -> dict[str, Any]:
    return {
        "feature": name,
        "value_before": None,
        "value_now": None,
        "effect_pp": effect,
        "sentence": sentences.line(name),
    }


CHANGED: dict[str, pl.DataType] = {
    "customer_id": pl.String(),
    "change_pp": pl.Float64(),
    "sentences": pl.List(pl.String()),
    "changed": pl.String(),
}
"""A customer's whole change in points, the largest moves as sentences, and both as one text."""

N_SENTENCES = 2
"""Moves in one cell of the list; the table ``changes`` holds the others."""


def changed_words(table: pl.DataFrame, sentences: Sentences) -> pl.DataFrame:
    """Return `CHANGED` of the customers of the table ``changes`` who were scored the night before."""
    compared = table.filter(pl.col("since").is_not_null())
    whole = compared.group_by("customer_id", "since", maintain_order=True).agg(
        change_pp=pl.col("effect_pp").sum()
    )
    moved = (
        inputs_only(compared)
        .group_by("customer_id", maintain_order=True)
        .agg(pl.col("sentence", "effect_pp").head(N_SENTENCES))
    )
    rows = [
        _changed(row, sentences)
        for row in whole.join(moved, on="customer_id", how="left", maintain_order="left").iter_rows(
            named=True
        )
    ]
    return pl.DataFrame(rows, schema=CHANGED)


def _changed(row: dict[str, Any], sentences: Sentences) -> dict[str, Any]:
    said = [
        f"{sentences.numbers.points(points)}: {sentence}"
        for points, sentence in zip(row["effect_pp"] or [], row["sentence"] or [], strict=True)
    ]
    whole = sentences.change(row["change_pp"], row["since"])
    return {
        "customer_id": row["customer_id"],
        "change_pp": row["change_pp"],
        "sentences": said,
        "changed": sentences.joined([whole, *said]),
    }
