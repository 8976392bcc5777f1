"""Whom the team should call: a ranking by risk and value, the value around included, cut at capacity.

It decides order and cut, and refuses to know how risks were made or how a list is delivered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from churnrisk.messages import Sentences
from churnrisk.store import Engine
from churnrisk.store.statements import statements_in
from churnrisk.tables.lake import LakeTables
from churnrisk.tables.lines import inputs_only

from .changes import CHANGED, changed_words

N_REASONS_SHOWN = 3
"""Reasons in one cell of the list; the table ``reasons`` holds the others."""

SPARES = 20
"""Times the places: where offers go through other channels, most of those who rank next are made one or left alone."""

_FILE_COLUMNS = (
    "customer_id",
    "position",
    "band",
    "risk",
    "value",
    "at_stake",
    "spillover_value",
    "at_stake_around",
    "offer_id",
    "offer_name",
    "offer_why",
    "treatment_id",
    "reasons",
    "changed",
    "as_of",
)

_ABSENT_WHEN_EMPTY = frozenset(
    {"spillover_value", "at_stake_around", "offer_id", "offer_name", "offer_why", "treatment_id", "changed"}
)
"""Columns of the file that stand in it only when some customer has a value; the published table keeps them."""

NO_CONSENT, ASKED_FIRST = "no_consent", "asked_first"
"""Why somebody ranked is not called: they refuse; they are asked a question tonight, and the call waits for the answer.

All other codes are those of the contact rules.
"""


@dataclass(frozen=True)
class RankedList:
    """Who is on the list, in order; and warnings.

    ``frame``: as_of, position, customer_id, risk, band, value, spillover_value, may_contact, left_out_for (null: to be
    called). ``spares``: the same columns of those who may be contacted and rank next, :data:`SPARES` times as many as
    can be called: they take the places of whom a night leaves out.
    """

    frame: pl.DataFrame
    notes: tuple[str, ...] = ()
    spares: pl.DataFrame | None = None

    @property
    def customer_ids(self) -> list[str]:
        """The listed customers in order, those who refuse contact included."""
        return self.frame["customer_id"].to_list()

    def with_spares(self) -> pl.DataFrame:
        """Return the list, then its spares, with ``is_spare``."""
        spares = self.frame.clear() if self.spares is None else self.spares
        is_spare = (pl.int_range(pl.len()) >= self.frame.height).alias("is_spare")
        return pl.concat([self.frame, spares]).with_columns(is_spare)


def consents_in_force(engine: Engine, tables: LakeTables, consent_as_of: datetime) -> pl.DataFrame:
    """Return customer_id, may_contact, may_use_calls, may_use_answers in force at ``consent_as_of`` (naive UTC).

    The same statement that decides what features may read decides whom the list may name.
    """
    tables.register(engine)
    found = engine.frame(statements_in("features")["consents"], {"consent_as_of": consent_as_of})
    keys = pl.read_parquet(tables.paths["keys"])
    return found.join(keys, on="customer_key").drop("customer_key").sort("customer_id")


def ranked_list(
    scores: pl.DataFrame, consents: pl.DataFrame, capacity: int, around: pl.DataFrame | None = None
) -> RankedList:
    """Rank the customers of ``scores`` by expected loss and cut at what the team can call.

    Order: risk x (value + spillover_value), falling. A customer whose value is unknown is ranked with the median of the
    known values, one whose spillover is unknown without any; when no value is known at all, by risk alone; a note says
    so. Equal ones stand in the order of a hash of their id, so
    that neither input order nor spelling favours anybody.

    The list ends with the customer who fills the capacity, or the last who may be contacted. Only these count towards
    it; those ranked above the cut who refuse stand in the list too, with ``may_contact`` false: the highest of them,
    at most as many as the capacity. When nobody may be contacted, these are all there is.

    Parameters
    ----------
    scores : pl.DataFrame
        The published table: customer_id, risk, band, value, as_of are read.
    consents : pl.DataFrame
        customer_id, may_contact and, when there is, left_out_for: the code of why not, no_consent where it is null. A
        customer who is not in it is taken to refuse.
    capacity : int
        Customers the team can call, at least 1.
    around : pl.DataFrame, optional
        customer_id, spillover_value: what their leaving would cost around them; None = not known of anybody.
    """
    if around is None:
        spilt = scores.with_columns(spillover_value=pl.lit(None, dtype=pl.Float64))
    else:
        added = around.select("customer_id", "spillover_value")
        spilt = scores.join(added, on="customer_id", how="left", maintain_order="left")
    known = scores["value"].drop_nulls()
    usual = known.median() if known.len() else None
    told = pl.col("left_out_for") if "left_out_for" in consents.columns else pl.lit(None, dtype=pl.String)
    allowed = consents.select("customer_id", "may_contact", left_out_for=told)
    weighed = (
        spilt.join(allowed, on="customer_id", how="left", maintain_order="left")
        .with_columns(pl.col("may_contact").fill_null(value=False))
        .with_columns(
            left_out_for=pl.when(~pl.col("may_contact")).then(
                pl.col("left_out_for").fill_null(pl.lit(NO_CONSENT))
            )
        )
        .with_columns(priority=pl.col("risk") * (_whole_value(usual) if usual is not None else 1.0))
    )
    callable_ = weighed.filter("may_contact")["priority"]
    most = (1 + SPARES) * capacity
    lowest = callable_.top_k(most).min() if callable_.len() > most else None
    candidates = weighed if lowest is None else weighed.filter(pl.col("priority") >= lowest)
    ordered = candidates.with_columns(
        draw=pl.Series([_draw(each) for each in candidates["customer_id"]], dtype=pl.String)
    ).sort(["priority", "draw"], descending=[True, False])
    n_called = pl.col("may_contact").cum_sum()
    n_refused = (~pl.col("may_contact")).cum_sum()
    is_called = pl.col("may_contact") & (n_called <= capacity)
    is_above_cut = (n_called < pl.min_horizontal(n_called.max(), capacity)) | (n_called.max() == 0)
    is_refused_above = ~pl.col("may_contact") & (n_refused <= capacity) & is_above_cut
    is_spare = pl.col("may_contact") & n_called.is_between(capacity + 1, most)
    listed, spares = ordered.filter(is_called | is_refused_above), ordered.filter(is_spare)
    numbered = pl.concat([listed, spares]).with_columns(
        position=pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
    )
    frame = numbered.select(
        "as_of",
        "position",
        "customer_id",
        "risk",
        "band",
        "value",
        "spillover_value",
        "may_contact",
        "left_out_for",
    )
    return RankedList(frame.head(listed.height), _notes(scores, weighed, capacity), frame.tail(spares.height))


def _whole_value(usual: object) -> pl.Expr:
    return pl.col("value").fill_null(usual) + pl.col("spillover_value").fill_null(0.0)


def at_risk(
    ranked: RankedList,
    reasons: pl.DataFrame,
    sentences: Sentences,
    *,
    run_id: str,
    moved: pl.DataFrame | None = None,
    offered: pl.DataFrame | None = None,
    asked: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return the published table ``at_risk``: the list with the strongest reasons that raise each risk, as one text.

    Of a customer of whom something is known, only that is told: nobody can talk with a customer about a missing
    figure. The table ``reasons`` holds what is unknown too. ``moved`` is the published table ``changes``, ``offered``
    the table ``offers_ranked``, ``asked`` the table ``survey_requests``, None when they were not made.

    Who is left without an offer to measure by, and who is asked tonight, stands in it and is not called:
    ``left_out_for`` says so.
    """
    is_known = pl.col("value").is_not_null()
    raising = (
        inputs_only(reasons)
        .filter(pl.col("effect_pp") > 0)
        .filter(is_known | ~is_known.any().over("customer_id"))
        .sort("customer_id", "position")
    )
    told = raising.group_by("customer_id", maintain_order=True).agg(
        pl.col("sentence").head(N_REASONS_SHOWN).str.join(sentences.between).alias("reasons")
    )
    changed = pl.DataFrame(schema=CHANGED) if moved is None else changed_words(moved, sentences)
    return (
        ranked.frame.join(told, on="customer_id", how="left", maintain_order="left")
        .join(changed.select("customer_id", "changed"), on="customer_id", how="left", maintain_order="left")
        .join(_made(offered), on="customer_id", how="left", maintain_order="left")
        .join(_left_alone(offered), on="customer_id", how="left", maintain_order="left")
        .join(_asked_first(asked), on="customer_id", how="left", maintain_order="left")
        .with_columns(
            left_out_for=pl.coalesce("left_out_for", "_alone", "_asked"),
            run_id=pl.lit(run_id, dtype=pl.String),
        )
        .select(
            "as_of",
            "position",
            "customer_id",
            "risk",
            "band",
            "value",
            "spillover_value",
            "offer_id",
            "treatment_id",
            "reasons",
            "changed",
            "may_contact",
            "left_out_for",
            "run_id",
        )
    )


_MADE = ("customer_id", "offer_id", "treatment_id")


def _made(offered: pl.DataFrame | None) -> pl.DataFrame:
    if offered is None:
        return pl.DataFrame(schema=dict.fromkeys(_MADE, pl.String))
    return offered.filter(pl.col("decision") == "offer").select(_MADE)


def _left_alone(offered: pl.DataFrame | None) -> pl.DataFrame:
    if offered is None:
        return pl.DataFrame(schema={"customer_id": pl.String, "_alone": pl.String})
    found = offered.filter(pl.col("decision") == "hold-out").select("customer_id", _alone="reason_code")
    return found.unique("customer_id", keep="first", maintain_order=True)


def _asked_first(asked: pl.DataFrame | None) -> pl.DataFrame:
    if asked is None:
        return pl.DataFrame(schema={"customer_id": pl.String, "_asked": pl.String})
    found = asked.filter(pl.col("decision") == "ask").select("customer_id").unique(maintain_order=True)
    return found.with_columns(_asked=pl.lit(ASKED_FIRST))


def offers_made(offered: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """Return the offers that are made: the rows of ``offers_ranked`` with ``offer_name`` and, as ``offer_why``, why.

    Parameters
    ----------
    offered : pl.DataFrame
        The published table ``offers_ranked``.
    names : pl.DataFrame
        offer_id, name; an offer without a name there is called by its id.
    """
    named = names.select("offer_id", offer_name=pl.col("name").cast(pl.String))
    made = offered.filter(pl.col("decision") == "offer")
    return made.join(named, on="offer_id", how="left", maintain_order="left").with_columns(
        pl.col("offer_name").fill_null(pl.col("offer_id")), offer_why="why"
    )


def to_call(at_risk_table: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the published table to be called, best first."""
    return at_risk_table.filter(pl.col("left_out_for").is_null()).sort("position")


def call_list(
    called: pl.DataFrame, carry: pl.DataFrame | None = None, offers: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return what goes into the files: those to call, renumbered from 1, the carried columns first.

    ``at_stake`` is risk x value, ``at_stake_around`` risk x spillover_value; the list is ordered by their sum. What
    nobody has (spillover, offer) is no column of the file.

    Parameters
    ----------
    called : pl.DataFrame
        The rows of the published table to be called, in order (`to_call`).
    carry : pl.DataFrame, optional
        customer_id and the columns of [lists] carry (name, phone, owner ...). One called like a column of ours gets
        ``crm_`` before its name.
    offers : pl.DataFrame, optional
        As `offers_made`.
    """
    told = ["offer_name", "offer_why"]
    if offers is None:
        with_offers = called.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in told)
    else:
        with_offers = called.join(
            offers.select("customer_id", *told), on="customer_id", how="left", maintain_order="left"
        )
    numbered = with_offers.with_columns(
        at_stake=(pl.col("risk") * pl.col("value")).round(2),
        at_stake_around=(pl.col("risk") * pl.col("spillover_value")).round(2),
    ).with_columns(
        pl.int_range(1, called.height + 1, dtype=pl.Int64, eager=True).alias("position"),
        pl.col("risk").round(4),
        pl.col("value", "spillover_value").round(2),
    )
    own = [
        name
        for name in _FILE_COLUMNS
        if name not in _ABSENT_WHEN_EMPTY or numbered[name].null_count() < numbered.height
    ]
    return with_carried(numbered, carry, own)


def with_carried(listed: pl.DataFrame, carry: pl.DataFrame | None, own: Sequence[str]) -> pl.DataFrame:
    """Return the columns ``own`` of a list with the carried ones before them, those called like ours as ``crm_``."""
    if carry is None:
        return listed.select(own)
    ours = {*_FILE_COLUMNS, *own}
    names = {name: f"crm_{name}" if name in ours else name for name in carry.columns if name != "customer_id"}
    joined = listed.join(carry.rename(names), on="customer_id", how="left", maintain_order="left")
    return joined.select(*names.values(), *own)


FILE_FORMATS = {
    "risk": "0.0%",
    "value": "#,##0.00",
    "at_stake": "#,##0.00",
    "spillover_value": "#,##0.00",
    "at_stake_around": "#,##0.00",
    "promoter_influence": "#,##0.00",
    "net_value": "#,##0.00",
    "low": "#,##0.00",
    "high": "#,##0.00",
    "cost": "#,##0.00",
    "position": "0",
    "priority": "0",
    "tenure_days": "0",
}
"""Number formats of the list in a spreadsheet."""


def _draw(customer_id: str) -> str:
    return hashlib.sha256(customer_id.encode()).hexdigest()


def _notes(scores: pl.DataFrame, weighed: pl.DataFrame, capacity: int) -> tuple[str, ...]:
    n_unknown, n_callable = scores["value"].null_count(), int(weighed["may_contact"].sum())
    notes = []
    if scores.height and n_unknown == scores.height:
        notes.append("no customer's monthly_value is known: the list is ranked by risk alone")
    elif n_unknown:
        notes.append(
            f"monthly_value is unknown for {n_unknown} customers: the list ranks them with the median value"
        )
    if n_callable < capacity:
        notes.append(
            f"only {n_callable} customers may be contacted, fewer than [team] daily_capacity = {capacity}"
        )
    return tuple(notes)
