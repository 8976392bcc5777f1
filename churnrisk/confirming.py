"""How asking goes, as of a date: who confirmed a risk, whether the answers made risks better, what asking itself does.

It puts ledger and sources together for ``training.answers``, and decides nothing itself. Only what was written when an
answer was taken is judged: risks made again with today's ratios would be judged by the answers they were learned from.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import polars as pl

from training.answers import answer_figures, asked_rows, confirmation_rates, effect_of_asking
from training.snapshots import outcome_days

from .bundle import EVIDENCE_PURPOSES, Bundle, answer_category, read_answers
from .config import ChurnSettings, Config
from .dates import AsOf
from .ledger import Ledger, Transaction, facts
from .report import Asking
from .store import Engine, Workspace
from .store.statements import statements_in
from .tables.lake import LakeTables

FEWEST_LEAVERS = 10
"""Leavers among those who answered below which risks before and after are not compared (judgement)."""

WORDS = ("detractor", "passive", "promoter")


def how_asking_goes(
    workspace: Workspace,
    engine: Engine,
    tables: LakeTables,
    ledger: Ledger,
    as_of: AsOf,
    *,
    bundle: Bundle,
) -> Asking:
    """Return what is known by the end of a day; where there is too little yet, the words say so."""
    config = workspace.config
    with ledger.reading() as db:
        asked = facts.asked(db, as_of.instant).filter(pl.col("purpose").is_in(EVIDENCE_PURPOSES))
        written = facts.answers(db, as_of.instant).select(
            "invitation_id", "metric", "risk_before", "risk_after"
        )
        treated = facts.treatments(db, as_of.instant).filter(pl.col("offer_id") != "control")
        arms = _arms(db, as_of)
    ratios = read_answers(workspace.champion).sentence()
    if asked.is_empty():
        return Asking(ratios=ratios)
    moved = asked.join(written, on=["invitation_id", "metric"], how="left", maintain_order="left")
    known = moved.filter(pl.col("answered_at").is_not_null() | _waited(config, as_of))
    n_answered = int(asked["answered_at"].is_not_null().sum())
    so_far = partial(Asking, ratios=ratios, n_asked=asked.height, n_answered=n_answered)
    rates = confirmation_rates(_by_band(known, bundle))
    if config.churn.kind != "cancelled":
        kind = "who left is only known of customers who cancel"
        return so_far(rates=rates, few=kind)
    left = _leavings(engine, tables, pl.concat([asked["invited_at"], arms["asked_at"]]).min(), as_of)
    judged = _judged(moved, left, treated.select("customer_id", "at"), config, as_of)
    n_leavers = int(judged["left"].sum())
    few = ""
    if n_leavers < FEWEST_LEAVERS:
        counted = f"{judged.height:,} answers whose outcome is known, {n_leavers:,} of them of leavers"
        few = f"{counted}; {FEWEST_LEAVERS} leavers are needed"
    return so_far(
        rates=rates,
        figures=None if few else answer_figures(judged),
        few=few,
        effect=effect_of_asking(_outcomes(arms, left, config, as_of)).sentence(),
    )


def _waited(config: Config, as_of: AsOf) -> pl.Expr:
    waited = timedelta(days=config.contacts.wait_for_answer_days)
    return pl.col("invited_at") + pl.lit(waited) < pl.lit(as_of.instant)


def _by_band(known: pl.DataFrame, bundle: Bundle) -> pl.DataFrame:
    told = known.filter(pl.col("risk_at_asking").is_not_null())
    place = told.select(place=answer_category(pl.col("metric"), pl.col("score")))["place"]
    word = pl.Series(WORDS).gather(place.cast(pl.UInt32))
    return told.select("customer_id").with_columns(
        band=bundle.band(told["risk_at_asking"]), evidence=word.fill_null("silent")
    )


def _judged(
    moved: pl.DataFrame, left: pl.DataFrame, treated: pl.DataFrame, config: Config, as_of: AsOf
) -> pl.DataFrame:
    """Return answers whose outcome is known: customer_id, risk_before, risk_after, left, weight."""
    own = moved.filter(pl.col("risk_after").is_not_null())
    # an invitation stands for its customer, so that a row can be told from another one of the customer
    named = own.select("invitation_id", "customer_id")
    rows = asked_rows(
        own.with_columns(customer_id="invitation_id"),
        named.join(left, on="customer_id").select("left_at", customer_id="invitation_id"),
        named.join(treated, on="customer_id").select("at", customer_id="invitation_id"),
        known_by=as_of.instant,
        gap_days=config.churn.gap_days,
        horizon_days=outcome_days(config.churn),
        wait_days=float(config.contacts.wait_for_answer_days),
    ).filter(pl.col("evidence") != "silent")
    risks = own.select("invitation_id", "risk_before", "risk_after", _who="customer_id")
    joined = rows.join(risks, left_on="customer_id", right_on="invitation_id", maintain_order="left")
    return joined.select("risk_before", "risk_after", "left", "weight", customer_id="_who")


def _arms(db: Transaction, as_of: AsOf) -> pl.DataFrame:
    """Return customer_id, asked_at, is_held_out: of each customer the first time that they would have been asked.

    Who is held out would have been asked night after night, who was asked only once in a while: later times are not
    comparable.
    """
    found = facts.asked_or_held_out(db, as_of.day)
    first = found.sort("customer_id", "as_of").unique("customer_id", keep="first", maintain_order=True)
    ends = {day: AsOf(day, as_of.zone).instant for day in first["as_of"].unique().to_list()}
    at = pl.col("as_of").replace_strict(ends, default=None, return_dtype=pl.Datetime("us"))
    return first.select("customer_id", asked_at=at, is_held_out=pl.col("decision") != "ask")


def _outcomes(arms: pl.DataFrame, left: pl.DataFrame, config: Config, as_of: AsOf) -> pl.DataFrame:
    """Return the arms with what became of them in the risk's own window; whoever was treated meanwhile stays in."""
    share = config.surveys.holdout_share
    begins, length = _window(config.churn)
    first_left = left.group_by("customer_id").agg(pl.col("left_at").min())
    since = pl.col("asked_at") + pl.lit(begins)
    return (
        arms.with_columns(_from=since, _to=since + pl.lit(length))
        .filter(pl.col("_to") <= pl.lit(as_of.instant))
        .join(first_left, on="customer_id", how="left", maintain_order="left")
        .filter(pl.col("left_at").is_null() | (pl.col("left_at") >= pl.col("_from")))
        .select(
            "customer_id",
            "is_held_out",
            left=(pl.col("left_at") < pl.col("_to")).fill_null(value=False).cast(pl.Int8),
            weight=pl.when("is_held_out").then(pl.lit(1.0 / max(share, 1e-9))).otherwise(1.0 / (1.0 - share)),
        )
    )


def _window(churn: ChurnSettings) -> tuple[timedelta, timedelta]:
    return timedelta(days=churn.gap_days), timedelta(days=outcome_days(churn))


def _leavings(engine: Engine, tables: LakeTables, since: object, as_of: AsOf) -> pl.DataFrame:
    """Return customer_id and left_at of those who left from then on, as known."""
    found = engine.frame(
        statements_in("training")["leavings"], {"earliest": since, "known_by": as_of.instant}
    )
    keys = pl.read_parquet(tables.paths["keys"]).select("customer_key", "customer_id")
    return found.join(keys, on="customer_key").select("customer_id", "left_at")
