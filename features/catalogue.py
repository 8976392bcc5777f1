"""Every feature: its name, unit, null meaning, source, availability, group and plain label. The documentation is this.

Unit and null meaning stand in the head of the SQL file that makes the column and are read from there; the rest stands
in ``entries``. It refuses to know how a value is reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import get_args

from churnrisk.errors import Fault
from churnrisk.store.statements import Column, Statement, StatementError, statements_in

from .entries import ENTRIES, tie_entry
from .entry import AVAILABILITY, GROUPS, WIDE_NAMES, Feature, Group, Reading
from .functions import functions
from .ties.names import tie_features


class Catalogue:
    """All features that a set of statements and functions can give, by name; families are found by their members."""

    def __init__(self, features: Iterable[Feature]) -> None:
        listed = list(features)
        self.features: Mapping[str, Feature] = {
            feature.name: feature for feature in listed if not feature.kind_name
        }
        self.families: tuple[Feature, ...] = tuple(feature for feature in listed if feature.kind_name)

    def __iter__(self) -> Iterator[Feature]:
        """Go through single features and families, by group in the order of `GROUPS`."""
        order = list(GROUPS)
        yield from sorted(
            (*self.features.values(), *self.families), key=lambda feature: order.index(feature.group)
        )

    def find(self, name: str) -> Feature | None:
        """Return the entry of a column, a family's member with its own name and label; None when there is none."""
        if name in self.features:
            return self.features[name]
        for family in self.families:
            kind = family.matched_kind(name)
            if kind is not None:
                return family.of_kind(kind)
        return None

    def __getitem__(self, name: str) -> Feature:
        """Return the entry of a column; raise StatementError when there is none."""
        found = self.find(name)
        if found is None:
            raise StatementError(undocumented(name))
        return found


def undocumented(name: str) -> Fault:
    """Give the fault of a column without an entry."""
    return Fault(
        code="feature_undocumented",
        where="features/entries.py",
        expected="an entry for every feature",
        found=f"none for {name}",
        remedy="Add one, or write group and label into the head: name | unit | null meaning | group | label.",
    )


def is_feature_statement(statement: Statement) -> bool:
    """Say whether a statement gives features: one row per customer of the population."""
    return (
        not statement.is_ephemeral
        and statement.grain == ("customer_key",)
        and "population" in statement.reads
    )


def feature_columns(statement: Statement) -> dict[str, Column]:
    """Return the features that a statement gives, by name; a family's by its name with braces."""
    columns = {column.name: column for column in statement.columns if column.unit != "key"}
    if statement.output in WIDE_NAMES:
        key, template = WIDE_NAMES[statement.output]
        return {template.replace("{column}", name): column for name, column in columns.items() if name != key}
    return columns if is_feature_statement(statement) else {}


def own_entries(statement: Statement) -> dict[str, Feature]:
    """Return the entries written into a head: ``name | unit | null meaning | group | label``, the reading optional."""
    found = {}
    for line in statement.sql.splitlines():
        cells = [cell.strip() for cell in line.removeprefix("--").split("|")]
        if line.startswith("--") and len(cells) >= len(("name", "unit", "null", "group", "label")):
            found[cells[0]] = _own_entry(statement, cells)
    return found


def _own_entry(statement: Statement, cells: list[str]) -> Feature:
    name, unit, null_meaning, group, label = cells[:5]
    reading = cells[5] if len(cells) > len(cells[:5]) else "either"
    for word, allowed in ((group, get_args(Group)), (reading, get_args(Reading))):
        if word not in allowed:
            raise StatementError(
                Fault(
                    code="feature_entry",
                    where=f"{statement.output}.sql, head, {name}",
                    expected=f"one of {', '.join(allowed)}",
                    found=repr(word),
                    remedy="Write name | unit | null meaning | group | label | reading.",
                )
            )
    return Feature(name, group, _source_of(statement), label, reading, unit, null_meaning)  # type: ignore[arg-type]


def _source_of(statement: Statement) -> str:
    """The user's source behind a statement: that of the first known_ table it reads, else customers."""
    for name in statement.reads:
        source = name.removeprefix("known_")
        if source in AVAILABILITY:
            return source
    return "calls" if {"call_pairs", "last_contact"} & set(statement.reads) else "customers"


def catalogue_of(statements: Mapping[str, Statement], more: Iterable[Feature] = ()) -> Catalogue:
    """Merge the entries with ``more`` and the heads of ``statements``; raise StatementError for one without."""
    entries = {feature.name: feature for feature in (*ENTRIES, *more)}
    merged: dict[str, Feature] = {name: feature for name, feature in entries.items() if feature.unit}
    for statement in statements.values():
        own = own_entries(statement)
        for name, column in feature_columns(statement).items():
            entry = own.get(column.name) or entries.get(name)
            if entry is None:
                raise StatementError(undocumented(name))
            merged[name] = replace(entry, unit=column.unit, null_meaning=column.null_meaning)
    return Catalogue([*merged.values(), *map(tie_entry, tie_features())])


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """Return the catalogue of the package's own features."""
    own = [feature for function in functions().values() for feature in function.features]
    return catalogue_of(statements_in("features"), own)


def catalogue_markdown() -> str:
    """Return the documentation of all features as Markdown."""
    lines = [
        "# Features",
        "",
        "Made from `features/entries.py` and the heads of `features/sql/*.sql`. A name in braces stands for one",
        "feature per metric, event, topic or attribute of your own data. Null is unknown or undefined, never 0; 0 is a",
        "real count. Windows end at the as-of instant and never reach back further than `[churn] history_days`.",
        "",
        "## When a value is there",
        "",
        "| source | known as of the date |",
        "| --- | --- |",
        *[f"| {source} | {text} |" for source, text in AVAILABILITY.items()],
    ]
    features = list(catalogue())
    for group, title in GROUPS.items():
        members = [feature for feature in features if feature.group == group]
        lines += ["", f"## {title} (`{group}`)", ""]
        lines += [
            "| feature | what | unit | null says | source | reading |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        lines += [
            f"| `{f.name}` | {f.label} | {f.unit} | {f.null_meaning} | {f.source} | {f.reading} |"
            for f in members
        ]
    return "\n".join(lines) + "\n"
