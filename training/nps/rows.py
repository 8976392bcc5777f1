"""The rows that categories are learned from and judged on: looks at customers with what they answered afterwards.

It decides which columns may be read, and refuses to know how answers are weighted and learned.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import KEY_COLUMNS

from ..rows import Rows, rows_of
from .answers import Seen, first_answers

MOST_ASKED_ROWS = 10_000
"""Rows from which it is learned who answers, at most; above, customers are drawn by a hash of their id (judgement)."""

SATISFACTION = "satisfaction"
"""Group of the features made of what a customer answered: who was never heard has none of them."""

SURVEYS = "surveys"
"""Source of such features of the user's own, whatever their group."""


@dataclass(frozen=True)
class NpsRows:
    """Customers at looks: ``rows`` with left = 1 who answered in the 90 days after; what, and which answer it was.

    ``category`` is the place among the categories, -1 without an answer; ``answer`` the invitation, "" without.
    """

    rows: Rows
    category: NDArray[np.int8]
    answer: NDArray[np.object_]
    is_drawn: NDArray[np.bool_]
    """Who was drawn whether they answered or not: from these it is learned who answers."""
    is_chosen: NDArray[np.bool_]
    """The one row of each answer that is learned from or judged on: an answer may follow several looks."""

    def where(self, chosen: NDArray[np.bool_]) -> NpsRows:
        """Return the rows where ``chosen`` is true."""
        return NpsRows(
            self.rows.where(chosen),
            self.category[chosen],
            self.answer[chosen],
            self.is_drawn[chosen],
            self.is_chosen[chosen],
        )

    def weighted(self, weight: NDArray[np.float64]) -> NpsRows:
        """Return the same with weights, brought to a mean of 1."""
        return replace(self, rows=replace(self.rows, weight=weight / weight.mean()))

    def against(self, place: int) -> Rows:
        """Return the rows with left = 1 for the category at ``place``: what the machinery of risks learns."""
        return replace(self.rows, left=(self.category == place).astype(np.float64))


def nps_rows(
    looks: Sequence[Seen],
    answers: pl.DataFrame,
    permitted: pl.Series,
    known_by: datetime,
    *,
    is_hidden: Callable[[str], bool],
    drawn: pl.Series | None = None,
) -> NpsRows:
    """Return all who answered after a look, and those drawn whether they answered or not.

    Parameters
    ----------
    looks : in the order wanted.
    answers : as ``known_answers`` gives them.
    permitted : keys of those whose answers may be used; nobody else is in the rows.
    known_by : answers known later count as not given.
    is_hidden : says of a feature whether it may not be read.
    drawn : keys, as ``drawn_customers`` gives them; None: nobody.
    """
    among = pl.Series("customer_key", [], dtype=pl.Int64) if drawn is None else drawn
    parts: list[tuple[str, pl.DataFrame, pl.DataFrame]] = []
    told: list[pl.DataFrame] = []
    for look in looks:
        found = first_answers(answers, look.instant, known_by)
        here = (
            look.features.select("customer_key", "customer_id")
            .join(permitted.to_frame("customer_key"), on="customer_key", how="semi", maintain_order="left")
            .join(found, on="customer_key", how="left", maintain_order="left")
        )
        here = here.with_columns(is_drawn=pl.col("customer_key").is_in(among.implode())).filter(
            pl.col("category").is_not_null() | pl.col("is_drawn")
        )
        names = [name for name in look.features.columns if name not in KEY_COLUMNS]
        shown = look.features.drop([name for name in names if is_hidden(name)])
        labels = here.select("customer_key", left=pl.col("category").is_not_null().cast(pl.Int8))
        parts.append((look.day, shown, labels))
        told.append(
            look.features.select("customer_key")
            .join(here, on="customer_key", how="inner", maintain_order="left")
            .select("category", "invitation_id", "is_drawn")
        )
    together = pl.concat(told)
    rows = rows_of(parts)
    answer = together["invitation_id"].fill_null("")
    return NpsRows(
        rows,
        together["category"].fill_null(-1).cast(pl.Int8).to_numpy(),
        answer.to_numpy().astype(object),
        together["is_drawn"].to_numpy(),
        _chosen(answer, rows.snapshot),
    )


def drawn_customers(looks: Sequence[Seen]) -> pl.Series:
    """Return the keys of customers drawn by a hash of their id: the same people at every look, so many rows at most.

    Their rows at all looks number about :data:`MOST_ASKED_ROWS`; everybody where that many are not there.
    """
    share = min(1.0, MOST_ASKED_ROWS / max(sum(look.features.height for look in looks), 1))
    people = pl.concat([look.features.select("customer_key", "customer_id") for look in looks]).unique()
    if share < 1:
        draws = pl.Series([_draw(each) for each in people["customer_id"]], dtype=pl.UInt64)
        people = people.filter(draws < int(share * 2**64))
    return people["customer_key"].sort()


def _chosen(answer: pl.Series, day: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Say of each row whether it is the one drawn among the rows of its answer; false without an answer."""
    rows = pl.DataFrame({"answer": answer, "day": pl.Series(day.tolist(), dtype=pl.String)}).with_row_index()
    draws = [_draw(f"{each}\x1f{when}") for each, when in zip(answer, day, strict=True) if each]
    drawn = (
        rows.filter(pl.col("answer") != "")
        .with_columns(draw=pl.Series(draws, dtype=pl.UInt64))
        .sort("draw", "day")
        .unique("answer", keep="first")
    )
    found = np.zeros(len(day), dtype=bool)
    found[drawn["index"].to_numpy()] = True
    return found


def _draw(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
