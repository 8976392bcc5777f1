"""What loading gives: validated tables, reports, where rejected rows lie, and what is to be said of it all.

It decides nothing about a source and refuses to know how one is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..config import Config, SourceSettings
from ..tables.lake import ATTRIBUTE_PREFIX, Attribute, LakeTables
from .reports import SourceReport


@dataclass(frozen=True)
class LoadedSources:
    """The validated tables of a workspace, what loading found, and where rejected rows lie."""

    tables: LakeTables
    reports: Mapping[str, SourceReport]
    quarantine: Mapping[str, Path]
    warnings: tuple[str, ...] = ()

    @property
    def fingerprints(self) -> Mapping[str, str]:
        """Hash of what each table was made from."""
        return self.tables.fingerprints


def loaded_sources(
    config: Config,
    reports: Mapping[str, SourceReport],
    paths: Mapping[str, Path],
    folders: Mapping[str, Path],
) -> LoadedSources:
    """Return what was loaded; ``paths`` holds the tables by name, ``folders`` where each source's lies."""
    warnings = [warning for report in reports.values() for warning in report.warnings]
    return LoadedSources(
        tables=LakeTables(
            paths=dict(sorted(paths.items())),
            attributes=tuple(_attributes(config, reports)),
            fingerprints={name: report.fingerprint for name, report in sorted(reports.items())},
        ),
        reports=dict(sorted(reports.items())),
        quarantine={
            name: folders[name] / "quarantine.parquet"
            for name, report in sorted(reports.items())
            if report.n_quarantined
        },
        warnings=tuple(dict.fromkeys([*warnings, *_accepted(config)])),
    )


def _attributes(config: Config, reports: Mapping[str, SourceReport]) -> Iterator[Attribute]:
    names = dict.fromkeys(
        name
        for source in ("customers", "labelled")
        if source in reports
        for name in reports[source].attributes
    )
    parts = [part for source in ("customers", "labelled") for part in config.sources.get(source, ())]
    constant = {name for part in parts for name in _ours(part, part.constant)}
    text = {name for part in parts for name in _ours(part, part.text)}
    for name in names:
        yield Attribute(name, ATTRIBUTE_PREFIX + name, name in constant, name in text)


def _accepted(config: Config) -> Iterator[str]:
    for part in config.sources.get("customers", ()):
        if part.accept_current_attributes:
            yield (
                "Attributes of customers are today's, used for past dates too (accept_current_attributes): figures of "
                "past dates flatter the model."
            )


def _ours(part: SourceSettings, names: Iterable[str]) -> set[str]:
    renamed = {str(theirs): ours for ours, theirs in part.columns.items()}
    return {renamed.get(name, name) for name in names}
