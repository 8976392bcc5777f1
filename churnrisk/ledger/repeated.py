"""Rows whose id is on record already: whether they say the same, or something else that would be lost.

It decides what of a row is its content, and refuses to know what becomes of rows that differ.
"""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection, Table

from . import facts
from .schema import ANSWERS, CONTACTS, OUTCOMES, STRAYS

ID_OF: dict[str, str] = {"answers": "answer_id", "outcomes": "outcome_id", "contacts": "contact_id"}
"""The id of each kind of row that has one, given or made."""

_TABLES: dict[str, tuple[Table, ...]] = {
    "answers": (ANSWERS, STRAYS),
    "outcomes": (OUTCOMES,),
    "contacts": (CONTACTS,),
}

_CONTENT: dict[str, tuple[str, ...]] = {
    "answers": ("invitation_id", "metric", "score", "comment", "answered_at"),
    "outcomes": ("customer_id", "treatment_id", "at", "outcome", "root_cause", "note"),
    "contacts": ("customer_id", "at", "channel", "purpose"),
}

_SPELLED = ("channel", "purpose")
"""Words whose case and spaces around them say nothing."""

_FILLED = ("metric",)
"""What a stray may lack until its invitation is known, and has then."""


def beside_taken_ids(db: Connection, kind: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with ``_id_taken`` (their id is on record, or in an earlier row, and they say more or else) and
    ``_comment_later``: all that they say more is the comment of an answer that had none.

    Parameters
    ----------
    kind : str
        answers, outcomes or contacts.
    rows : DataFrame
        The id, and the content of such a row. A null says nothing, and so contradicts nothing.
    """
    name, content = ID_OF[kind], list(_CONTENT[kind])
    found = [facts.by_index(db, table, name, rows[name]).select(name, *content) for table in _TABLES[kind]]
    kept = pl.concat([*found, rows.select(name, *content)]).unique(name, keep="first", maintain_order=True)
    told = kept.rename({each: f"_{each}" for each in content})
    beside = rows.join(told, on=name, how="left", maintain_order="left")
    later = pl.lit(value=False)
    if "comment" in content:
        others = pl.any_horizontal(_says_else(each) for each in content if each != "comment")
        later = ~others & pl.col("_comment").is_null() & _says_else("comment")
    differs = pl.any_horizontal(_says_else(each) for each in content)
    return beside.with_columns(_id_taken=differs & ~later, _comment_later=later).drop(
        f"_{each}" for each in content
    )


def _says_else(column: str) -> pl.Expr:
    given, kept = _plain(column, column), _plain(f"_{column}", column)
    may_fill = kept.is_null() if column in _FILLED else pl.lit(value=False)
    return given.is_not_null() & given.ne_missing(kept) & ~may_fill


def _plain(name: str, column: str) -> pl.Expr:
    if column in {"score", "at", "answered_at"}:
        return pl.col(name)
    # the ledger holds no NUL in a text
    text = pl.col(name).str.replace_all("\x00", "", literal=True)
    return text.str.strip_chars().str.to_lowercase() if column in _SPELLED else text
