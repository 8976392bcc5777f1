"""A list of seeds that a user brings: reads it, and says of every row that cannot be used why.

It decides which rows are seeds and refuses to know what spreads from them. Rejected rows keep file, row, column, code
and reason, never an id.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ..errors import ContractError, Fault, UsageError

ID, ENERGY = "customer_id", "energy"

REASONS = {
    "seed_null": (ID, "no customer id"),
    "seed_repeated": (ID, "a customer who stands above"),
    "seed_unknown": (ID, "no customer of this id at this date"),
    "seed_refuses": (ID, "the customer's call data may not be used"),
    "energy_invalid": (ENERGY, "energy is no number above 0"),
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

    def refuse_empty(self) -> None:
        """Raise ContractError when no seed is left."""
        if self.frame.height:
            return
        counts = dict(self.rejected.group_by("code").len().sort("code").iter_rows())
        found = ", ".join(f"{code} {count}" for code, count in counts.items()) or "no rows"
        raise ContractError(
            Fault(
                code="seeds_empty",
                where=self.where,
                expected="at least one customer whose call data may be used",
                found=found,
                remedy="Check ids (they are text) and --as-of.",
            )
        )


def read_seeds(given: object, nodes: pl.DataFrame) -> Seeds:
    """Read seeds from a CSV or Parquet file, a frame, or a list of ids.

    Parameters
    ----------
    given : path, frame or sequence of text
        With ``customer_id`` and, if wished, ``energy`` (above 0; 1 where missing).
    nodes : pl.DataFrame
        customer_id, may_use_calls of everybody who is or was a customer by the date.

    Raises
    ------
    UsageError
        There is no such file, it cannot be read, or it has no column customer_id.
    """
    raw, where = _raw(given)
    if ID not in raw.columns:
        raise UsageError(
            Fault(
                "seeds_without_id",
                where,
                f"a column {ID}",
                "none",
                "Name it so.",
                tuple(raw.columns[:10]),
            )
        )
    energy = pl.col(ENERGY).cast(pl.String) if ENERGY in raw.columns else pl.lit(None, pl.String)
    allowed = nodes.select(pl.col("customer_id").alias(ID), may="may_use_calls")
    rows = (
        raw.select(pl.col(ID).cast(pl.String).str.strip_chars(), written=energy.str.strip_chars())
        .with_row_index("row", offset=1)
        .with_columns(pl.col("row").cast(pl.Int64))
        .join(allowed, on=ID, how="left", maintain_order="left")
        .with_columns(number=pl.col("written").cast(pl.Float64, strict=False))
        .with_columns(
            energy=pl.when(pl.col("written").is_null() | (pl.col("written") == ""))
            .then(1.0)
            .otherwise("number")
        )
    )
    is_energy = pl.col(ENERGY).is_finite() & (pl.col(ENERGY) > 0)
    code = (
        pl.when(pl.col(ID).is_null() | (pl.col(ID) == ""))
        .then(pl.lit("seed_null"))
        .when(~pl.col(ID).is_first_distinct())
        .then(pl.lit("seed_repeated"))
        .when(pl.col("may").is_null())
        .then(pl.lit("seed_unknown"))
        .when(~pl.col("may"))
        .then(pl.lit("seed_refuses"))
        .when(~is_energy.fill_null(value=False))
        .then(pl.lit("energy_invalid"))
    )
    judged = rows.with_columns(code=code)
    return Seeds(judged.filter(pl.col("code").is_null()).select(ID, ENERGY), _rejected(judged, where), where)


def _rejected(judged: pl.DataFrame, where: str) -> pl.DataFrame:
    columns = {code: column for code, (column, _) in REASONS.items()}
    reasons = {code: reason for code, (_, reason) in REASONS.items()}
    bad = judged.drop_nulls("code").select(
        source=pl.lit("spread_seeds"),
        file=pl.lit(where),
        row="row",
        column=pl.col("code").replace_strict(columns, return_dtype=pl.String),
        code="code",
        reason=pl.col("code").replace_strict(reasons, return_dtype=pl.String),
    )
    return bad.cast(REJECTED)  # type: ignore[arg-type]  # a mapping of name to type


def _raw(given: object) -> tuple[pl.DataFrame, str]:
    if isinstance(given, str | os.PathLike):
        path = Path(given)
        return _file(path), path.name
    if hasattr(given, "__arrow_c_stream__"):
        return pl.DataFrame(given), "seeds"
    if isinstance(given, Sequence):
        return pl.DataFrame({ID: [str(each) for each in given]}, schema={ID: pl.String}), "seeds"
    raise UsageError(
        Fault(
            "seeds_unreadable",
            "seeds",
            "a file, a frame or a list of ids",
            type(given).__name__,
            "Pass one of them.",
        )
    )


def _file(path: Path) -> pl.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        return pl.read_csv(path, infer_schema=False, encoding="utf8-lossy")
    except pl.exceptions.NoDataError:
        return pl.DataFrame(schema={ID: pl.String})
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
