"""Evaluates expressions that a user wrote over one frame, in an engine that can reach nothing else.

It decides how that engine is shut, and refuses to judge what an expression may say: that is done before.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from .engine import Engine, quoted

_ROWS = "rows_given"


class ExpressionRefused(ValueError):
    """The engine cannot evaluate an expression over the columns given; ``name`` is whose it is."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def evaluated(frame: pl.DataFrame, expressions: Mapping[str, str]) -> pl.DataFrame:
    """Return one column per expression over the rows of ``frame``, in their order.

    Parameters
    ----------
    frame : the only thing that can be read.
    expressions : name -> SQL expression, already checked and written anew by the caller.

    Raises
    ------
    ExpressionRefused
        With the engine's first line, for the first expression that it cannot evaluate.

    Notes
    -----
    External access off, no lookup of Python variables, configuration locked: no file, no network, no other table, no
    setting changed, whatever the expression says.
    """
    import duckdb

    with Engine(threads=1) as engine:
        engine.register(_ROWS, frame)
        engine.execute("set enable_external_access = false")
        engine.execute("set python_enable_replacements = false")
        engine.execute("set lock_configuration = true")
        found: dict[str, pl.Series] = {}
        for name, expression in expressions.items():
            try:
                query = f"select {expression} as found from {quoted(_ROWS)}"  # noqa: S608 - checked by the caller
                column = engine.frame(query)
            except duckdb.Error as error:
                raise ExpressionRefused(name, str(error).strip().splitlines()[0]) from error
            found[name] = column["found"]
    return pl.DataFrame(found)
