"""A source table: what its contract says of faults, to people and in the documentation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import dataframely as dy

from ..columns import MOST, Word, about, is_inner, range_words
from ..faults import ROW_FAULTS, sentence_of
from .rows import Source

Extra = Literal["", "attribute", "metric"]

REFERS_TO_CUSTOMERS = ("surveys", "interactions", "usage", "events", "treatments")
"""Sources whose rows must belong to a customer; calls may name anyone."""

UNCHECKED = ("recorded_answers", "recorded_suppressions", "recorded_liftings")
"""Files to record that may name people who are no customers (yet), or in which the ledger says who it is about."""

AGAINST_THE_LEDGER: dict[str, tuple[str, ...]] = {
    "recorded_answers": (
        "nothing_filled_in", "required_missing", "invitation_of_another_customer", "metric_not_asked",
        "score_off_scale", "score_not_whole", "answer_before_invitation", "answer_in_the_future", "comment_came_later",
        "id_taken",
    ),
    "recorded_treatments": (
        "treatment_in_the_future", "nothing_filled_in", "no_offer_made", "required_missing", "treatment_not_on_record",
        "treatment_of_another_customer", "treatment_of_another_offer", "treatment_withdrawn", "treatment_before_record",
    ),
    "recorded_outcomes": (
        "outcome_in_the_future", "id_taken", "unknown_treatment", "treatment_of_another_customer",
        "outcome_before_treatment",
    ),
    "recorded_contacts": ("contact_in_the_future", "unknown_channel", "id_taken"),
    "recorded_consents": ("consent_in_the_future",),
    "recorded_suppressions": ("unknown_channel",),
    "recorded_liftings": ("lifting_in_the_future", "unknown_channel", "nothing_to_lift"),
}  # fmt: skip
"""What rows to record are rejected with beside their contract: they contradict the ledger, or the clock."""


@dataclass(frozen=True)
class SourceTable:
    """A source table: its contract, the key that makes a row unique, and what further columns of a file become."""

    name: str
    schema: type[Source]
    key_words: str
    happened: str | None = None
    """The column that dates the fact."""
    extra: Extra = ""
    kind_words: str = "source"
    """What stands behind the name in headings: a source, or a file to record."""
    needed: tuple[str, ...] = ()
    """Columns that must be there although some rows may leave them empty."""

    @property
    def meaning(self) -> str:
        """The table in a sentence."""
        return " ".join((self.schema.__doc__ or "").split())

    @property
    def columns(self) -> dict[str, dy.Column]:
        """The columns a source can give, by name."""
        return {name: column for name, column in self.schema.columns().items() if not is_inner(column)}

    @property
    def required(self) -> tuple[str, ...]:
        """The columns without which there is no table."""
        return tuple(
            name for name, column in self.columns.items() if not column.nullable or name in self.needed
        )

    def kind(self, column: str) -> str:
        """Return the kind of a column."""
        return str(about(self.columns[column])["kind"])

    def rule_codes(self) -> tuple[str, ...]:
        """Return the codes of rules between columns, in the order of ROW_FAULTS."""
        rules = self.schema._schema_validation_rules()  # noqa: SLF001 - dataframely has no public list of rules
        return tuple(code for code in ROW_FAULTS if code in rules)

    def column_codes(self, name: str) -> tuple[str, ...]:
        """Return the codes that a value of one column can be rejected with."""
        column = self.columns[name]
        reading = {
            "id": ("id_unreadable",),
            "instant": ("date_unreadable", "time_nonexistent", "time_out_of_range"),
            "day": ("date_unreadable", "time_out_of_range"),
            "number": ("number_unreadable",),
            "integer": ("number_unreadable", "not_whole"),
            "boolean": ("boolean_unreadable",),
        }.get(self.kind(name), ())
        limits = [
            limit_code(self, name, limit)
            for limit in ("min", "max")
            if getattr(column, limit, None) is not None
        ]
        words = [limit_code(self, name, "regex")] if isinstance(column, Word) else []
        needed = [] if column.nullable else ["required_missing"]
        return tuple(dict.fromkeys((*reading, *limits, *words, *needed)))

    def codes(self) -> tuple[str, ...]:
        """Return every code with which a row of this table can be rejected."""
        found = {code for name in self.columns for code in self.column_codes(name)} | set(self.rule_codes())
        found |= {"malformed_line", "bad_characters", "duplicate_row"}
        if self.key_words:
            found.add("duplicate_key")
        if self.name in REFERS_TO_CUSTOMERS or (
            self.kind_words == "record" and self.name not in UNCHECKED and "customer_id" in self.columns
        ):
            found.add("unknown_customer")
        if self.name in {"treatments", "recorded_treatments"}:
            found |= {"unknown_offer", "unknown_instead_of"}
        found |= set(AGAINST_THE_LEDGER.get(self.name, ()))
        if self.name == "surveys":
            found.add("superseded")
        return tuple(code for code in ROW_FAULTS if code in found)

    def limits_of(self, column: str) -> str:
        """Say the limits of a column in words."""
        return (
            range_words(self.columns[column]) if column in self.columns else ""
        ) or f"{-MOST:g} to {MOST:g}"

    def as_dict(self) -> dict[str, Any]:
        """Give the contract as plain values for ``--json``."""
        return {
            "table": self.name,
            "meaning": self.meaning,
            "key": self.key_words or None,
            "further_columns": EXTRA_WORDS[self.extra] or None,
            "columns": [
                {
                    "name": name,
                    "type": self.kind(name),
                    "unit": about(column)["unit"] or None,
                    "range": range_words(column) or None,
                    "required": name in self.required,
                    "meaning": column.description,
                    "null_means": about(column)["null"] or None,
                }
                for name, column in self.columns.items()
            ],
            "faults": [{"code": code, "reason": self.reason(code)} for code in self.codes()],
        }

    def reason(self, code: str) -> str:
        """Return the sentence of a fault code for this table."""
        column = next((name for name in self.columns if code in self.column_codes(name)), "")
        shared = sum(code in self.column_codes(name) for name in self.columns) > 1
        limits = "see above" if shared and code == "out_of_range" else self.limits_of(column)
        return sentence_of(code, "" if shared else column, limits)

    def text(self) -> str:
        """Describe the table for a terminal."""
        width = max(len(name) for name in self.columns)
        lines = [f"{self.name} ({self.kind_words}): {self.meaning}", f"  key: {self.key_words or 'none'}"]
        lines += [f"  {name:<{width}}  {words}" for name, words in self._column_lines()]
        if self.extra:
            lines.append(f"  and: {EXTRA_WORDS[self.extra]}")
        lines += ["  rows are rejected for:", *(f"    {code}: {self.reason(code)}" for code in self.codes())]
        return "\n".join(lines)

    def _column_lines(self) -> Iterator[tuple[str, str]]:
        for name, column in self.columns.items():
            kind = ", ".join(
                part for part in (self.kind(name), about(column)["unit"], range_words(column)) if part
            )
            null = "; required" if name in self.required else ""
            null += f"; null: {about(column)['null']}" if column.nullable else ""
            yield name, f"{column.description} ({kind}{null})"

    def markdown(self) -> str:
        """Describe the table as a section of the documentation."""
        lines = [
            f"## {self.name} ({self.kind_words})",
            "",
            f"{self.meaning} Key: {self.key_words or 'none'}.",
            "",
            "| column | type | unit | range | required | meaning | null means |",
            "| --- | --- | --- | --- | --- | --- | --- |",
        ]
        for name, column in self.columns.items():
            lines.append(
                f"| `{name}` | {self.kind(name)} | {about(column)['unit']} | {range_words(column)} "
                f"| {'yes' if name in self.required else ''} | {column.description} | {about(column)['null']} |"
            )
        if self.extra:
            lines += ["", f"Further columns: {EXTRA_WORDS[self.extra]}"]
        lines += ["", "| a row is rejected with | because |", "| --- | --- |"]
        lines += [f"| `{code}` | {self.reason(code)} |" for code in self.codes()]
        return "\n".join([*lines, ""])


EXTRA_WORDS: dict[str, str] = {
    "": "",
    "attribute": "every other column of the file is an attribute the model may use, unless it is in exclude or carry.",
    "metric": "every other column of the file that holds numbers (revenue, minutes, data_mb, days_late ...).",
}


def limit_code(table: SourceTable, column: str, rule: str) -> str:
    """Return the fault code of a dataframely rule (``min``, ``max``, ``regex``, ``nullability`` ...) of one column."""
    declared = about(table.columns[column]) if column in table.columns else {}
    special = declared.get("codes", {}).get(rule)
    if special:
        return str(special)
    if rule in {"nullability", "min_length"}:
        return "required_missing"
    if rule == "regex":
        return f"unknown_{column}"
    if rule in {"inf", "nan"}:
        return "number_unreadable"
    return "time_out_of_range" if declared.get("kind") in {"instant", "day"} else "out_of_range"
