"""One night watched: everything compared, judged and put into words. The order of the parts, and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl

from churnrisk.bundle import Reference
from churnrisk.config import MonitoringSettings
from churnrisk.metrics import Interval

from .arrived import population_row, source_rows
from .compared import Before, Tonight, since_last_night, since_training
from .estimated import promised
from .findings import WORDS, Finding, findings
from .matured import Matured, matured_rows
from .watched import Watched, watched_frame

JUDGED_FIGURES = ("auc", "top_decile_lift")
"""Promised figures that are judged against the test; the others go with the share of leavers, which may differ."""

WHOLE = ("all", "slope")
"""Rows of calibration about all customers; a single band may be off by chance of few leavers."""

TOLD_DROP = 0.02
"""Share of the test's figure by which the promise must fall short to be told, beyond its interval. A judgement."""


@dataclass(frozen=True)
class Watch:
    """What a night is compared with; None or empty = there is none, and then nothing of it is judged.

    ``trained_with`` names the sources of the training, ``facts`` counts facts known tonight by source, ``tested`` holds
    the figures of the model's test, ``importance`` the share of each input in what the model uses (0 to 1).
    """

    reference: Reference | None = None
    before: Before | None = None
    matured: Matured | None = None
    trained_with: Collection[str] = ()
    facts: Mapping[str, float] = field(default_factory=dict)
    tested: Mapping[str, Interval] = field(default_factory=dict)
    importance: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Monitored:
    """What was watched: the published table without as_of and run_id, the findings, and what could not be compared."""

    frame: pl.DataFrame
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Findings for run_log, with what to do."""
        return tuple(finding.text for finding in self.findings if finding.severity != "note")


def monitored(tonight: Tonight, watch: Watch, settings: MonitoringSettings) -> Monitored:
    """Compare a night with the training, the last night and what has come true, and say what follows."""
    rows = list(_rows(tonight, watch, settings))
    found = findings(rows, watch.importance)
    advised = [_advised(row, found) for row in rows]
    return Monitored(watched_frame(advised), found, tuple(_notes(tonight, watch)))


def _rows(tonight: Tonight, watch: Watch, settings: MonitoringSettings) -> Iterator[Watched]:
    before, reference = watch.before, watch.reference
    trained_on = date.fromisoformat(reference.as_of) if reference is not None and reference.as_of else None
    days = {"training": trained_on, "last_night": before.day if before is not None else None}
    yield from source_rows(
        watch.facts, watch.trained_with, before.facts if before is not None else {}, days=days
    )
    if before is not None and before.scores.height:
        yield population_row(tonight.frame["customer_id"], before.scores["customer_id"], before.day)
    if reference is not None:
        yield from since_training(tonight, reference, settings)
    if before is not None:
        yield from since_last_night(tonight, before, reference, settings)
    judged = list(matured_rows(watch.matured, settings)) if watch.matured is not None else []
    yield from judged
    is_valid = not any(row.verdict == "miscalibrated" and row.name in WHOLE for row in judged)
    yield from _promises(tonight, watch.tested, is_valid=is_valid)


def _promises(tonight: Tonight, tested: Mapping[str, Interval], *, is_valid: bool) -> Iterator[Watched]:
    """Yield what tonight's risks promise beside the test; not valid when matured predictions were miscalibrated."""
    if tonight.risk.is_empty():
        return
    for name, found in promised(tonight.risk.to_numpy()).items():
        test = tested.get(name)
        row = Watched(
            "performance",
            "test",
            name,
            value=_defined(found.value),
            low=_defined(found.low),
            high=_defined(found.high),
            expected=_defined(test.value) if test is not None else None,
            threshold=_defined(test.low) if test is not None else None,
            n=tonight.risk.len(),
        )
        yield replace(row, verdict=_promise_verdict(row) if is_valid else "not valid")


def _promise_verdict(row: Watched) -> str:
    if row.name not in JUDGED_FIGURES or row.threshold is None or row.high is None or row.expected is None:
        return "not judged"
    is_below = row.high < row.threshold and (row.value or 0.0) < row.expected * (1 - TOLD_DROP)
    return "below" if is_below else "as expected"


def _defined(value: float) -> float | None:
    return None if value != value else value  # noqa: PLR0124 - nan alone differs from itself


_FINDING_OF: Mapping[str, Sequence[str]] = {
    "source": ("source_missing", "source_shrunk"),
    "population": ("population_changed",),
    "input": ("input_drift",),
    "missing": ("missing_values",),
    "score": ("score_drift",),
    "calibration": ("miscalibrated",),
    "performance": ("performance_drop",),
}
_TELLING = frozenset({"drift", "strong drift", "missing", "shrunk", "off", "miscalibrated", "below"})


def _advised(row: Watched, found: Sequence[Finding]) -> Watched:
    """Put into a row what its finding advises: the one that names its source where there are several."""
    if row.verdict not in _TELLING and not (row.kind == "population" and row.verdict == "moved"):
        return row
    mine = [
        finding
        for finding in found
        if finding.code in _FINDING_OF[row.kind] and WORDS.get(row.baseline, "") in finding.sentence
    ]
    named = [
        finding for finding in mine if row.source is not None and f"source {row.source}" in finding.advice
    ]
    chosen = (named or mine)[:1]
    return replace(row, advice=chosen[0].advice) if chosen else row


def _notes(tonight: Tonight, watch: Watch) -> Iterator[str]:
    """Say what could not be compared, and why."""
    if watch.reference is None:
        yield "This model was trained before references were kept: inputs are not compared with the training."
    if watch.before is None:
        yield "There is no earlier published night to compare with."
    elif watch.before.model_version != tonight.model_version:
        yield (
            f"The last night ({watch.before.day}) was scored by model version {watch.before.model_version}, tonight "
            f"is by {tonight.model_version}: risks of the two are not compared."
        )
    if watch.matured is None:
        yield (
            "No published prediction has matured yet (outcome window over, made without hindsight): whether the risks "
            "come true is not known, and what they promise of themselves is unchecked."
        )
        return
    yield _matured_note(watch.matured)


def _matured_note(found: Matured) -> str:
    n, nights = found.frame.height, len(found.days)
    when = f"{found.days[0]}" if nights == 1 else f"{nights} nights from {found.days[-1]} to {found.days[0]}"
    text = f"{n:,} predictions of {when} have matured (model version {found.model_version})"
    if found.knows_treatments:
        return f"{text}; {found.n_treated:,} customers treated since are left out."
    return (
        f"{text}. There is no treatments source: customers who were called and kept count as stayers, so "
        "good work looks like risks that were too high."
    )
