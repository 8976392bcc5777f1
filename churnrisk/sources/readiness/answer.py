"""The answer of ``churnrisk check``: its parts, as text, as plain values, as tables.

Counts, column names and dates only: no value of a person stands in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar

import polars as pl

from ...errors import Fault, SourceMissing

TOLD_NULLS = 0.005
"""Shares of nulls below it are not shown on a terminal: they would read 0 %."""

WITHOUT_FACTS = frozenset({"customers", "offers", "labelled"})
"""Sources that say who or what there is, not what happened when."""

Verdict = Literal["ok", "warn", "not enough"]

Line = TypeVar("Line")


@dataclass(frozen=True)
class SourceReadiness:
    """One source as of a date."""

    source: str
    n_read: int
    n_kept: int
    n_quarantined: int
    faults: Mapping[str, int]
    n_duplicates: int
    first_happened: datetime | None
    last_happened: datetime | None
    n_known: int | None
    """Facts known as of the date; null for tables without dates."""
    age_days: float | None
    """From the newest known fact to the as-of instant."""
    is_stale: bool
    null_shares: Mapping[str, float]
    """Per column with nulls, by name; columns that are wholly empty and that nobody mapped are left out."""


@dataclass(frozen=True)
class Match:
    """Which share of one thing is found in another, e.g. ``callers`` of whom a share ``are customers``."""

    source: str
    subject: str
    claim: str
    n_matched: int
    n_total: int

    @property
    def name(self) -> str:
        """Subject and claim in one phrase."""
        return f"{self.subject} {self.claim}"

    @property
    def share(self) -> float | None:
        """The share, null when there is nothing to match."""
        return self.n_matched / self.n_total if self.n_total else None


@dataclass(frozen=True)
class Remark:
    """Something to know, and what to do about it."""

    code: str
    level: Verdict
    text: str
    remedy: str


@dataclass(frozen=True)
class Readiness:
    """The answer of ``churnrisk check``."""

    as_of: str
    verdict: Verdict
    sources: tuple[SourceReadiness, ...]
    matches: tuple[Match, ...]
    n_customers: int
    """Customers who had come and not left, as known at the date."""
    n_leavers: int | None
    """Customers whose leaving was known at the date; null where churn is not told by left_on or a label."""
    n_months: float
    n_answers: int
    remarks: tuple[Remark, ...] = ()
    notes: tuple[str, ...] = ()
    """What loading remarked on."""
    publishes_despite_stale: bool = False

    @property
    def warnings(self) -> tuple[str, ...]:
        """The remarks as sentences."""
        return tuple(remark.text for remark in self.remarks)

    def refuse_stale(self) -> None:
        """Raise SourceMissing when a source is older than its ``max_age_days`` and the settings do not go on."""
        stale = [item for item in self.sources if item.is_stale]
        if not stale or self.publishes_despite_stale:
            return
        raise SourceMissing(
            Fault(
                "stale",
                f"source {item.source}",
                "a newest fact within max_age_days",
                "no fact known" if item.age_days is None else f"one {item.age_days:g} days old",
                "Deliver newer data, or set [quality] publish_despite_stale = true to go on with a warning.",
            )
            for item in stale
        )

    def source_lines(self, make: Callable[..., Line]) -> tuple[Line, ...]:
        """Return one ``make(...)`` per source, for pages that show them."""
        return tuple(
            make(
                name=item.source,
                n_read=item.n_read,
                n_kept=item.n_kept,
                n_quarantined=item.n_quarantined,
                faults=item.faults,
                first_happened=item.first_happened,
                last_happened=item.last_happened,
                age_days=item.age_days,
                is_stale=item.is_stale,
                match_rates={
                    match.name: match.share
                    for match in self.matches
                    if match.source == item.source and match.share is not None
                },
            )
            for item in self.sources
        )

    def text(self) -> str:
        """Say everything in lines for a terminal."""
        lines = [f"Sources as of {self.as_of}: {self.verdict}."]
        lines += [line for item in self.sources for line in _source_text(item)]
        lines += [
            f"  {match.name}: {match.n_matched:,} of {match.n_total:,} ({match.share:.1%})"
            for match in self.matches
            if match.share is not None
        ]
        gone = "" if self.n_leavers is None else f", {self.n_leavers:,} known to have left"
        dated = any(item.source not in WITHOUT_FACTS for item in self.sources)
        facts = f"{counted(self.n_months, 'month')} of facts" if dated else "no dated facts"
        lines.append(
            f"To learn from: {counted(self.n_customers, 'customer')}{gone}, {facts}, "
            f"{counted(self.n_answers, 'answer')}."
        )
        lines += [f"  warn: {note}" for note in self.notes]
        lines += [f"  {remark.level}: {remark.text} {remark.remedy}" for remark in self.remarks]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Give everything as plain values for ``--json``."""
        plain = asdict(self)
        plain["matches"] = [
            {"name": match.name, **asdict(match), "share": match.share} for match in self.matches
        ]
        for source in plain["sources"]:
            for name in ("first_happened", "last_happened"):
                source[name] = source[name].isoformat() if source[name] else None
        return plain

    def source_table(self) -> pl.DataFrame:
        """Return one row per source, for printing."""
        rows = [
            {
                "source": item.source,
                "read": item.n_read,
                "kept": item.n_kept,
                "quarantined": item.n_quarantined,
                "duplicates": item.n_duplicates,
                "from": item.first_happened.date() if item.first_happened else None,
                "to": item.last_happened.date() if item.last_happened else None,
                "age_days": item.age_days,
                "stale": item.is_stale,
                "reasons": ", ".join(f"{count} {code}" for code, count in item.faults.items()),
            }
            for item in self.sources
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    def match_table(self) -> pl.DataFrame:
        """Return one row per match rate, for printing."""
        kinds = {"match": pl.String, "matched": pl.Int64, "of": pl.Int64, "share": pl.Float64}
        rows = [(match.name, match.n_matched, match.n_total, match.share) for match in self.matches]
        return pl.DataFrame(rows, schema=kinds, orient="row")


def counted(number: float, noun: str) -> str:
    """Say how many, in the plural unless there is one.

    >>> counted(1, "row"), counted(1200, "row"), counted(0.5, "month")
    ('1 row', '1,200 rows', '0.5 months')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}".replace(".0 ", " ")


def _source_text(item: SourceReadiness) -> Iterator[str]:
    first, last = (day.date().isoformat() if day else "" for day in (item.first_happened, item.last_happened))
    period = f", {first} to {last}" if first else ""
    age = f", newest {item.age_days:g} days old" if item.age_days is not None else ""
    stale = " (stale)" if item.is_stale else ""
    yield (
        f"{item.source}: {counted(item.n_read, 'row')} read, {item.n_kept:,} kept, {item.n_quarantined:,} in "
        f"quarantine, {counted(item.n_duplicates, 'duplicate')}{period}{age}{stale}"
    )
    for code, count in item.faults.items():
        yield f"  {count:,} {code}"
    empty = [f"{name} {share:.0%}" for name, share in item.null_shares.items() if share >= TOLD_NULLS]
    if empty:
        yield f"  empty: {', '.join(empty)}"
