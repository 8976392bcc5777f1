"""The pictures of a judgement, by section; a table without a defined row makes none."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from .. import pictures
from .parts import Part
from .trust import has_rows
from .wording import CURVE_AND_EMPC, percent

MOST_SEGMENTS = 16
"""Segments in the picture, the furthest from 1 first; the table has all."""

Tables = Mapping[str, pl.DataFrame]


def _ranking(tables: Tables) -> list[Part]:
    gains = tables["gain"]
    if not has_rows(gains, "share_of_leavers_reached"):
        return []
    return [
        Part(picture=pictures.gain(gains), caption="The dashed line is contacting customers at random."),
        Part(
            picture=pictures.lift(gains),
            caption="Shaded: 95 % interval over customers. The low end is opened.",
        ),
    ]


def _calibration(tables: Tables) -> list[Part]:
    if not has_rows(tables["reliability"], "mean_risk", "realised_rate"):
        return []
    return [
        Part(
            picture=pictures.calibration(tables["reliability"]),
            caption="Each point is a group of rows of equal size. On the dashed line, as many left as predicted.",
        )
    ]


def _profit(tables: Tables) -> list[Part]:
    if not has_rows(tables["profit"], "profit_per_customer"):
        return []
    return [
        Part(
            picture=pictures.profit(tables["profit"]),
            caption=f"A list is worth making where the curve is above both nobody and everybody. {CURVE_AND_EMPC}",
        )
    ]


def _months(tables: Tables) -> list[Part]:
    told = {
        "auc": ("AUC at each date", "AUC, 95 % interval; 0.5 is chance", None),
        "observed_over_expected": (
            "Leavers observed over expected at each date",
            "Observed over expected, 95 % interval",
            1.0,
        ),
    }
    found = []
    for name, (title, y_title, right) in told.items():
        rows = tables["months"].filter(pl.col("figure") == name)
        if rows.height > 1 and has_rows(rows, "value"):
            picture = pictures.by_date(
                rows, name=f"by-date-{name.replace('_', '-')}", title=title, y_title=y_title, right=right
            )
            found.append(Part(picture=picture))
    return found


def _lead_time(tables: Tables) -> list[Part]:
    table = tables["lead_time"]
    if not has_rows(table, "share_flagged"):
        return []
    rows = table.select(
        label=pl.format("{} to {} days before, {} leavers", "days_from", "days_to", "n_leavers"),
        value="share_flagged",
        low="low",
        high="high",
        figure=pl.col("share_flagged").map_elements(percent, return_dtype=pl.String),
    )
    picture = pictures.intervals(
        rows,
        name="lead-time",
        title="How many leavers were flagged, by time before",
        x_title="In the riskiest tenth (%), 95 % interval; the mark is chance",
        right=0.1,
    )
    return [Part(picture=picture, caption="Days before the leaving became known: notice given, or gone.")]


def _blocks(tables: Tables) -> list[Part]:
    table = tables.get("blocks")
    if not has_rows(table, "auc"):
        return []
    rows = table.select(
        label=pl.format("{} ({} features)", "block", "n_features"),
        value="auc",
        low="auc_low",
        high="auc_high",
        figure=pl.col("auc").round(3).cast(pl.String),
    )
    picture = pictures.intervals(
        rows,
        name="blocks",
        title="AUC as data are added",
        x_title="AUC from 0.5, 95 % interval",
        start=0.5,
    )
    return [Part(picture=picture, caption="Each row has all data of the rows above it too.")]


def _segments(tables: Tables) -> list[Part]:
    table = tables["segments"].drop_nulls(["oe", "oe_low", "oe_high"]).filter(pl.col("oe") > 0)
    if table.is_empty():
        return []
    shown = table.sort(pl.col("oe").log().abs(), "attribute", "value", descending=[True, False, False]).head(
        MOST_SEGMENTS
    )
    rows = shown.select(
        label=pl.format("{}: {}", "attribute", "value"),
        value="oe",
        low="oe_low",
        high="oe_high",
        figure=pl.format(
            "{}{}", pl.col("oe").round(2), pl.when("is_flagged").then(pl.lit(" *")).otherwise(pl.lit(""))
        ),
    )
    picture = pictures.intervals(
        rows,
        name="segments",
        title="Leavers observed over expected, by segment",
        x_title="Observed over expected, 95 % interval; the mark is 1. * beyond chance",
        right=1.0,
    )
    return [Part(picture=picture, caption="The segments furthest from 1; the table has all.")]


def _surveys(tables: Tables) -> list[Part]:
    table = tables["surveys"]
    if not has_rows(table, "auc"):
        return []
    rows = table.drop_nulls("auc").select(
        label=pl.format("{}, {}, {} leavers", "predictor", "customers", "n_leavers"),
        value="auc",
        low="auc_low",
        high="auc_high",
        figure=pl.col("auc").round(3).cast(pl.String),
    )
    picture = pictures.intervals(
        rows,
        name="surveys",
        title="How well each question foretells leaving",
        x_title="AUC of the bare answer from 0.4, 95 % interval; the mark is chance",
        right=0.5,
        start=0.4,
    )
    return [Part(picture=picture, caption="Only among who answered all can questions be compared.")]


PICTURES: Mapping[str, Callable[[Tables], list[Part]]] = {
    "ranking": _ranking,
    "calibration": _calibration,
    "profit": _profit,
    "months": _months,
    "lead_time": _lead_time,
    "blocks": _blocks,
    "segments": _segments,
    "surveys": _surveys,
}
"""By section of the page."""
