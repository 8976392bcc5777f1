"""A list of seeds that a user brings: reads it, and says of every row that cannot be used why.

It decides which rows are seeds and refuses to know what spreads from them. Rejected rows keep file, row, column, code
and reason, never an id.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from ..config import SourceSettings
from ..errors import ContractError, Fault, UsageError
from .delimited import DelimitedTable
from .files import is_parquet
from .header import FirstRow
from .raw import SourceFault
from .values import as_text

ID, ENERGY = "customer_id", "energy"

REASONS = {
    "malformed_line": ("", "too few or too many fields"),
    "seed_null": (ID, "no customer id"),
    "seed_unknown": (ID, "no customer of this id at this date (ids are text: 00123 is not 123)"),
    "seed_refuses": (ID, "the customer's call data may not be used"),
    "seed_hub": (
        ID,
        "a hub: more partners than anybody has friends, no social ties (see [ties] max_partners)",
    ),
    "energy_invalid": (ENERGY, "energy is no number above 0, written with a decimal point"),
    "seed_repeated": (ID, "a customer who stands above"),
}
"""By code: the column and the reason, in the order in which a row is judged."""

REJECTED: dict[str, pl.DataType] = {
    "source": pl.String(),
    "file": pl.String(),
    "row": pl.Int64(),
    "column": pl.String(),
    "code": pl.String(),
    "reason": pl.String(),
}


@dataclass(frozen=True, eq=False)
class Seeds:
    """``frame``: customer_id, energy above 0, in the order given. ``rejected``: columns of `REJECTED`, by row."""

    frame: pl.DataFrame
    rejected: pl.DataFrame
    where: str

    def rejected_words(self) -> list[str]:
        """Say, for each reason, how many rows are not used and why, in the order of `REASONS`."""
        counts = dict(self.rejected.group_by("code").len().iter_rows())
        return [
            f"{counts[code]:,} seed{'' if counts[code] == 1 else 's'} not used: {reason}"
            for code, (_, reason) in REASONS.items()
            if code in counts
        ]

    def refuse_empty(self) -> None:
        """Raise ContractError when no seed is left."""
        if self.frame.height:
            return
        raise ContractError(
            Fault(
                code="seeds_empty",
                where=self.where,
                expected="at least one customer whose call data may be used and who is no hub",
                found="; ".join(self.rejected_words()) or "no rows",
                remedy="Check ids (they are text: leading zeros count, and id_digits of a source pads), energy (2.5, "
                "not 2,5) and --as-of.",
            )
        )


def read_seeds(given: object, nodes: pl.DataFrame) -> Seeds:
    """Read seeds from a CSV (its separator and character set are found) or Parquet file, a frame, or a list of ids.

    Parameters
    ----------
    given : path, frame or sequence of text
        With ``customer_id`` and, if wished, ``energy`` (above 0; 1 where missing). Ids are read as in sources: the
        number 101.0 is 101. Of several rows of a customer that can be used the first counts.
    nodes : pl.DataFrame
        customer_id, may_use_calls, n_partners (of a hub; null = no hub) of everybody who is or was a customer by the
        date.

    Raises
    ------
    UsageError
        There is no such file, it cannot be read, or it has no column customer_id.
    """
    raw, malformed, where = _raw(given)
    if ID not in raw.columns:
        raise UsageError(
            Fault(
                "seeds_without_id",
                where,
                f"a column {ID}",
                "none",
                "Name it so.",
                _told([name for name in raw.columns if name != "row"]),
            )
        )
    energy = pl.col(ENERGY).cast(pl.String) if ENERGY in raw.columns else pl.lit(None, pl.String)
    allowed = nodes.select(pl.col("customer_id").alias(ID), may="may_use_calls", hub_of="n_partners")
    rows = (
        raw.select("row", _ids(raw[ID]), written=energy.str.strip_chars())
        .join(allowed, on=ID, how="left", maintain_order="left")
        .with_columns(number=pl.col("written").cast(pl.Float64, strict=False))
        .with_columns(
            energy=pl.when(pl.col("written").is_null() | (pl.col("written") == ""))
            .then(1.0)
            .otherwise("number")
        )
    )
    is_energy = (pl.col(ENERGY).is_finite() & (pl.col(ENERGY) > 0)).fill_null(value=False)
    code = (
        pl.when(pl.col(ID).is_null() | (pl.col(ID) == ""))
        .then(pl.lit("seed_null"))
        .when(pl.col("may").is_null())
        .then(pl.lit("seed_unknown"))
        .when(~pl.col("may"))
        .then(pl.lit("seed_refuses"))
        .when(pl.col("hub_of").is_not_null())
        .then(pl.lit("seed_hub"))
        .when(~is_energy)
        .then(pl.lit("energy_invalid"))
        .when(~pl.struct(ID, is_energy.alias("is_energy")).is_first_distinct())
        .then(pl.lit("seed_repeated"))
    )
    judged = rows.with_columns(code=code)
    lines = pl.DataFrame({"row": malformed}, schema={"row": pl.Int64}).with_columns(
        code=pl.lit("malformed_line")
    )
    bad = pl.concat([judged.select("row", "code"), lines]).drop_nulls("code").sort("row")
    return Seeds(judged.filter(pl.col("code").is_null()).select(ID, ENERGY), _rejected(bad, where), where)


def _told(names: Sequence[str]) -> tuple[str, ...]:
    return FirstRow(names, frozenset({ID, ENERGY}), needs_known=True).told[:10]


def _ids(given: pl.Series) -> pl.Series:
    """Write ids as those of sources are: as text, whole floats without a point."""
    known = given.fill_nan(None) if given.dtype.is_float() else given
    return as_text(known).str.strip_chars()


def _rejected(judged: pl.DataFrame, where: str) -> pl.DataFrame:
    columns = {code: column for code, (column, _) in REASONS.items()}
    reasons = {code: reason for code, (_, reason) in REASONS.items()}
    bad = judged.select(
        source=pl.lit("spread_seeds"),
        file=pl.lit(where),
        row="row",
        column=pl.col("code").replace_strict(columns, return_dtype=pl.String),
        code="code",
        reason=pl.col("code").replace_strict(reasons, return_dtype=pl.String),
    )
    return bad.cast(REJECTED)  # type: ignore[arg-type]  # a mapping of name to type


def _raw(given: object) -> tuple[pl.DataFrame, Sequence[int], str]:
    """Return the rows with their number (``row``, from 1), the numbers of those that were none, and a name."""
    if isinstance(given, str | os.PathLike):
        path = Path(given)
        frame, malformed = _file(path)
        return frame, malformed, path.name
    if hasattr(given, "__arrow_c_stream__"):
        return _numbered(pl.DataFrame(given)), (), "seeds"
    if isinstance(given, Sequence):
        if any(isinstance(each, float) for each in given):
            return _numbered(pl.DataFrame({ID: as_text(pl.Series(given, strict=False))})), (), "seeds"
        ids = pl.DataFrame({ID: [str(each) for each in given]}, schema={ID: pl.String})
        return _numbered(ids), (), "seeds"
    raise UsageError(
        Fault(
            "seeds_unreadable",
            "seeds",
            "a file, a frame or a list of ids",
            type(given).__name__,
            "Pass one of them.",
        )
    )


def _numbered(frame: pl.DataFrame) -> pl.DataFrame:
    rows = pl.Series("row", range(1, frame.height + 1), dtype=pl.Int64)
    return frame.drop("row", strict=False).with_columns(rows)


def _file(path: Path) -> tuple[pl.DataFrame, Sequence[int]]:
    try:
        if is_parquet(path):
            return _numbered(pl.read_parquet(path)), ()
        if not path.stat().st_size:
            return _numbered(pl.DataFrame(schema={ID: pl.String})), ()
        return _delimited(path)
    except SourceFault as fault:
        remedy = "Export the seeds again, as CSV in UTF-8 or as Parquet."
        raise UsageError([replace(each, remedy=remedy) for each in fault.faults]) from fault
    except (OSError, pl.exceptions.PolarsError) as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else "something else"
        raise UsageError(
            Fault(
                "seeds_unreadable",
                str(path),
                "a CSV or Parquet file of seeds",
                found,
                "Check the path and the file.",
            )
        ) from error


def _delimited(path: Path) -> tuple[pl.DataFrame, Sequence[int]]:
    """Read a text file as sources are read: separator and character set are found, malformed lines set apart."""
    table = DelimitedTable(path, path.name, SourceSettings(), where=path.name, hints=[ID, ENERGY])
    names = [name for name in table.column_names() if name]
    wanted = [name for name in (ID, ENERGY) if name in names]
    if ID not in wanted:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String)), ()
    empty = pl.DataFrame(schema={**dict.fromkeys(wanted, pl.String), "row": pl.Int64})
    parts = [
        batch.frame.with_columns(batch.rows.alias("row").cast(pl.Int64)) for batch in table.batches(wanted)
    ]
    return pl.concat([empty, *parts], how="vertical_relaxed"), table.rejected_rows()
