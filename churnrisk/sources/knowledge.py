"""Completes rows of each source: when a fact became known when no column says so, and what an absent value stands for.

It decides the two dates of every fact, and refuses to know files and faults.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import polars as pl

from ..config import SourceSettings
from ..tables.columns import EARLIEST
from ..tables.contracts import METRIC_SCALES, RECORDED_TABLES
from .mapping import ColumnMap
from .values import Spelling, end_of_day

ALWAYS = EARLIEST
"""``known_at`` of what is taken as known at any date."""

STEPS = {"day": "1d", "week": "1w", "month": "1mo", "quarter": "1q"}


@dataclass
class Draft:
    """The columns of a batch while they are completed; ``ends``: when values with a date only end."""

    columns: dict[str, pl.Series]
    ends: dict[str, pl.Series]
    mapping: ColumnMap
    spelling: Spelling
    faults: list[tuple[str, str, pl.Series]] = field(default_factory=list)
    made: dict[str, pl.Series] = field(default_factory=dict)
    """Columns of the validated table that no source column gives."""

    @property
    def settings(self) -> SourceSettings:
        """The settings of the source."""
        return self.spelling.settings

    @property
    def delay(self) -> timedelta:
        """How long a fact takes to become known."""
        return timedelta(days=self.settings.delay_days)

    def known_from(self, happened: pl.Series) -> None:
        """Fill ``known_at`` where no column gives it: ``happened`` plus the delay."""
        self.columns["known_at"] = self.columns["known_at"].fill_null(happened + self.delay)

    def default(self, column: str, value: str) -> None:
        """Replace null by what null means."""
        self.columns[column] = self.columns[column].fill_null(value)


def complete_customers(draft: Draft) -> None:
    """Date the version: its own column, else valid_from, else the day of the extract, else always."""
    columns = draft.columns
    if draft.mapping.gives("valid_from"):
        draft.faults.append(("required_missing", "valid_from", columns["valid_from"].is_null()))
        draft.known_from(draft.ends["valid_from"])
    else:
        day = draft.settings.extracted_on
        known = end_of_day(day, draft.spelling.day_zone) if day is not None else ALWAYS
        columns["known_at"] = columns["known_at"].fill_null(known)
    if not draft.mapping.gives("valid_from"):
        after = draft.ends["left_on"] + draft.delay
        dated = columns["known_at"] != ALWAYS
        first = pl.select(
            pl.when(dated).then(pl.min_horizontal(after, columns["known_at"])).otherwise(after)
        ).to_series()
        columns["left_known_at"] = columns["left_known_at"].fill_null(first)
    else:
        columns["left_known_at"] = columns["left_known_at"].fill_null(columns["known_at"])
    gone = columns["left_on"].is_not_null()
    columns["left_known_at"] = columns["left_known_at"].set(~gone, None)


def complete_calls(draft: Draft) -> None:
    """Tell missed calls by their codes; a call is known when it ended."""
    columns = draft.columns
    codes = list(draft.settings.missed_codes)
    missed = (
        columns["duration_s"].is_in(codes).fill_null(value=False)
        if codes
        else columns["duration_s"].is_null() & False
    )
    columns["duration_s"] = columns["duration_s"].set(missed, None)
    columns["is_missed"] = missed
    draft.default("kind", "voice")
    has_time = (draft.ends["started_at"] == columns["started_at"]).fill_null(value=True)
    lasted = (columns["duration_s"].clip(0).fill_null(0) * has_time.cast(pl.Int64) * 1_000_000).cast(
        pl.Duration("us")
    )
    draft.known_from(draft.ends["started_at"] + lasted)


def complete_surveys(draft: Draft) -> None:
    """Bring scores to the scale of their metric; date invitation and answer apart."""
    columns = draft.columns
    draft.default("occasion", "relationship")
    for metric, (low, high) in draft.settings.scales.items():
        first, last = METRIC_SCALES[metric]
        theirs = (columns["metric"] == metric).fill_null(value=False)
        converted = (columns["score"] - low) * ((last - first) / (high - low)) + first
        columns["score"] = converted.zip_with(theirs, columns["score"])
    spoke = columns["score"].is_not_null() | columns["comment"].is_not_null()
    given = columns["known_at"].zip_with(spoke, columns["known_at"].clear(len(spoke)))
    columns["answered_at"] = columns["answered_at"].fill_null(given)
    columns["answered_end"] = draft.ends["answered_at"].fill_null(columns["answered_at"])
    draft.known_from(columns["answered_end"])
    answer_known = columns["known_at"].set(columns["answered_at"].is_null(), None)
    draft.made["answer_known_at"] = answer_known
    draft.made["invitation_known_at"] = (draft.ends["invited_at"] + draft.delay).fill_null(answer_known)


def complete_dated(draft: Draft) -> None:
    """Date what has ``at``."""
    draft.known_from(draft.ends["at"])


def complete_recorded(draft: Draft) -> None:
    """Leave knowledge open where no column tells it: whoever records says when that was."""
    if "answered_at" in draft.columns:
        draft.columns["answered_end"] = draft.ends["answered_at"].fill_null(draft.columns["answered_at"])


def complete_usage(draft: Draft) -> None:
    """Date a period: known at its end, never at its start."""
    zone = draft.spelling.day_zone
    days = draft.columns["period_start"].dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.date()
    after = days.dt.offset_by(STEPS[draft.settings.period])
    distinct = after.drop_nulls().unique().to_list()
    ends = [end_of_day(day - timedelta(days=1), zone) for day in distinct]
    known = (
        after.replace_strict(distinct, ends, default=None, return_dtype=pl.Datetime("us"))
        if distinct
        else None
    )
    if known is not None:
        draft.known_from(known)


def complete_labelled(draft: Draft) -> None:
    """Date attributes at the end of the day observed; every row stands for itself unless weighed."""
    draft.columns["weight"] = draft.columns["weight"].fill_null(1.0)
    draft.made["observed_at"] = draft.ends["observed_on"]


COMPLETE: dict[str, Callable[[Draft], None]] = {
    "customers": complete_customers,
    "calls": complete_calls,
    "surveys": complete_surveys,
    "interactions": complete_dated,
    "events": complete_dated,
    "treatments": complete_dated,
    **dict.fromkeys(RECORDED_TABLES, complete_recorded),
    "usage": complete_usage,
    "labelled": complete_labelled,
}
"""What completes a batch of each source; offers need nothing."""
