"""The lists of a night: which there are, and which rows each holds; who may be contacted is looked at once more.

It decides what goes into a file, and refuses to decide on anybody: a list holds rows that were decided to be acted on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

from scoring import call_list, offers_made, to_call, with_carried

from ..ledger.rules.standing import CALL, promoter_purpose
from ..night_report import Made
from ..sources import LoadedSources
from .basis import Basis
from .door import WITHDRAWN, allowed

NAMES = pl.DataFrame(schema={"offer_id": pl.String, "name": pl.String})
"""Names of offers where there is no catalogue."""


@dataclass(frozen=True)
class NightList:
    """One list: its name, what people call it, its rows, and who was taken off when it was made.

    ``withdrawn``: customer_id, reason_code of those decided on who may not be contacted by now. ``own``: columns that
    are ours and not carried.
    """

    name: str
    words: str
    frame: pl.DataFrame
    own: tuple[str, ...] = ()
    withdrawn: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=WITHDRAWN))


class _Sheet(NamedTuple):
    """One file of decided rows: its name, what people call it, and which rows of which table it holds."""

    name: str
    words: str
    kind: str
    table: str
    decision: str
    order: str
    columns: tuple[str, ...]


SHEETS = (
    _Sheet(
        "survey_requests", "Survey requests", "survey", "survey_requests", "ask", "position",
        ("invitation_id", "customer_id", "metric", "occasion", "channel", "language", "purpose", "why", "as_of"),
    ),
    _Sheet(
        "offers", "Offers", "offer", "offers_ranked", "offer", "priority",
        ("treatment_id", "customer_id", "offer_id", "offer_name", "channel", "net_value", "low", "high",
         "spillover_value", "cost", "why", "priority", "as_of"),
    ),
    _Sheet(
        "proactive", "Proactive contacts", "proactive", "approaches", "approach", "position",
        ("customer_id", "programme", "message", "channel", "purpose", "as_of"),
    ),
)  # fmt: skip
OFFER_COLUMNS = ("offer_id", "offer_name", "offer_why", "treatment_id")
AFTER_OFFERS = "reasons"
"""Column of the list before which an offer stands."""
MONEY = ("net_value", "low", "high", "spillover_value", "cost")


def night_lists(basis: Basis, made: Made) -> Iterator[NightList]:
    """Yield the lists of a night, that of whom to call first."""
    carried, names = _carried(basis.loaded), offer_names(basis.loaded)
    offered = made.frames.get("offers_ranked")
    offers = None if offered is None else offers_made(offered, names)
    calls = allowed(basis, to_call(made.frames["at_risk"]), CALL, CALL, CALL)
    called = call_list(calls.rows, carried, offers)
    if basis.loaded.tables.has("offers"):
        called = _with_offer_columns(called)
    yield NightList("at_risk", "List", called, withdrawn=calls.withdrawn)
    yield from _decided(basis, made, calls.rows["customer_id"], carried, offers)
    if made.promoters is not None:
        yield _promoters(basis, made.promoters, carried)


def _with_offer_columns(called: pl.DataFrame) -> pl.DataFrame:
    """Return the list with columns for an offer even where nobody gets one: whoever reads files by program needs them.

    Where there are no offers at all, they are in no file.
    """
    missing = [name for name in OFFER_COLUMNS if name not in called.columns]
    place = called.columns.index(AFTER_OFFERS)
    order = [*called.columns[:place], *missing, *called.columns[place:]]
    return called.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in missing).select(order)


def _promoters(basis: Basis, found: pl.DataFrame, carried: pl.DataFrame | None) -> NightList:
    """Return the promoters to approach; the channel is known once they were decided on."""
    is_decided = "channel" in found.columns
    purpose = pl.concat_str(pl.lit(promoter_purpose("")), "programme") if is_decided else "promoter"
    asked = allowed(basis, found, "promoter", pl.col("channel") if is_decided else None, purpose)
    rows = asked.rows.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("position"))
    own = [name for name in found.columns if name != "as_of"]
    return NightList(
        "promoters",
        "Promoters",
        with_carried(rows, carried, [*own, "as_of"]),
        own=tuple(own),
        withdrawn=asked.withdrawn,
    )


def _decided(
    basis: Basis,
    made: Made,
    called: pl.Series,
    carried: pl.DataFrame | None,
    offers: pl.DataFrame | None,
) -> Iterator[NightList]:
    """Yield who is asked, who gets which offer and whom a rule concerns."""
    if basis.ledger is None:
        return
    tables = dict(made.frames) if offers is None else {**made.frames, "offers_ranked": offers}
    purposes: dict[str, str | pl.Expr] = {
        "survey_requests": "survey",
        "offers": "offer",
        "proactive": pl.col("purpose"),
    }
    for sheet in SHEETS:
        if sheet.table not in tables:
            continue
        rows = tables[sheet.table].filter(pl.col("decision") == sheet.decision).sort(sheet.order)
        if sheet.name == "offers":  # the team makes those of its own list
            rows = rows.filter(~pl.col("customer_id").is_in(called.implode()))
        if sheet.name == "proactive":  # promoters have a list of their own
            rows = rows.filter(kind="proactive")
            if rows.is_empty():
                continue
        found = allowed(basis, rows, sheet.kind, pl.col("channel"), purposes[sheet.name])
        shown = found.rows.with_columns(pl.selectors.by_name(*MONEY, require_all=False).round(2))
        listed = with_carried(shown, carried, sheet.columns)
        yield NightList(sheet.name, sheet.words, listed, sheet.columns, withdrawn=found.withdrawn)


def offer_names(loaded: LoadedSources) -> pl.DataFrame:
    """Return offer_id and name of the catalogue."""
    if not loaded.tables.has("offers"):
        return NAMES
    return pl.read_parquet(loaded.tables.paths["offers"], columns=NAMES.columns)


def _carried(loaded: LoadedSources) -> pl.DataFrame | None:
    if not loaded.tables.has("carry"):
        return None
    keys = pl.read_parquet(loaded.tables.paths["keys"])
    carry = pl.read_parquet(loaded.tables.paths["carry"])
    return carry.join(keys, on="customer_key").drop("customer_key")
