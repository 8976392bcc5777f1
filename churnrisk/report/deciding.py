"""What the night decided, and how asking goes: whom it asked and offered, who was refused why, what answers told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from .. import pictures
from ..ledger.rules.reasons import NONE
from .content import Asking, Decided, ReportContent
from .parts import Head, Part, Section, Table
from .wording import DASH, capitalised, count, counted, figure, money, percent

DECIDED, ASKING = "What was decided", "How asking goes"

NOTHING_DECIDED = (
    "Nothing was decided on this date: only nights that decide, and have a budget, ask or offer."
)

KINDS: Mapping[str, str] = {
    "survey": "survey",
    "offer": "offer",
    "promoter": "promoter to approach",
    "proactive": "contact unasked",
    "call": "call of the list",
}
DECISIONS: Mapping[str, str] = {
    "ask": "asked",
    "offer": "offered",
    "approach": "approached",
    "call": "called",
    "hold-out": "held out",
    "control": "left alone to measure by",
    "refused": "refused",
    "none": "not made",
}
NOT_MADE: Mapping[str, str] = {
    **dict.fromkeys(("left", "in_notice", "not_eligible"), "not for them"),
    **dict.fromkeys(("effect_unknown", "effect_not_shown"), "not known to help"),
    "not_worth_it": "not worth it",
    **dict.fromkeys(
        ("trial_full", "other_turn", "called_instead", "offered_instead", "not_drawn"), "not tonight"
    ),
}
"""Of the decision ``none`` by reason: only one of them says what something is worth."""
BANDS = ("critical", "high", "watch", "low")
BUDGETS: Mapping[str, str] = {"survey": "asking", "offer": "offers"}
FIGURES: Mapping[str, tuple[str, str]] = {
    "log_loss": ("Log loss (lower is better)", "plain4"),
    "brier": ("Brier score (lower is better)", "plain4"),
    "ece": ("Calibration error", "plain4"),
    "slope": ("Calibration slope (1 is right)", "plain2"),
    "observed_over_expected": ("Leavers observed over expected", "plain2"),
}


def decided_section(content: ReportContent) -> Section:
    """Return what was decided tonight: counts by reason, budgets, what another budget would buy."""
    night = content.decided
    if night is None or not night.figures.get("counts"):
        return Section("decided", DECIDED, (NOTHING_DECIDED,))
    lines = [
        *_budgets(night, content.currency),
        *(f"{capitalised(note)}." for note in night.notes),
        *_stopped(sum(each.n_stopped for each in content.handed.values())),
    ]
    return Section("decided", DECIDED, tuple(lines), tuple(_decided_parts(night, content.currency)))


def _stopped(n: int) -> Iterator[str]:
    if n:
        were = "was" if n == 1 else "were"
        yield f"Counted as it was decided: {counted(n, 'contact')} among these {were} stopped since."


def _budgets(night: Decided, currency: str) -> Iterator[str]:
    figures = night.figures
    for name, budget in figures["budget"].items():
        if budget > 0:
            spent = money(figures["spent"][name], currency)
            yield f"Of {money(budget, currency)} for {BUDGETS.get(name, name)} {spent} are used."
    expected = figures.get("expected_net_value")
    if expected and figures["budget"].get("offer", 0) > 0:
        if expected > 0:
            yield f"The offers are expected to bring {money(expected, currency)} after all costs."
        else:
            yield (
                f"The offers are expected to cost {money(-expected, currency)} more than they bring: some are drawn by "
                "lot to explore, and pay by what is learned of them."
            )


def _decided_parts(night: Decided, currency: str) -> Iterator[Part]:
    heads = (Head("What"), Head("Decision"), Head("Why"), Head("Customers", "number"))
    rows = tuple(
        (
            capitalised(KINDS.get(row["kind"], row["kind"])),
            _decision(row["decision"], row["reason_code"]),
            night.words.get(row["reason_code"], row["reason_code"]),
            count(row["n"]),
        )
        for row in night.figures["counts"]
    )
    yield Part(table=Table("Decisions and their reasons", heads, rows, folds=True), is_wide=True)
    curve = night.figures.get("curve")
    if curve:
        frame = pl.DataFrame(curve)
        if frame.height > 1:
            caption = (
                "Budgets beside tonight's, same offers and same customers; expected, not measured, and before the lots "
                "of tonight decide who is left alone to measure by and who draws which offer: what was really decided, "
                "told above, may differ from it by some offers and their money."
            )
            yield Part(picture=pictures.budget_curve(frame, currency=currency), caption=caption)


def _decision(decision: str, reason_code: str) -> str:
    words = DECISIONS.get(decision, decision)
    return NOT_MADE.get(reason_code, words) if decision == NONE else words


def asking_section(content: ReportContent) -> Section:
    """Return who confirmed a risk, whether answers made risks better, and what asking does by itself."""
    found = content.asking
    if found is None or not found.n_asked:
        lines = ["Nobody has been asked to confirm a risk yet."]
        return Section("asking", ASKING, (*lines, *([] if found is None else [found.ratios])))
    asked, answered = counted(found.n_asked, "customer"), count(found.n_answered)
    lines = [
        f"{capitalised(asked)} were asked to confirm a risk so far; {answered} answers are in.",
        found.ratios,
    ]
    if found.few:
        lines.append(f"Not enough answers yet to say whether they made risks better: {found.few}.")
    if found.effect:
        lines.append(found.effect if found.effect.endswith(".") else f"{capitalised(found.effect)}.")
    return Section("asking", ASKING, tuple(lines), tuple(_asking_parts(found)))


def _asking_parts(found: Asking) -> Iterator[Part]:
    if found.rates is not None and found.rates.height:
        heads = (
            Head("Band at asking", "band"),
            Head("Asked", "number"),
            Head("Answered", "number"),
            Head("Confirmed (detractors)", "number"),
            Head("95 % interval", "number"),
            Head("Cleared (promoters)", "number"),
        )
        rows = tuple(
            (
                row["band"],
                count(row["n_asked"]),
                count(row["n_answered"]),
                percent(row["confirmed"]),
                _ends(row["confirmed_low"], row["confirmed_high"]),
                percent(row["cleared"]),
            )
            for row in sorted(found.rates.to_dicts(), key=lambda each: BANDS.index(each["band"]))
        )
        yield Part(table=Table("Do answers confirm the risk?", heads, rows, folds=True), is_wide=True)
    if found.figures is not None and found.figures.height:
        yield Part(table=_figures(found.figures), is_wide=True)


def _figures(figures: pl.DataFrame) -> Table:
    heads = (
        Head("Figure"),
        Head("Before the answer", "number"),
        Head("After", "number"),
        Head("Gain", "number"),
        Head("95 % interval", "number"),
    )
    rows = []
    for row in figures.iter_rows(named=True):
        name, kind = FIGURES[row["figure"]]
        rows.append(
            (
                name,
                _number(row["before"], kind),
                _number(row["after"], kind),
                _number(row["gain"], kind),
                DASH
                if row["gain_low"] is None
                else f"{_number(row['gain_low'], kind)} to {_number(row['gain_high'], kind)}",
            )
        )
    n, leavers = figures["n"][0], figures["n_leavers"][0]
    caption = f"Risks before and after {counted(n, 'answer')}, {counted(leavers, 'leaver')} among them"
    return Table(caption, heads, tuple(rows), folds=True)


def _number(value: Any, kind: str) -> str:
    return DASH if value is None else figure(value, kind)


def _ends(low: float | None, high: float | None) -> str:
    return DASH if low is None or high is None else f"{percent(low)} to {percent(high)}"
