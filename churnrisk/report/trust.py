"""How far a model can be trusted: what it learned from, what its test said, and what the network adds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

import polars as pl

from .. import pictures
from .content import Evidence, ReportContent
from .parts import Head, Part, Section, Table
from .summaries import MOST_REASONS, labelled
from .wording import (
    CURVE_AND_EMPC,
    DASH,
    FIGURE_WORDS,
    capitalised,
    counted,
    figure,
    has_interval,
    interval,
    span,
)

LEAST_MARKED_SHARE = 0.01
"""The gain curve has a point per percent: a smaller capacity cannot be marked on it."""


def trust_section(content: ReportContent) -> Section:
    """Return what the model learned from, what its test said, and what the network adds."""
    name = "How far to trust it"
    evidence = content.evidence
    if evidence is None:
        return Section("trust", name, ("No test figures came with this model.",))
    lines = [_training_words(evidence), _test_words(evidence), *_network_words(evidence)]
    parts = [Part(table=_figures_table(evidence, content.currency), is_wide=True)] if evidence.figures else []
    parts += _evaluation_pictures(content, evidence)
    return Section("trust", name, tuple(lines), tuple(parts), is_paired=True)


def _training_words(evidence: Evidence) -> str:
    when = (
        "" if evidence.trained_until is None else f", {span(evidence.trained_from, evidence.trained_until)}"
    )
    apart = f" Calibrated apart by {evidence.calibrated_apart}." if evidence.calibrated_apart else ""
    return (
        f"{capitalised(evidence.learner)}.{apart} Trained on {counted(evidence.n_training_rows, 'row')} with "
        f"{counted(evidence.n_training_leavers, 'leaver')}{when}."
    )


def _test_words(evidence: Evidence) -> str:
    size = f"{counted(evidence.n_test_rows, 'row')} with {counted(evidence.n_test_leavers, 'leaver')}"
    if evidence.protocol == "cross_validated":
        return f"Cross-validated on {size}: each row was predicted by a model that had not seen it. Not out of time."
    when = span(evidence.tested_from, evidence.tested_until)
    return (
        f"The figures are those of a twin, trained the same way on earlier dates only and tested out of time on "
        f"{size}, {when}; the model in use then learned from the tested dates too."
    )


def _network_words(evidence: Evidence) -> Iterator[str]:
    without = evidence.figures_without_network
    if without is None or "auc" not in without or "auc" not in evidence.figures:
        yield "There is no comparison with and without the network."
        return
    text = (
        f"With the network the AUC is {figure(evidence.figures['auc'].value, 'plain3')}, without it "
        f"{figure(without['auc'].value, 'plain3')}"
    )
    gain = evidence.network_gain
    if gain is None or not has_interval(gain):
        is_better = evidence.figures["auc"].value > without["auc"].value
        yield f"{text}." if is_better else f"{text}: the network adds nothing here."
        return
    difference = f"{figure(gain.value, 'plain3')}, 95 % interval {interval(gain, 'plain3')}"
    if gain.low > 0:
        yield f"{text}: it adds {difference}."
    elif gain.high < 0:
        yield f"{text}: the network adds nothing here, it does harm ({difference})."
    else:
        yield f"{text}: the difference ({difference}) may be chance, so the network adds nothing measurable here."


def _figures_table(evidence: Evidence, currency: str) -> Table:
    without = evidence.figures_without_network or {}
    known = [name for name in FIGURE_WORDS if name in evidence.figures]
    names = [*known, *sorted(set(evidence.figures) - set(known))]
    heads = [Head("Figure"), Head("Value", "number"), Head("95 % interval", "number")]
    if without:
        heads.append(Head("Without network", "number"))
    heads.append(Head("What it says", "fine"))
    rows = []
    for name in names:
        words, style, meaning = FIGURE_WORDS.get(name, (name.replace("_", " "), "plain4", ""))
        if name == "empc" and evidence.treat_all_per_customer is not None:
            everybody = figure(max(evidence.treat_all_per_customer, 0.0), style, currency)
            meaning += f" The better of contacting everybody and nobody: {everybody}."
        given = evidence.figures[name]
        cells = [words, figure(given.value, style, currency), interval(given, style, currency)]
        if without:
            cells.append(figure(without[name].value, style, currency) if name in without else DASH)
        rows.append((*cells, meaning))
    kind = "out of time" if evidence.protocol == "out_of_time" else "cross-validated, not out of time"
    return Table(f"Test figures, {kind}", tuple(heads), tuple(rows), folds=True)


def _evaluation_pictures(content: ReportContent, evidence: Evidence) -> Iterator[Part]:
    if has_rows(evidence.reliability, "mean_risk", "realised_rate"):
        yield Part(
            picture=pictures.calibration(evidence.reliability),
            caption="Each point is a group of customers of equal size. On the dashed line, as many left as predicted.",
        )
    if has_rows(evidence.gains, "share_contacted", "share_of_leavers_reached"):
        yield Part(
            picture=pictures.gain(evidence.gains, capacity_share=_capacity_share(content)),
            caption="The dashed line is contacting customers at random.",
        )
    if has_rows(evidence.profits, "share_contacted", "profit_per_customer"):
        yield Part(
            picture=pictures.profit(evidence.profits, currency=content.currency),
            caption="Costs and acceptance are those of the literature, not measured. A list is worth making where the "
            f"curve is above both nobody and everybody. {CURVE_AND_EMPC}",
        )
    if has_rows(evidence.importance, "feature", "share"):
        labels = content.feature_labels
        named = evidence.importance.head(MOST_REASONS).with_columns(
            feature=pl.col("feature").map_elements(
                lambda name: labelled(name, labels), return_dtype=pl.String
            )
        )
        yield Part(
            picture=pictures.feature_importance(named),
            caption="What the model uses is not what causes leaving.",
        )


def _capacity_share(content: ReportContent) -> float | None:
    if content.capacity is None or content.scores.is_empty():
        return None
    share = content.capacity / len(content.scores)
    return share if LEAST_MARKED_SHARE <= share <= 1 else None


def has_rows(frame: pl.DataFrame | None, *columns: str) -> TypeGuard[pl.DataFrame]:
    """Say whether a frame has a row in which all of ``columns`` are defined."""
    if frame is None or frame.is_empty():
        return False
    return (
        not frame.select(
            pl.col(name).fill_nan(None) if frame.schema[name].is_float() else name for name in columns
        )
        .drop_nulls()
        .is_empty()
    )
