"""Who may get which offer: one boolean expression per offer over published columns, checked before it is run.

It decides what an expression may say, on its syntax tree, and refuses to know what the columns mean. What is not on the
list is not allowed: no table, no file, no subquery, no function but the few below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

import polars as pl

from churnrisk.errors import ContractError, Fault
from churnrisk.store.expressions import ExpressionRefused, evaluated

if TYPE_CHECKING:
    from sqlglot.expressions import Column, Expr

LONGEST = 2_000
"""Characters of an expression."""

DEEPEST = 40
"""Brackets open at once."""

FUNCTIONS = (
    "abs", "ceil", "coalesce", "contains", "floor", "greatest", "least", "length", "lower", "nullif", "round",
    "starts_with", "trim", "upper",
)  # fmt: skip
"""Functions that an expression may call."""

_CALLS = frozenset(
    "Abs Ceil Coalesce Contains Floor Greatest Least Length Lower Nullif Round StartsWith Trim Upper".split()
)
_OPERATORS = frozenset(
    "Add And Between Boolean Case Column Div EQ GT GTE If ILike In Identifier Is LT LTE Like Literal Mod Mul NEQ Neg "
    "Not Null Or Paren Sub".split()
)
_CASTS = frozenset("BIGINT BOOLEAN DATE DOUBLE INT TEXT VARCHAR".split())

OPERATORS = "and, or, not, =, <>, <, <=, >, >=, +, -, *, /, %, between, in (...), is null, like, ilike, case"


def eligible(frame: pl.DataFrame, expressions: Mapping[str, str | None]) -> pl.DataFrame:
    """Return for every offer who may get it.

    Parameters
    ----------
    frame : the published columns that an expression may name, one row per customer.
    expressions : offer -> expression; None or blank = everyone.

    Returns
    -------
    polars.DataFrame
        One Boolean column per offer, rows as given. Null where the expression is neither true nor false of a customer,
        because what it asks is not known: such a customer does not get the offer.

    Raises
    ------
    ContractError
        With a fault for each expression that cannot be used: where, what was expected, what was found, what there is.

    Examples
    --------
    >>> people = pl.DataFrame({"risk": [0.1, 0.4, None], "band": ["low", "high", "high"]})
    >>> eligible(people, {"call": "risk > 0.2 and band in ('high', 'critical')", "any": None})[
    ...     "call"
    ... ].to_list()
    [False, True, None]
    """
    asked = {offer: text for offer, text in expressions.items() if text is not None and text.strip()}
    written: dict[str, str] = {}
    faults: list[Fault] = []
    for offer, text in asked.items():
        found = _checked(offer, text, frame.columns)
        if isinstance(found, Fault):
            faults.append(found)
        else:
            written[offer] = found
    if faults:
        raise ContractError(faults)
    try:
        told = evaluated(frame, written) if written else pl.DataFrame()
    except ExpressionRefused as error:
        raise ContractError(
            _fault(
                error.name,
                "comparisons that fit the columns' types",
                str(error),
                "Compare numbers with numbers.",
            )
        ) from error
    wrong = [name for name in told.columns if told.schema[name] not in (pl.Boolean, pl.Null)]
    if wrong:
        raise ContractError(
            [
                _fault(name, "true or false for every customer", f"values of type {told.schema[name]}", _SAY)
                for name in wrong
            ]
        )
    everyone = pl.repeat(value=True, n=frame.height, eager=True)
    return pl.DataFrame(
        {offer: told[offer].cast(pl.Boolean) if offer in written else everyone for offer in expressions}
    )


_SAY = "Say what must hold, for instance: risk > 0.2 and band in ('high', 'critical')."


def _checked(offer: str, text: str, columns: Iterable[str]) -> str | Fault:
    """Return the expression written anew from its syntax tree, or what is wrong with it."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    if len(text) > LONGEST or _depth(text) > DEEPEST:
        expected = f"at most {LONGEST:,} characters and {DEEPEST} brackets open at once"
        return _fault(
            offer, expected, f"{len(text):,} characters, {_depth(text)} brackets", "Say it shorter."
        )
    try:
        trees = sqlglot.parse(text, read="duckdb")
    except SqlglotError as error:
        told = getattr(error, "errors", None) or [{}]
        at = f" at line {told[0]['line']}, column {told[0]['col']}" if "line" in told[0] else ""
        near = f", near {told[0]['highlight']!r}" if told[0].get("highlight") else ""
        return _fault(offer, "one expression that can be read", f"one that breaks off{at}{near}", _SAY)
    if len(trees) != 1 or trees[0] is None:
        return _fault(offer, "one expression", f"{len(trees)} statements", "Leave the semicolon out.")
    tree = trees[0]
    known = list(columns)
    for node in tree.walk():
        wrong = _refused(node, known)
        if wrong:
            return _fault(offer, *wrong)
    if isinstance(tree, (exp.Literal, exp.Identifier)):
        return _fault(
            offer, "something that is true or false", f"the value {tree.sql(dialect='duckdb')}", _SAY
        )
    return str(tree.sql(dialect="duckdb", comments=False, identify=True))


def _refused(node: Expr, known: list[str]) -> tuple[str, str, str] | None:
    """Return expected, found and remedy for a part of an expression that may not be there."""
    from sqlglot import exp

    text = node.sql(dialect="duckdb", comments=False)
    if isinstance(node, exp.Column):
        return _refused_column(node, text, known)
    if isinstance(node, exp.DataType):
        fits = node.this.name in _CASTS and not node.expressions
        types = ", ".join(sorted(_CASTS)).lower()
        return None if fits else (f"a type of {types}", text, "Cast to one of them.")
    is_in_rows = isinstance(node, exp.In) and any(
        node.args.get(name) for name in ("query", "unnest", "field")
    )
    is_listed = type(node) is exp.Cast or type(node).__name__ in _CALLS | _OPERATORS
    return None if is_listed and not is_in_rows else _not_allowed(text)


def _refused_column(node: Column, text: str, known: list[str]) -> tuple[str, str, str] | None:
    from sqlglot import exp

    if node.table or not isinstance(node.this, exp.Identifier):
        return (
            "columns by their name alone",
            text,
            "Leave the table out: every published column has one name.",
        )
    if node.name in known:
        return None
    near = get_close_matches(node.name, known, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return "a column that there is", node.name, f"There are: {', '.join(sorted(known))}.{meant}"


def _not_allowed(text: str) -> tuple[str, str, str]:
    allowed = f"only {OPERATORS}, casts, and the functions {', '.join(FUNCTIONS)}"
    return allowed, text, "Say it with these, or put what you need into a column of your own."


def _depth(text: str) -> int:
    deepest = now = 0
    for sign in text:
        now += (sign in "([") - (sign in ")]")
        deepest = max(deepest, now)
    return deepest


def _fault(offer: str, expected: str, found: str, remedy: str) -> Fault:
    return Fault(
        code="offer_eligible",
        where=f"offers, offer {offer}, eligible",
        expected=expected,
        found=found,
        remedy=remedy,
    )
