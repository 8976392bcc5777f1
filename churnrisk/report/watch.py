"""What was watched in the night: findings with what to do, predictions that came true or not, what moved, what came."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from .content import ReportContent, Watching
from .parts import Head, Part, Section, Table
from .summaries import labelled
from .wording import DASH, MINUS, UNKNOWN, count, counted, day, percent

N_SHOWN = 8
"""Inputs that the page shows, those that moved furthest; the published table has all."""

CALIBRATED = ("all", "controls", "band low", "band watch", "band high", "band critical", "slope")
"""Rows of calibration in the order shown."""

BASELINES: Mapping[str, str] = {"last_night": "the last night", "training": "the training"}

FIGURES: Mapping[str, tuple[str, str]] = {
    "auc": ("AUC", "plain"),
    "top_decile_lift": ("Lift in the top tenth", "plain"),
    "log_loss": ("Log loss", "plain"),
    "brier": ("Brier score", "plain"),
    "leaving_rate": ("Share who will leave", "share"),
}


def watch_section(content: ReportContent) -> Section:
    """Return the findings of the night, and the tables behind them."""
    name = "Can tonight be trusted?"
    watching = content.watching
    if watching is None:
        return Section("watch", name, ("This run was not watched.",))
    lines = [_verdict(watching), *watching.notes]
    parts = [
        *_findings(watching),
        *_calibration(watching.table),
        *_promises(watching.table),
        *_moved(watching.table, content.feature_labels),
        *_sources(watching.table),
    ]
    return Section("watch", name, tuple(lines), tuple(parts))


def _verdict(watching: Watching) -> str:
    told = [finding for finding in watching.findings if finding.severity != "note"]
    if not told:
        return (
            "Nothing stands out: no source is missing, and no input that counts, no risk and no matured prediction is "
            "off beyond chance."
        )
    n_alarms = sum(finding.severity == "alarm" for finding in told)
    alarms = f", {counted(n_alarms, 'alarm')} among them" if n_alarms else ""
    return f"{counted(len(told), 'finding')}{alarms}: what was found, and what should be done."


def _findings(watching: Watching) -> Iterator[Part]:
    if watching.findings:
        heads = (Head("How bad"), Head("What was found"), Head("What should be done"))
        rows = tuple((each.severity, each.sentence, each.advice) for each in watching.findings)
        yield Part(table=Table("Findings, alarms first", heads, rows, folds=True), is_wide=True)


def _calibration(table: pl.DataFrame) -> Iterator[Part]:
    order = pl.col("name").replace_strict(
        list(CALIBRATED), list(range(len(CALIBRATED))), return_dtype=pl.Int64
    )
    found = table.filter(pl.col("kind") == "calibration").sort(order)
    if found.is_empty():
        return
    heads = (
        Head("Customers whose time is up"),
        Head("Customers", "number"),
        Head("Expected to leave", "number"),
        Head("Left", "number"),
        Head("Left over expected", "number"),
        Head("95 % interval", "number"),
        Head("Verdict"),
    )
    rows = tuple(
        (
            "calibration slope" if row["name"] == "slope" else row["name"],
            count(row["n"]),
            DASH if row["expected"] is None else f"{row['expected']:,.1f}",
            DASH if row["observed"] is None else count(row["observed"]),
            _number(row["value"], 2),
            _range(row, 2),
            row["verdict"],
        )
        for row in found.iter_rows(named=True)
    )
    caption = "Did predictions come true? Untreated customers only; 1 is right"
    yield Part(table=Table(caption, heads, rows, folds=True), is_wide=True)


def _promises(table: pl.DataFrame) -> Iterator[Part]:
    found = table.filter(pl.col("kind") == "performance", pl.col("baseline") == "test")
    if found.is_empty():
        return
    came = table.filter(pl.col("kind") == "performance", pl.col("baseline") == "outcomes")
    realised = {row["name"]: row for row in came.iter_rows(named=True)}
    heads = [
        Head("Figure"),
        Head("Promised", "number"),
        Head("95 % interval", "number"),
        Head("In the test", "number"),
    ]
    if realised:
        heads.append(Head("Matured: promised, came", "number"))
    heads.append(Head("Verdict"))
    by_name = {row["name"]: row for row in found.iter_rows(named=True)}
    rows = []
    for name, (words, style) in FIGURES.items():
        row = by_name[name]
        cells = [words, _figure(row["value"], style), _range(row, 3, style), _figure(row["expected"], style)]
        if realised:
            past = realised.get(name)
            cells.append(
                DASH if past is None else f"{_number(past['value'], 3)}, {_number(past['observed'], 3)}"
            )
        rows.append((*cells, row["verdict"]))
    caption = "What tonight's risks promise, before anybody has left; holds only while they are calibrated"
    yield Part(table=Table(caption, tuple(heads), tuple(rows), folds=True), is_wide=True)


def _moved(table: pl.DataFrame, labels: Mapping[str, str]) -> Iterator[Part]:
    inputs = table.filter(pl.col("kind").is_in(["input", "score"]), pl.col("verdict") != "steady")
    for baseline, words in BASELINES.items():
        found = inputs.filter(pl.col("baseline") == baseline).sort(
            ["value", "name"], descending=[True, False]
        )
        if found.is_empty():
            continue
        heads = (
            Head("Input", is_data=True),
            Head("Source"),
            Head("Stability index", "number"),
            Head("By chance up to", "number"),
            Head("Verdict"),
        )
        rows = tuple(
            (
                "the risk" if row["kind"] == "score" else labelled(row["name"], labels),
                row["source"] or DASH,
                _number(row["value"], 2),
                _number(row["threshold"], 3),
                row["verdict"],
            )
            for row in found.head(N_SHOWN).iter_rows(named=True)
        )
        more = (
            f"the {N_SHOWN} of {len(found)} that moved furthest" if len(found) > N_SHOWN else "all that moved"
        )
        on = day(found["baseline_on"][0]) if found["baseline_on"][0] is not None else UNKNOWN
        caption = f"Moved beyond chance since {words} ({on}): {more}"
        yield Part(table=Table(caption, heads, rows, folds=True), is_wide=True)


def _sources(table: pl.DataFrame) -> Iterator[Part]:
    found = table.filter(pl.col("kind").is_in(["source", "population"]))
    if found.is_empty():
        return
    heads = (Head("What"), Head("Tonight", "number"), Head("Before", "number"), Head("Verdict"))
    rows = tuple(
        (
            "customers scored" if row["kind"] == "population" else f"facts of {row['name']}",
            count(row["observed"]),
            DASH if row["expected"] is None else count(row["expected"]),
            row["verdict"],
        )
        for row in found.iter_rows(named=True)
    )
    yield Part(table=Table("What came tonight, and at the last night", heads, rows), is_wide=True)


def _figure(value: float | None, style: str) -> str:
    return DASH if value is None else percent(value) if style == "share" else _number(value, 3)


def _number(value: float | None, digits: int) -> str:
    return DASH if value is None else f"{value:.{digits}f}".replace("-", MINUS)


def _range(row: Mapping[str, float | None], digits: int, style: str = "plain") -> str:
    low, high = row["low"], row["high"]
    if low is None or high is None:
        return DASH
    if style == "share":
        return f"{percent(low)} to {percent(high)}"
    return f"{_number(low, digits)} to {_number(high, digits)}"
