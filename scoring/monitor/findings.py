"""What follows from what was watched: findings in words, how bad each is, and what should be done.

It decides what is worth a sentence and what it advises, and refuses to measure anything. No sentence names a customer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from churnrisk.config import MonitoringSettings
from churnrisk.errors import Fault, GateRefused

from .watched import Watched

Severity = Literal["alarm", "warning", "note"]

MOST_NAMED = 3
"""Inputs that a finding names; the table has all."""

HARDLY_COUNTS = 0.05
"""Share of what the model uses below which inputs that moved are a note, no warning. A judgement."""

LIGHT = "Nothing now, while they count so little; the next training takes them as they are."

LARGE_DROP = 0.05
"""AUC promised below the test's that is an alarm. A judgement."""

WORDS: Mapping[str, str] = {"training": "the training", "last_night": "the last night"}


@dataclass(frozen=True)
class Finding:
    """One thing that should be known; an alarm may stop the publishing when the settings name its code."""

    code: str
    severity: Severity
    sentence: str
    advice: str

    @property
    def text(self) -> str:
        """The sentence and what to do."""
        return f"{self.sentence} {self.advice}".strip()


def findings(rows: Sequence[Watched], importance: Mapping[str, float] | None = None) -> tuple[Finding, ...]:
    """Return what follows from the rows, alarms first; nothing where all is as it should be.

    ``importance`` is the share of each input in what the model uses; inputs that moved and hardly count are a note.
    """
    rules: tuple[Callable[[Sequence[Watched]], Iterator[Finding]], ...] = (
        _sources,
        _population,
        lambda given: _inputs(given, importance),
        _missing_values,
        _scores,
        _calibration,
        _performance,
    )
    found = [finding for rule in rules for finding in rule(rows)]
    order = ("alarm", "warning", "note")
    return tuple(sorted(found, key=lambda finding: order.index(finding.severity)))


def refuse(found: Sequence[Finding], settings: MonitoringSettings) -> None:
    """Raise GateRefused (exit 14) with every alarm whose code the settings name."""
    faults = [
        Fault(
            code=finding.code,
            where="monitoring",
            expected="a night without this alarm, as [monitoring] refuse_on asks for",
            found=finding.sentence.rstrip("."),
            remedy=f"{finding.advice} Nothing was published; the tables of the night before stay. To publish "
            f"nevertheless take {finding.code} out of [monitoring] refuse_on.",
        )
        for finding in found
        if finding.severity == "alarm" and finding.code in settings.refuse_on
    ]
    if faults:
        raise GateRefused(faults)


def _of(rows: Sequence[Watched], kind: str, *verdicts: str) -> list[Watched]:
    return [row for row in rows if row.kind == kind and row.verdict in verdicts]


def _sources(rows: Sequence[Watched]) -> Iterator[Finding]:
    for row in _of(rows, "source", "missing"):
        was = f"{row.expected:,.0f} facts the last night" if row.expected else "the training had it"
        yield Finding(
            "source_missing",
            "alarm",
            f"Source {row.name} is missing or empty tonight ({was}): its inputs are unknown and the risks mean little.",
            f"Look at source {row.name}: did its export run, and does its path or query still hold?",
        )
    for row in _of(rows, "source", "shrunk"):
        yield Finding(
            "source_shrunk",
            "alarm",
            f"Source {row.name} holds {row.observed:,.0f} facts, the last night it held {row.expected:,.0f}.",
            f"Look at source {row.name}: facts do not go away, an export is probably incomplete.",
        )


def _population(rows: Sequence[Watched]) -> Iterator[Finding]:
    for row in _of(rows, "population", "moved", "strong drift"):
        yield Finding(
            "population_changed",
            "alarm" if row.verdict == "strong drift" else "warning",
            f"{row.observed:,.0f} customers are scored, the last night ({row.baseline_on}) {row.expected:,.0f}; "
            f"{row.n or 0:,} of these are still there.",
            "Look at source customers: a part of the base, or of their leaving dates, may be missing.",
        )


def _inputs(rows: Sequence[Watched], importance: Mapping[str, float] | None) -> Iterator[Finding]:
    for baseline, source, moved in _by_source(_of(rows, "input", "drift", "strong drift")):
        is_strong = any(row.verdict == "strong drift" for row in moved)
        share = None if importance is None else sum(importance.get(row.name, 0.0) for row in moved)
        weight = "" if share is None else f"; together {share:.0%} of what the model uses"
        is_heavy = share is None or share >= HARDLY_COUNTS
        yield Finding(
            "input_drift",
            "note" if not is_heavy else "alarm" if is_strong else "warning",
            f"{_inputs_of(len(moved), source)} moved beyond chance since {WORDS[baseline]} (stability index, 0.25 is "
            f"large: {_largest(moved)}{weight}).",
            _drift_advice(baseline, source) if is_heavy else LIGHT,
        )


def _largest(moved: Sequence[Watched]) -> str:
    first = sorted(moved, key=lambda row: (-(row.value or 0.0), row.name))[:MOST_NAMED]
    more = ", ..." if len(moved) > MOST_NAMED else ""
    return ", ".join(f"{row.name} {row.value:.2f}" for row in first) + more


def _drift_advice(baseline: str, source: str) -> str:
    look = f"Look at source {source}: " if source else "Look where they come from: "
    if baseline == "last_night":
        return f"{look}a jump from one night to the next is usually a change of the export, not of the customers."
    return f"{look}if the change is real, retrain, so that the model learns from customers as they are now."


def _missing_values(rows: Sequence[Watched]) -> Iterator[Finding]:
    more = [row for row in _of(rows, "missing", "drift", "strong drift") if (row.value or 0.0) > 0]
    for baseline, source, moved in _by_source(more):
        is_strong = any(row.verdict == "strong drift" for row in moved)
        largest = sorted(moved, key=lambda row: (-(row.value or 0.0), row.name))[:MOST_NAMED]
        named = ", ".join(f"{row.name} {row.expected:.0%} to {row.observed:.0%}" for row in largest)
        yield Finding(
            "missing_values",
            "alarm" if is_strong else "warning",
            f"{_inputs_of(len(moved), source)} are unknown for more customers than at {WORDS[baseline]} ({named}).",
            f"Look at source {source}: which part of it did not come?"
            if source
            else "Look where they come from.",
        )


def _by_source(rows: Sequence[Watched]) -> Iterator[tuple[str, str, list[Watched]]]:
    keys = sorted({(row.baseline, row.source or "") for row in rows})
    for baseline, source in keys:
        yield (
            baseline,
            source,
            [row for row in rows if (row.baseline, row.source or "") == (baseline, source)],
        )


def _inputs_of(n: int, source: str) -> str:
    return f"{n} {'input' if n == 1 else 'inputs'}{f' of {source}' if source else ''}"


def _scores(rows: Sequence[Watched]) -> Iterator[Finding]:
    for row in _of(rows, "score", "drift", "strong drift"):
        mean = "" if row.observed is None else f"; the mean is now {row.observed:.2%}"
        mean += "" if row.expected is None else f", it was {row.expected:.2%}"
        moved = _of(rows, "input", "drift", "strong drift")
        sources = sorted({each.source for each in moved if each.source and each.baseline == row.baseline})
        look = (
            f"Look at {'source' if len(sources) == 1 else 'sources'} {', '.join(sources)}, whose inputs moved."
            if sources
            else "No single input moved far: compare reasons in the table of both dates."
        )
        yield Finding(
            "score_drift",
            "alarm" if row.verdict == "strong drift" else "warning",
            f"The risks moved since {WORDS[row.baseline]} beyond chance (stability index {row.value:.2f}{mean}).",
            look,
        )


def _calibration(rows: Sequence[Watched]) -> Iterator[Finding]:
    off = _of(rows, "calibration", "off", "miscalibrated")
    if not off:
        return
    is_alarm = any(row.verdict == "miscalibrated" for row in off)
    told = ", ".join(_off_words(row) for row in off)
    names = {row.name for row in off}
    ranks_worse = any(row.baseline == "outcomes" for row in _of(rows, "performance", "below"))
    if "slope" in names or ranks_worse:
        advice = "Retrain: high and low risks are wrong in different ways, or the order has suffered."
    elif "all" in names:
        advice = "Recalibrate by `churnrisk train`: the level is wrong, who is above whom still holds."
    else:
        advice = "Recalibrate by `churnrisk train` if it stays so: all together and the slope are as they should be."
    yield Finding(
        "miscalibrated",
        "alarm" if is_alarm else "warning",
        f"Predictions whose time is up do not fit what untreated customers did: {told}.",
        advice,
    )


def _off_words(row: Watched) -> str:
    if row.name == "slope":
        return f"slope {row.value:.2f} ({row.low:.2f} to {row.high:.2f})"
    who = "all" if row.name == "all" else f"in {row.name}"
    return (
        f"{who} {row.observed:,.0f} left, {row.expected:,.0f} were expected "
        f"({row.value:.2f}, {row.low:.2f} to {row.high:.2f})"
    )


def _performance(rows: Sequence[Watched]) -> Iterator[Finding]:
    for row in _of(rows, "performance", "below"):
        if row.baseline == "test" and row.expected is not None and row.value is not None:
            yield Finding(
                "performance_drop",
                "alarm" if row.expected - row.value > LARGE_DROP else "warning",
                f"Tonight's risks promise less than the test showed: {row.name} {row.value:.3f} ({row.low:.3f} to "
                f"{row.high:.3f}), in the test {row.expected:.3f}.",
                "Retrain if it stays so; inputs that moved or went missing say where it comes from.",
            )
        elif row.observed is not None:
            yield Finding(
                "performance_drop",
                "warning",
                f"Customers left in another order than predicted: {row.name} {row.observed:.3f}, promised were "
                f"{row.low:.3f} to {row.high:.3f}.",
                "Retrain.",
            )
