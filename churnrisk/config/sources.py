"""Settings of sources: where the user's files are, how they are written, and when they stop a run."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, get_args

from pydantic import Field, field_validator, model_validator

from .base import Settings

SourceName = Literal[
    "customers", "calls", "surveys", "interactions", "usage", "events", "offers", "treatments", "labelled"
]
SOURCE_NAMES: tuple[str, ...] = get_args(SourceName)


class SourceSettings(Settings):
    """Where one source is and how its columns map to ours. Repeat as ``[[sources.NAME]]`` to join several files."""

    path: str | tuple[str, ...] | None = Field(
        None,
        description="File or glob, relative to the workspace: CSV (also .gz) or Parquet. A list joins several.",
    )
    database: str | None = Field(None, description="Database URL as env:NAME; with query.")
    query: str | None = Field(None, description="The select to run in the database.")
    from_: Literal["calls", "labelled"] | None = Field(
        None,
        alias="from",
        description="customers only: take the customers from whoever appears in that source.",
    )
    columns: dict[str, str | int] = Field(
        default_factory=dict,
        description="Our column = your column (a name, or a position from 1 for files without a header). Where "
        "further columns are taken, also a new name for one of them, which must not resemble one of ours.",
    )
    values: dict[str, str] = Field(
        default_factory=dict, description='Our column = a fixed value for every row, e.g. kind = "sms".'
    )
    exclude: tuple[str, ...] = Field(
        (),
        description='Your columns that must not become attributes or metrics; "*" takes only those named in columns.',
    )
    constant: tuple[str, ...] = Field(
        (),
        description="customers: your columns that never change, so they may be used before the extract's date.",
    )
    text: tuple[str, ...] = Field(
        (), description="Your columns to be read as categories though they look numeric."
    )
    extracted_on: date | None = Field(
        None,
        description="customers without valid_from or known_at: the day this extract shows. "
        "Attributes are unknown before it.",
    )
    accept_current_attributes: bool = Field(
        False,
        description="customers without history: use today's attributes for past dates too. "
        "Flattering and often a leak: every report says so.",
    )
    header: bool = Field(True, description="The first row holds column names.")
    delimiter: str | None = Field(None, description="CSV separator; found by itself when not given.")
    quote: str = Field('"', max_length=1, description="CSV quote character; empty for none.")
    encoding: str | None = Field(
        None, description="Character set, e.g. utf-8, cp1251, gb18030; detected when absent."
    )
    decimal: Literal[".", ","] = Field(".", description="Decimal sign of numbers.")
    date_format: str | None = Field(
        None,
        description='strptime format of dates and times, e.g. "%d.%m.%Y %H:%M"; or epoch_s, epoch_ms. '
        "ISO 8601 by default.",
    )
    time_origin: datetime | None = Field(
        None, description="The instant from which times count, when they are numbers of seconds."
    )
    zone: str | None = Field(
        None, description="Zone of this source's local times when it differs from [time] zone."
    )
    missing: tuple[str, ...] | dict[str, tuple[str, ...]] = Field(
        ("",),
        description="Values that mean unknown: a list for every column, or a table per one of your columns.",
    )
    scales: dict[Literal["csat", "ces"], tuple[float, float]] = Field(
        default_factory=dict,
        description="surveys: lowest and highest score of a metric when they are not csat 1-5 and ces 1-7, e.g. "
        "scales = { csat = [1, 10] }; such scores are converted to those. An effort scale on which 7 is hard: "
        "ces = [7, 1].",
    )
    missed_codes: tuple[int, ...] = Field((-1,), description="calls: durations that mean a missed call.")
    delay_days: float = Field(
        0,
        ge=0,
        le=365,
        description="Days between a fact and its becoming known, when there is no known_at column.",
    )
    period: Literal["day", "week", "month", "quarter"] = Field(
        "month", description="usage: length of a period; a period is known at its end."
    )
    id_digits: int | None = Field(
        None,
        ge=1,
        le=64,
        description="Pad ids that this source wrote as numbers with leading zeros to so many digits.",
    )
    id_prefix: str = Field(
        "",
        description="Text put before every id of this source but offer_id, where files number people or answers "
        "separately: two surveys that both count from 1.",
    )
    positive: tuple[str, ...] = Field((), description="labelled: values of churned that mean left.")
    true_base_rate: float | None = Field(
        None, gt=0, lt=1, description="labelled: the true share of leavers when the extract was resampled."
    )
    max_bad_share: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Share of quarantined rows that stops the run; [quality] max_bad_share otherwise.",
    )
    max_age_days: int | None = Field(
        None,
        ge=0,
        description="Newest fact may be at most so old at the as-of date, else the source is stale.",
    )

    @field_validator("path", "missing", "positive", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: tuple(map(str, item if isinstance(item, list) else [item]))
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return tuple(str(item) for item in value)
        return (str(value),) if value is not None else None

    @field_validator("database")
    @classmethod
    def _as_secret(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("env:"):
            msg = 'a secret only as "env:NAME"'
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _one_place(self) -> SourceSettings:
        given = [name for name in ("path", "database", "from_") if getattr(self, name) is not None]
        if len(given) > 1:
            msg = "one of path, database and from, not several"
            raise ValueError(msg)
        if (self.database is None) != (self.query is None):
            msg = "database and query together"
            raise ValueError(msg)
        return self

    @property
    def paths(self) -> tuple[str, ...]:
        """The file patterns, in the order given."""
        return self.path if isinstance(self.path, tuple) else ()


class QualitySettings(Settings):
    """When bad rows stop a run."""

    max_bad_share: float = Field(
        0.05, ge=0, le=1, description="Share of quarantined rows per source that stops the run."
    )
    publish_despite_stale: bool = Field(
        False,
        description="Score and publish although a source is older than its max_age_days (a warning remains).",
    )
