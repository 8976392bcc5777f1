"""The user's own attributes as of a date: which version's value holds, and whether it is a number or a category.

It decides types from the values known at the date and refuses to know what an attribute means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from churnrisk.tables.lake import Attribute

Kind = Literal["number", "category"]

LEADING_ZERO = r"^\s*[+-]?0\d"
"""``00123`` is a code, not the number 123: an attribute with such a value is a category."""


@dataclass(frozen=True)
class TypedAttributes:
    """Attributes in their types: ``frame`` with typed columns, ``kinds`` by column, ``notes`` for run_log."""

    frame: pl.DataFrame
    kinds: Mapping[str, Kind]
    notes: tuple[str, ...] = ()


def attribute_rows(path: Path, attributes: Sequence[Attribute], members: pl.DataFrame) -> pl.DataFrame:
    """Return customer_key and every attribute's text as of the date, one row per member.

    ``members`` has customer_key, ``version`` (in force; null when none was known) and ``constant_version`` (where
    constants may be read). An attribute of a customer without a known version is null unless declared constant.
    """
    constants = [attribute.column for attribute in attributes if attribute.is_constant]
    changing = [attribute.column for attribute in attributes if not attribute.is_constant]
    keyed = members.select("customer_key", "version", "constant_version")
    scan = pl.scan_parquet(path)
    held = scan.select("version", *changing).collect()
    always = scan.select(pl.col("version").alias("constant_version"), *constants).collect()
    return (
        keyed.join(held, on="version", how="left", maintain_order="left")
        .join(always, on="constant_version", how="left", maintain_order="left")
        .select("customer_key", *[attribute.column for attribute in attributes])
    )


def typed_attributes(
    frame: pl.DataFrame, attributes: Sequence[Attribute], kinds: Mapping[str, Kind] | None = None
) -> TypedAttributes:
    """Turn attribute text into Float64 or String.

    Parameters
    ----------
    frame : polars.DataFrame
        Text columns of the attributes beside any others; null = unknown.
    attributes : sequence of Attribute
        Those declared text are always categories.
    kinds : mapping of column to "number" or "category", optional
        Types that a model was trained with. A value that is no number where one is expected becomes null and is
        counted in the notes.

    Returns
    -------
    TypedAttributes
        Without ``kinds``, a column is a number when every value that is not null reads as a finite number, none begins
        with a superfluous zero, and there is at least one; a column without any value counts as a number.
    """
    forced = kinds or {}
    found = {attribute.column: _kind(frame[attribute.column], attribute, forced) for attribute in attributes}
    numbers = [column for column, kind in found.items() if kind == "number"]
    typed = frame.with_columns(_number(column) for column in numbers)
    lost = {column: typed[column].null_count() - frame[column].null_count() for column in numbers}
    notes = tuple(
        f"{column}: {count} values are no numbers though the model reads numbers; they count as unknown"
        for column, count in lost.items()
        if count
    )
    return TypedAttributes(typed, found, notes)


def _kind(values: pl.Series, attribute: Attribute, forced: Mapping[str, Kind]) -> Kind:
    if attribute.column in forced:
        return forced[attribute.column]
    if attribute.is_text:
        return "category"
    known = pl.DataFrame({attribute.column: values.drop_nulls().unique()})
    name = attribute.column
    is_code = pl.col(name).str.contains(LEADING_ZERO)
    return "number" if known.filter(_number(name).is_null() | is_code).is_empty() else "category"


def _number(column: str) -> pl.Expr:
    number = pl.col(column).str.strip_chars().cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number).alias(column)
