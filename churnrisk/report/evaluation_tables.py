"""The tables of a judgement as a reader meets them, by section: columns chosen, figures written out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from .parts import Head, Table
from .wording import DASH, FIGURE_WORDS, MINUS, count, figure, money, percent

Tables = Mapping[str, pl.DataFrame]
Row = Mapping[str, Any]
Column = tuple[Head, Callable[[Row], str]]


def text(label: str, name: str, *, is_data: bool = False) -> Column:
    """Return a column of text, the user's own when ``is_data``."""
    return Head(label, is_data=is_data), lambda row: row[name] or DASH


def whole(label: str, name: str) -> Column:
    """Return a column of counts."""
    return Head(label, "number"), lambda row: count(row[name])


def rate(label: str, name: str, low: str = "", high: str = "") -> Column:
    """Return a column of shares, with their ends where they are named."""
    return Head(label, "number"), lambda row: _with_ends(row, (name, low, high), percent)


def ratio(label: str, name: str, low: str = "", high: str = "", *, digits: int = 2) -> Column:
    """Return a column of plain numbers, with their ends where they are named."""
    return Head(label, "number"), lambda row: _with_ends(
        row, (name, low, high), lambda value: f"{value:.{digits}f}".replace("-", MINUS)
    )


def gain(label: str, name: str) -> Column:
    """Return a column of signed differences with their ends."""
    return Head(label, "number"), lambda row: _with_ends(
        row, (name, f"{name}_low", f"{name}_high"), lambda value: f"{value:+.3f}".replace("-", MINUS)
    )


def amount(label: str, name: str) -> Column:
    """Return a column of amounts."""
    return Head(label, "number"), lambda row: DASH if row[name] is None else money(row[name])


def yes(label: str, name: str) -> Column:
    """Return a column that says yes or nothing; a dash where it is not known."""
    return Head(label), lambda row: DASH if row[name] is None else "yes" if row[name] else ""


def _with_ends(row: Row, names: tuple[str, str, str], told: Callable[[float], str]) -> str:
    value, low, high = (row.get(name) if name else None for name in names)
    if value is None:
        return DASH
    return told(value) if low is None or high is None else f"{told(value)} ({told(low)} to {told(high)})"


def made(caption: str, frame: pl.DataFrame | None, columns: Sequence[Column], *, key: int = 0) -> list[Table]:
    """Return one table, none without rows."""
    if frame is None or frame.is_empty():
        return []
    rows = tuple(tuple(cell(row) for _, cell in columns) for row in frame.iter_rows(named=True))
    return [Table(caption, tuple(head for head, _ in columns), rows, key=key, folds=True)]


_FIGURE: Column = (
    Head("Figure"),
    lambda row: FIGURE_WORDS[row["figure"]][0] if row["figure"] in FIGURE_WORDS else str(row["figure"]),
)
_REALISED = rate("Left", "realised_rate", "realised_low", "realised_high")
_PREDICTED = rate("Predicted", "mean_risk")
_OE = ratio("Observed over expected", "oe", "oe_low", "oe_high")


def _bands(tables: Tables) -> list[Table]:
    columns = [
        (Head("Band", "band"), lambda row: str(row["band"])),
        rate("From risk", "risk_from"),
        whole("Rows", "n"),
        whole("Leavers", "n_leavers"),
        _PREDICTED,
        _REALISED,
        _OE,
    ]
    return made("What really happened in each band", tables["bands"], columns)


def _months(tables: Tables) -> list[Table]:
    wide = tables["months"].with_columns(
        pl.col("figure").replace_strict(
            {name: words for name, (words, _, _) in FIGURE_WORDS.items()}, default=pl.col("figure")
        )
    )
    columns = [
        (Head("As of", "unbroken"), lambda row: row["as_of"] or DASH),
        text("Figure", "figure"),
        whole("Rows", "n"),
        whole("Leavers", "n_leavers"),
        ratio("Value", "value", "low", "high", digits=3),
    ]
    return made("Figures at each date", wide if wide["as_of"].n_unique() > 1 else None, columns)


def _blocks(tables: Tables) -> list[Table]:
    columns = [
        (Head("Data", "unbroken"), lambda row: str(row["block"])),
        whole("Features", "n_features"),
        ratio("AUC", "auc", "auc_low", "auc_high", digits=3),
        gain("AUC gained", "auc_gained"),
        gain("Lift gained", "top_decile_lift_gained"),
        gain("Log loss gained", "log_loss_gained"),
        gain("EMPC gained", "empc_gained"),
    ]
    return made(
        "Each row with all data above it; gained over the row above, more is better",
        tables.get("blocks"),
        columns,
    )


def _champion(tables: Tables) -> list[Table]:
    columns = [_FIGURE, gain_of("Gained", "gained")]
    return made("A model trained now over the model in use", tables.get("champion"), columns)


def gain_of(label: str, name: str) -> Column:
    """Return a column of signed differences whose ends are called low and high."""
    return Head(label, "number"), lambda row: _with_ends(
        row, (name, "low", "high"), lambda value: f"{value:+.4f}".replace("-", MINUS)
    )


def _unseen(tables: Tables) -> list[Table]:
    columns = [
        _FIGURE,
        ratio("People seen before", "seen", digits=3),
        ratio("People never seen", "unseen", digits=3),
        gain_of("Lost", "lost"),
    ]
    return made(
        "The same rows, judged by models that did and did not see their people", tables.get("unseen"), columns
    )


def lifetime_columns() -> list[Column]:
    """Return the columns of months lived, expected and realised, by band."""
    return [
        text("Dates", "cohorts"),
        text("Band", "band"),
        whole("Customer dates", "n"),
        whole("Months followed", "months"),
        ratio("Expected to live of them", "expected"),
        ratio("Lived", "realised"),
        ratio("Lived over expected", "ratio", "low", "high", digits=3),
    ]


def _lifetime(tables: Tables) -> list[Table]:
    survival = [
        text("Dates", "cohorts"),
        text("Band", "band"),
        whole("Month", "month"),
        whole("Followed", "n"),
        rate("Expected to stay", "expected"),
        rate("Stayed", "realised", "low", "high"),
    ]
    found = tables.get("survival")
    shown = None if found is None else found.filter(pl.col("band") == "all")
    return [
        *made("Months lived, by band of risk", tables.get("lifetime"), lifetime_columns(), key=1),
        *made("Survival month by month, all bands", shown, survival),
    ]


def _segments(tables: Tables) -> list[Table]:
    columns = [
        text("Attribute", "attribute", is_data=True),
        text("Value", "value", is_data=True),
        whole("Rows", "n"),
        whole("Leavers", "n_leavers"),
        _PREDICTED,
        _REALISED,
        _OE,
        yes("Beyond chance", "is_flagged"),
    ]
    return made("Predicted and realised by segment", tables["segments"], columns, key=1)


def _fairness(tables: Tables) -> list[Table]:
    columns = [
        text("Attribute", "attribute", is_data=True),
        text("Group", "value", is_data=True),
        whole("Rows", "n"),
        whole("Leavers", "n_leavers"),
        rate("Selected", "selection_rate", "selection_rate_low", "selection_rate_high"),
        ratio("Over the highest", "ratio_to_highest"),
        _OE,
        rate("Leavers missed", "false_negative_rate", "false_negative_rate_low", "false_negative_rate_high"),
        rate(
            "Stayers selected", "false_positive_rate", "false_positive_rate_low", "false_positive_rate_high"
        ),
    ]
    return made(
        "Selected is the riskiest tenth of each date, over all groups", tables["fairness"], columns, key=1
    )


def _opinions(tables: Tables) -> list[Table]:
    columns = [
        text("Opinion", "opinion"),
        text("Outcome", "outcome"),
        whole("Rows", "n"),
        rate("Share of the opinion", "share"),
        _PREDICTED,
    ]
    return made("By the latest recommend score", tables["opinions"], columns)


def _surveys(tables: Tables) -> list[Table]:
    alone = [
        text("Question", "predictor"),
        text("Among", "customers"),
        whole("Rows", "n"),
        whole("Leavers", "n_leavers"),
        ratio("AUC", "auc", "auc_low", "auc_high", digits=3),
        gain("Log loss gained over CRM", "log_loss_gained"),
    ]
    pairs = [
        text("Question", "question"),
        text("Against", "other"),
        whole("Rows", "n"),
        whole("Leavers", "n_leavers"),
        gain_of("AUC ahead", "auc_gained"),
    ]
    return [
        *made("Each question; a dash where fewer than 20 who answered left", tables["surveys"], alone),
        *made("Two questions among who answered both", tables["survey_pairs"], pairs),
    ]


def _types(tables: Tables) -> list[Table]:
    columns = [
        text("Type", "type"),
        (Head("Read as", "fine"), lambda row: str(row["reading"])),
        whole("Rows", "n"),
        rate("Share", "share"),
        _PREDICTED,
        _REALISED,
        _OE,
    ]
    return made("A customer may be of several types; the readings are judgement", tables["types"], columns)


def _leaver_kinds(tables: Tables) -> list[Table]:
    columns = [
        text("Kind", "kind"),
        whole("Leavers", "n_leavers"),
        rate("Share", "share"),
        whole("Flagged", "n_flagged"),
        rate("Share flagged", "share_flagged", "low", "high"),
        ratio("AUC against stayers", "auc", "auc_low", "auc_high", digits=3),
    ]
    return made("Who is seen coming, by how they leave", tables["leaver_kinds"], columns)


def _loyalty(tables: Tables) -> list[Table]:
    columns = [
        text("Tenure", "tenure"),
        text("Opinion", "opinion"),
        whole("Rows", "n"),
        whole("Leavers", "n_leavers"),
        _PREDICTED,
        _REALISED,
        amount("Monthly value, mean", "monthly_value_mean"),
        ratio("Services used, mean", "n_usage_metrics_mean"),
    ]
    return made("Leaving, spend and adoption by loyalty", tables["loyalty"], columns)


def _direction(tables: Tables) -> list[Table]:
    columns = [
        text("Input", "feature", is_data=True),
        text("Learned", "learned"),
        ratio("Rank correlation", "rank_correlation", "low", "high"),
        text("Expected", "expected"),
        (Head("Agrees"), lambda row: DASH if row["agrees"] is None else "yes" if row["agrees"] else "no"),
    ]
    return made(
        "The most important inputs; nothing forces a direction on the model", tables.get("direction"), columns
    )


def _campaigns(tables: Tables) -> list[Table]:
    beside = [whole("Left without", "n_control"), text("Beside", "compared_with")]
    each = [
        text("Campaign", "campaign_id", is_data=True),
        text("Offer", "offer_id", is_data=True),
        whole("Treated", "n_treated"),
        whole("Of them compared", "n_compared"),
        *beside,
        gain("Effect on staying", "effect"),
        ratio("Leaving, times", "ratio", "ratio_low", "ratio_high"),
        whole("Customers kept", "kept"),
        text("Chances", "propensity"),
        text("Verdict", "verdict"),
    ]
    causes = [
        text("Campaign", "campaign_id", is_data=True),
        text("Root cause", "root_cause", is_data=True),
        text("Offer", "offer_id", is_data=True),
        whole("Treated", "n_treated"),
        *beside,
        gain("Difference in staying", "difference"),
        text("Verdict", "verdict"),
    ]
    around = [
        text("Campaign", "campaign_id", is_data=True),
        whole("Treated communities", "n_treated_communities"),
        whole("Control communities", "n_control_communities"),
        gain("Others stay more by", "difference"),
        rate("Ties of controls to treated", "control_ties_to_treated"),
        text("Verdict", "verdict"),
    ]
    rules = [
        text("Rule", "rule"),
        whole("Decisions", "n"),
        ratio("Per customer, doubly robust", "dr", "dr_low", "dr_high"),
        ratio("By weights alone", "snips", "snips_low", "snips_high"),
        whole("Worth so many decisions", "n_effective"),
        yes("Too few to trust", "is_thin"),
    ]
    return [
        *made("What each offer of each campaign did, treated beside controls", tables.get("campaigns"), each),
        *made("By root cause and offer: differences, not causes of the causes", tables.get("causes"), causes),
        *made("Around those treated, where arms went by community", tables.get("spillover"), around),
        *made("What other rules would have earned on the same decisions", tables.get("rules"), rules),
    ]


def _figures(tables: Tables) -> list[Table]:
    rows = []
    for row in tables["figures"].iter_rows(named=True):
        words, style, _ = FIGURE_WORDS.get(row["figure"], (row["figure"].replace("_", " "), "plain4", ""))
        told = DASH if row["value"] is None else figure(row["value"], style)
        has_ends = row["low"] is not None and row["high"] is not None
        ends = f"{figure(row['low'], style)} to {figure(row['high'], style)}" if has_ends else DASH
        rows.append((words, told, ends, row["meaning"]))
    heads = (
        Head("Figure"),
        Head("Value", "number"),
        Head("95 % interval", "number"),
        Head("What it says", "fine"),
    )
    return [Table("Every figure with its interval", heads, tuple(rows), folds=True)]


TABLES: Mapping[str, Callable[[Tables], list[Table]]] = {
    "ranking": _champion,
    "bands": _bands,
    "months": _months,
    "blocks": _blocks,
    "unseen": _unseen,
    "lifetime": _lifetime,
    "segments": _segments,
    "fairness": _fairness,
    "opinions": _opinions,
    "surveys": _surveys,
    "leaver_kinds": _leaver_kinds,
    "types": _types,
    "loyalty": _loyalty,
    "direction": _direction,
    "campaigns": _campaigns,
    "figures": _figures,
}
"""By section of the page."""
