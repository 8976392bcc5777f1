"""Says what makes a source unfit to go on with, from the counts of its report and the settings.

It decides when rejected rows are too many, and refuses to know a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ..config import Config, SourceSettings
from ..errors import Fault
from ..tables.faults import is_harmless
from .reports import FaultCount, SourceReport

TOLD_FAULTS = 5
"""Most frequent reasons told in one message."""


def verdict(
    settings: Sequence[SourceSettings], report: SourceReport, config: Config, place: Path
) -> Iterator[Fault]:
    """Yield what makes a loaded source unfit to go on with; its rejected rows lie in ``place``."""
    where = f"source {report.source}"
    if report.n_read == 0:
        yield Fault("table_empty", where, "at least one row", "none", f"Look at {', '.join(report.files)}.")
        return
    if report.needs_zone:
        yield zone_fault(where)
    for name, count in report.n_without_consent.items():
        if count and config.privacy.meaning_of_missing(name) is None:
            yield _consent_fault(where, name, count, report.n_read)
    positive = [value for part in settings for value in part.positive]
    if positive and report.n_kept and report.n_positive == 0 and config.churn.expected_rate is None:
        yield Fault(
            "no_positive",
            f"churnrisk.toml [sources.{report.source}] positive",
            "values of churned that mean left",
            f"{', '.join(positive)}, which no row has",
            "Write them exactly as in the file; if nobody has left yet, say how many are expected to: "
            "[churn] expected_rate.",
        )
    yield from _too_bad(settings, report, config, place)


def _too_bad(
    settings: Sequence[SourceSettings], report: SourceReport, config: Config, place: Path
) -> Iterator[Fault]:
    where = f"source {report.source}"
    remarked = "".join(f" {warning}" for warning in report.warnings)
    if report.n_kept == 0:
        yield Fault(
            "all_rows_bad",
            where,
            "rows that fulfil the contract",
            f"none of {report.n_read}: {_told(report.faults)}",
            f"Correct the mapping or the file; every rejected row is in {place}.{remarked}",
        )
        return
    declared = [part.max_bad_share for part in settings if part.max_bad_share is not None]
    most = max(declared) if declared else config.quality.max_bad_share
    if report.bad_share > most:
        told = _told([count for count in report.faults if not is_harmless(count.code)])
        if report.n_harmless:
            told += f"; {report.n_harmless} repeated row{'' if report.n_harmless == 1 else 's'} not counted"
        yield Fault(
            "too_many_bad_rows",
            where,
            f"at most {most:.1%} of rows rejected",
            f"{report.bad_share:.1%} of {report.n_read}: {told}",
            f"Correct the mapping or the file, or raise max_bad_share; every rejected row is in {place}.{remarked}",
        )


def _told(faults: Sequence[FaultCount]) -> str:
    """Say how many rows were rejected for the most frequent reasons, and where the first of each stands."""
    return "; ".join(
        f"{count.n_rows} x {count.code} (first: {count.first_file} row {count.first_row}) {count.reason.rstrip('.')}"
        for count in sorted(faults, key=lambda item: -item.n_rows)[:TOLD_FAULTS]
    )


def zone_fault(where: str) -> Fault:
    """Return the fault of local times without a zone."""
    return Fault(
        "zone_undeclared",
        where,
        "a zone for local times",
        "times without an offset, and no zone",
        'Write zone in [time] or in the source, e.g. zone = "Europe/Moscow" ("UTC" if they are UTC).',
    )


def _consent_fault(where: str, name: str, count: int, n_read: int) -> Fault:
    return Fault(
        "consent_undeclared",
        where,
        f"{name} for every customer",
        f"missing in {count} of {n_read} row{'' if n_read == 1 else 's'}",
        f"Map a column to {name}, or say in [privacy] missing_consent what a missing one means.",
    )
