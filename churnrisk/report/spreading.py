"""Whether churn spreads between customers: the section with the verdict, the estimate and the controls."""

from __future__ import annotations

from collections.abc import Iterator

from ..metrics import Contagion, Interval
from ..metrics.contagion import CONTROL_WORDS, LARGEST_CONTROL_Z, LARGEST_SHUFFLE_P, VERDICTS
from .content import ReportContent
from .parts import Head, Part, Section, Table
from .wording import DASH, capitalised, counted

NAME = "Does churn spread between customers?"

_MEANINGS = {
    "spreads": "When a close friend leaves, a customer becomes more likely to leave: whom to keep is worth more than "
    "their own bill, and friends of those who left are worth a call.",
    "no_evidence": "That friends leave alike is no sign that one follows the other: people who know each other are "
    "alike. Money is counted with the cautious default of published studies.",
    "not_identified": "The data cannot tell spreading from likeness: no number is better here than a wrong one. Money "
    "is counted with the cautious default of published studies.",
}


def spreading_section(content: ReportContent) -> Section:
    """Return the verdict, the interval, the naive figure beside it, and what the estimate had to pass."""
    found = None if content.evidence is None else content.evidence.contagion
    if found is None:
        return Section("spreading", NAME, ("This was not studied when the model was trained.",))
    lines = [f"{capitalised(VERDICTS[found.verdict])}: {found.reason}", _MEANINGS[found.verdict]]
    if found.ratio is not None:
        lines.append(
            "A figure of 1 means no effect, 2 twice the chance of leaving per close friend who left in the last three "
            "months. Leavers are compared with others of the same community on the same day, with their own history, "
            "number of friends and friends' leavings of long ago held equal, so that only the timing counts. The "
            "interval is wider than chance alone asks: it allows for what cannot be seen."
        )
    effect = found.causal_effect
    if effect is not None:
        lines.append(
            f'To count money with it, set effect_source = "estimate", causal_effect = {effect.value:.2f} and '
            f"causal_interval = [{effect.low:.2f}, {effect.high:.2f}] under [influence]."
        )
    return Section("spreading", NAME, tuple(lines), tuple(_tables(found)))


def _tables(found: Contagion) -> Iterator[Part]:
    if found.ratio is not None:
        heads = (Head("Estimate"), Head("Ratio", "number"), Head("95 % interval", "number"))
        caption = (
            f"Chance of leaving per friend who left lately, from {counted(found.n_leavers, 'leaver')}, of whom "
            f"{counted(found.n_exposed, 'leaver')} had such a close friend"
        )
        yield Part(table=Table(caption, heads, tuple(_estimates(found)), folds=True))
    rows = tuple(_controls(found))
    if rows:
        heads = (Head("Control"), Head("Found", "number"), Head("Passes"))
        yield Part(table=Table("What the estimate had to pass", heads, rows, folds=True))


def _estimates(found: Contagion) -> Iterator[tuple[str, str, str]]:
    named = (
        ("Close friends, everything else held equal", found.ratio),
        ("The same, interval by chance alone", found.measured),
        ("Naive: nothing held equal", found.naive),
        ("Friends by middling ties", found.weaker.get("middle")),
        ("Friends by weak ties", found.weaker.get("weak")),
        ("Friends who leave in the month after (no control: real contagion runs both ways)", found.future),
    )
    for words, interval in named:
        if interval is not None:
            yield (words, *_cells(interval))
    if found.shuffled is not None and found.shuffle_observed is not None:
        yield (
            "Shuffle test: real dates, along the ties of the first look",
            f"{found.shuffle_observed:.2f}",
            DASH,
        )
        yield ("Shuffle test: the same with dates of leaving shuffled", f"{found.shuffled:.2f}", DASH)


def _cells(interval: Interval) -> tuple[str, str]:
    if interval.value != interval.value:
        return DASH, DASH
    return f"{interval.value:.2f}", f"{interval.low:.2f} to {interval.high:.2f}"


def _controls(found: Contagion) -> Iterator[tuple[str, str, str]]:
    for name, z in found.controls.items():
        words = capitalised(CONTROL_WORDS.get(name, name))
        if z is None:
            yield words, DASH, "not computed"
        else:
            yield words, f"z = {z:.1f}", "yes" if abs(z) < LARGEST_CONTROL_Z else "no"
    if found.shuffle_p is not None:
        passes = "yes" if found.shuffle_p <= LARGEST_SHUFFLE_P else "no"
        yield "Shuffled dates give less", f"p = {found.shuffle_p:.2f}", passes
