"""The card of a model, written by the run that made it: what it predicts, from what, how well, and what it is not for.

Markdown from the result of a training alone, so that it cannot say more than is known; no row and no id of a customer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from .evaluate import CROSS_VALIDATED, FIGURES
from .judging.groups import TOO_FEW
from .nps import ANSWER_DAYS, NPS_FIGURES

if TYPE_CHECKING:
    from .result import SnapshotUse, TrainingResult

CARD_FILE = "card.md"

NOT_FOR = (
    "**Causes.** It says who is likely to leave, not why, nor what would keep them. Reasons tell what the model saw.",
    "**Prices, credit, eligibility, or any decision against a customer.** It was made to decide whom to call.",
    "**Judging staff**, shops or channels by the risk of the customers they serve.",
    "**Other people** than those it learned from: another country or brand, prospects, a time of other tariffs.",
    "**The past.** Rows before the end of its data period (`scores.is_hindsight`) are no forecasts.",
    "**Money, as it stands.** What an action gains is another question than who leaves; only a held-out group tells.",
)
"""What a model of this kind must not be used for."""

MOST_SEGMENTS = 30
"""Segments in the card."""

USES = {
    "train": "taught the judged model",
    "test": "judges",
    "embargo": "neither: its outcomes reach into the test",
}
"""What a date did where the model was judged out of time."""

CROSSED_USES = {True: "teaches and judges, each customer by a model taught by others", False: "neither"}
"""What a date did where customers were cross-validated, by whether it ships: all dates that ship do both."""

APART = "The shipped model learned from the dates that ship; the judged one, fitted alike, from those that taught it."
CROSSED = (
    "The shipped model learned from all of this. Judged were models fitted alike, one for each part of the customers, "
    "which learned from the other parts: no customer was judged by a model that had seen them, and all models had seen "
    "the time that they were judged on. So the figures say nothing of a later time."
)


def model_card(result: TrainingResult, *, as_of: str) -> str:
    """Return the card of the shipped model as Markdown.

    Parameters
    ----------
    result : the training.
    as_of : the day (ISO) whose end limits what was known.
    """
    parts = (
        ("What it predicts", _predicts(result)),
        ("Data", _data(result, as_of)),
        ("Regime", _regime(result)),
        ("Figures", _figures(result)),
        ("Segments", _segments(result)),
        ("How long customers stay", _lifetime(result)),
        ("Gates", _gates(result)),
        ("Beside the champion", _beside(result)),
        ("What silent customers would answer", _silent(result)),
        ("What answers say and offers do", _responses(result)),
        ("Inputs", _inputs(result)),
        ("Remarks", [f"- {note}" for note in result.notes] or ["None."]),
        ("What it must not be used for", [f"- {sentence}" for sentence in NOT_FOR]),
    )
    lines = [f"# Model card: risk of leaving, as of {as_of}"]
    for title, body in parts:
        lines += ["", f"## {title}", "", *body]
    return "\n".join(lines) + "\n"


def _predicts(result: TrainingResult) -> Iterator[str]:
    churn = result.bundle.provenance.churn
    horizon, gap = churn.get("horizon_days"), churn.get("gap_days")
    yield {
        "cancelled": f"The chance that a customer's contract ends within {horizon} days, beginning {gap} days after "
        "the date of the score, if nobody does anything about it (no retention action).",
        "inactive": f"The chance that a customer does nothing at all for {churn.get('inactive_days')} days, beginning "
        f"{gap} days after the date of the score, if nobody does anything about it (no retention action).",
    }.get(
        str(churn.get("kind")),
        "The chance that a customer left as the labelled extract says. What leaving means and over which time is the "
        "extract's; whether actions were taken meanwhile it does not tell.",
    )
    yield ""
    if result.censoring is not None:
        yield from (f"{sentence[0].upper()}{sentence[1:]}." for sentence in result.censoring.sentences())
    elif churn.get("kind") != "label":
        yield (
            "No retention action is recorded in the data it learned from. If there were some all the same, the risk is "
            "that of customers so treated, and too low for the others."
        )


def _data(result: TrainingResult, as_of: str) -> Iterator[str]:
    is_crossed = result.evaluation.kind == CROSS_VALIDATED
    if result.snapshots:
        yield _dated(result, as_of)
        yield ""
        yield from _dates(result, is_crossed=is_crossed)
    else:
        yield _extract(result)
    yield ""
    yield CROSSED if is_crossed else APART
    fingerprints = result.bundle.provenance.fingerprints
    if fingerprints:
        yield ""
        yield "Sources, by hash of their content:"
        yield ""
        yield from (f"- {name}: `{digest[:16]}`" for name, digest in sorted(fingerprints.items()))


def _dated(result: TrainingResult, as_of: str) -> str:
    until = result.bundle.provenance.trained_until
    known = (
        f"; outcomes known by the end of {as_of} ({until} UTC)"
        if until
        else ", as a labelled extract has them"
    )
    return f"Customers looked at {_when([use.as_of for use in result.snapshots])}{known}."


def _extract(result: TrainingResult) -> str:
    judged = result.judged["as_of"]
    if not (judged != "").any():
        return f"One labelled extract without dates: {result.evaluation.n_rows:,} customers."
    return f"One labelled extract: {result.evaluation.n_rows:,} customer dates, looked at {_when(judged.to_list())}."


def _when(days: Sequence[str]) -> str:
    """Say on which dates customers were looked at; an extract may have rows without one."""
    known = sorted({day for day in days if day})
    words = f"on {known[0]}" if len(known) == 1 else f"on {len(known)} dates from {known[0]} to {known[-1]}"
    return words if all(days) else f"{words} and on dates not known"


def _dates(result: TrainingResult, *, is_crossed: bool) -> Iterator[str]:
    yield "| date | use | ships | customers | leavers | others by status |"
    yield "| --- | --- | --- | ---: | ---: | --- |"
    for use in result.snapshots:
        others = {
            name: count for name, count in use.counts.items() if name not in {"leaver", "stayer"} and count
        }
        cells = (
            use.as_of or "not known",
            _use_of(use, is_crossed=is_crossed),
            "yes" if use.is_shipped else "no",
            f"{use.n_rows:,}",
            f"{use.n_leavers:,}",
            ", ".join(f"{name} {count:,}" for name, count in sorted(others.items())),
        )
        yield f"| {' | '.join(cells)} |"


def _use_of(use: SnapshotUse, *, is_crossed: bool) -> str:
    if is_crossed:
        return CROSSED_USES[use.is_shipped]
    return USES[use.use] if use.as_of else "neither: it is not known whether they come before the test"


def _regime(result: TrainingResult) -> Iterator[str]:
    yield f"{result.regime[0].upper()}{result.regime[1:]}."


def _figures(result: TrainingResult) -> Iterator[str]:
    judged = result.evaluation
    yield (
        f"Judged {judged.kind}, on {judged.n_rows:,} customer dates with {judged.n_leavers:,} leavers. In brackets "
        "95 % intervals."
    )
    yield ""
    yield "| figure | value | interval | meaning |"
    yield "| --- | ---: | --- | --- |"
    for name, meaning in FIGURES.items():
        yield f"| {name} | {_number(judged.figures.get(name))} | {_ends(judged.figures, name)} | {meaning} |"
    for group, value in result.ablations.items():
        yield f"| auc without {group} | {_number(value)} |  | the same test without those inputs |"
    yield ""
    yield "| band | from risk | judged | left of them | interval |"
    yield "| --- | ---: | ---: | ---: | --- |"
    for band in result.bundle.bands:
        ends = "" if band.realised_low is None else f"[{band.realised_low:.4f}, {band.realised_high:.4f}]"
        yield f"| {band.name} | {band.risk_from:.4f} | {band.n:,} | {_number(band.realised_rate)} | {ends} |"


def _segments(result: TrainingResult) -> Iterator[str]:
    """Say where observed over expected is off beyond chance, and give the rest as a table, furthest off first."""
    if result.segments.is_empty():
        yield "Nothing to tell customers apart by: neither tenure nor a column of text with few values."
        return
    table = result.segments.sort(
        pl.col("is_flagged").fill_null(value=False),
        pl.col("oe").log().abs(),
        "attribute",
        "value",
        descending=[True, True, False, False],
        nulls_last=True,
    )
    n_flagged = int(table["is_flagged"].sum())
    yield (
        f"Observed over expected leavers by segment. {n_flagged} of {table.height} are off beyond chance (of those "
        "marked, one in twenty by chance). Small ones are pooled; columns to compare treatment by are never told here."
    )
    yield ""
    yield "| segment | rows | leavers | observed / expected | interval | off |"
    yield "| --- | ---: | ---: | ---: | --- | --- |"
    for row in table.head(MOST_SEGMENTS).iter_rows(named=True):
        ends = "" if row["oe_low"] is None else f"[{row['oe_low']:.2f}, {row['oe_high']:.2f}]"
        oe = "undefined" if row["oe"] is None else f"{row['oe']:.2f}"
        off = "yes" if row["is_flagged"] else ""
        name = f"{row['attribute']}: {row['value']}"
        if row["value"] == TOO_FEW:
            name = f"{TOO_FEW.strip('()')}: {row['attribute']}"
        name = name.replace("|", "/")
        yield f"| {name} | {row['n']:,} | {row['n_leavers']:,} | {oe} | {ends} | {off} |"
    if table.height > MOST_SEGMENTS:
        yield ""
        yield f"{table.height - MOST_SEGMENTS} more, nearer to 1, are on the page of `churnrisk evaluate`."


def _lifetime(result: TrainingResult) -> Iterator[str]:
    found = result.lifetime
    if found is None:
        yield "Not known: an extract does not say over which time its risk speaks."
        return
    yield from found.sentences()
    if found.totals.is_empty():
        return
    yield ""
    yield "| dates | band | customer dates | months | expected | realised | realised over expected | interval |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |"
    for row in found.totals.iter_rows(named=True):
        ends = "" if row["low"] is None else f"[{row['low']:.4f}, {row['high']:.4f}]"
        yield (
            f"| {row['cohorts']} | {row['band']} | {row['n']:,} | {row['months']} | {row['expected']:.3f} | "
            f"{row['realised']:.3f} | {_number(row['ratio'])} | {ends} |"
        )


def _gates(result: TrainingResult) -> Iterator[str]:
    yield "Passed all: it may become champion." if result.is_fit else "**Unfit**: not all were passed."
    yield ""
    for gate in result.gates:
        yield f"- {gate.gate}: {'passed' if gate.is_passed else 'NOT passed'}; needed {gate.needed}, found {gate.found}"


def _beside(result: TrainingResult) -> Iterator[str]:
    if result.comparison is None:
        yield "There was no champion to compare with."
        return
    first, *others = result.comparison.sentences()
    yield first
    if others:
        yield ""
        yield from (f"- {sentence}" for sentence in others)


def _responses(result: TrainingResult) -> list[str]:
    if result.responses is None:
        return ["Not asked."]
    return [f"- {sentence}" for sentence in result.responses.sentences()]


def _silent(result: TrainingResult) -> Iterator[str]:
    if result.nps is None:
        yield "Not predicted: there are no survey answers of known date."
        return
    found = result.nps.findings
    if found.reason:
        yield f"Not predicted: {found.reason}."
    else:
        yield (
            "The category (detractor, passive, promoter) that a customer would answer to the recommend question within "
            f"{ANSWER_DAYS} days, for customers who gave no relationship answer; learned from {found.n_answers:,} "
            f"answers ({found.regime}), without anything the customer ever answered. Predicted, not asked: never part "
            "of a measured NPS, of an input or of the risk."
        )
    if found.figures:
        yield ""
        yield (
            f"Judged out of time on {found.n_judged_answers:,} answers after {found.tested_from}, weighted for "
            "non-response. In brackets 95 % intervals."
        )
        yield ""
        yield "| figure | value | interval | meaning |"
        yield "| --- | ---: | --- | --- |"
        for name, meaning in NPS_FIGURES.items():
            value, low, high = found.figures[name]
            ends = "" if low is None or high is None else f"[{low:.4f}, {high:.4f}]"
            yield f"| {name} | {_number(value)} | {ends} | {meaning} |"


def _inputs(result: TrainingResult) -> Iterator[str]:
    groups: dict[str, int] = {}
    for feature in result.bundle.features:
        groups[feature.group] = groups.get(feature.group, 0) + 1
    counted = ", ".join(f"{group} {count}" for group, count in sorted(groups.items()))
    yield f"{len(result.bundle.features)} inputs ({counted})."
    if result.dropped:
        yield ""
        yield f"{len(result.dropped)} columns were left out:"
        yield ""
        yield from (f"- {name}: {reason}" for name, reason in sorted(result.dropped.items()))


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"


def _ends(figures: Mapping[str, float | None], name: str) -> str:
    ends: Sequence[float | None] = (figures.get(f"{name}_low"), figures.get(f"{name}_high"))
    return "" if None in ends else "[" + ", ".join(f"{end:.4f}" for end in ends if end is not None) + "]"
