"""Where customers stand with us tonight, read from the ledger for the contact rules."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import polars as pl
from sqlalchemy import Connection, select

from ..config import Config
from ..dates import AsOf
from . import facts
from .holdouts import CAMPAIGN, CONTROL, holdouts
from .ledger import Ledger
from .permission import consents_in_force, spelled, suppressed
from .rules import ContactRules, Standing
from .rules.reasons import CONTROL as LEFT_ALONE
from .rules.reasons import OFFER
from .rules.standing import CALL, CONTACT_COLUMNS, purposes_of
from .schema import ANSWERS, DECISIONS, INVITATIONS, TREATMENTS

A_DAY = timedelta(days=1)


def standing_of(
    ledger: Ledger,
    db: Connection,
    config: Config,
    crm: pl.DataFrame,
    now: datetime,
    *,
    arms: pl.DataFrame | None = None,
    elsewhere: pl.DataFrame | None = None,
    deciding: date | None = None,
) -> Standing:
    """Return what the walk looks at.

    Parameters
    ----------
    crm : DataFrame
        `permission.crm_consents`: whoever is not in it has not consented.
    now : datetime
        The instant of the decision, naive UTC: that of as_of when a night decides.
    arms : DataFrame, optional
        campaign_id, customer_id, arm of the campaigns running: controls are held out of them.
    elsewhere : DataFrame, optional
        `merged.contacts_of_sources`: surveys and offers that went out without the ledger, which count as well.
    deciding : date, optional
        The date that is being decided: what was decided of it before is not looked at, so that the same date is
        looked at alike before and after.
    """
    rules = ContactRules.of(config)
    since = now - timedelta(days=rules.look_back_days + 1)
    ids = crm["customer_id"]
    out = holdouts(
        ids,
        salt=config.holdout.salt,
        permanent_share=config.holdout.share,
        survey_share=config.surveys.holdout_share,
    )
    if arms is not None:
        controls = arms.filter(pl.col("arm") == CONTROL)
        out = pl.concat([out, controls.select(pl.lit(CAMPAIGN).alias("kind"), "campaign_id", "customer_id")])
    channels = (*rules.channels, CALL)
    # contacts were recorded in any spelling; caps go by ours
    contacts = _contacts(db, since, elsewhere, deciding, ledger.zone).with_columns(
        spelled(channels), spelled((*purposes_of(config), *rules.transactional), "purpose")
    )
    return Standing(
        contacts=contacts,
        waiting=waiting(db, now - timedelta(days=rules.wait_for_answer_days), deciding),
        consents=consents_in_force(crm, facts.consents(db), ledger.zone, by=now),
        suppressed=suppressed(ledger, db, ids, now, channels=channels),
        held_out=out,
    )


def _contacts(
    db: Connection, since: datetime, elsewhere: pl.DataFrame | None, deciding: date | None, zone: str
) -> pl.DataFrame:
    """Return contacts since an instant, each once: what the ledger tells of is not taken from the sources."""
    ours = facts.contacts(db, since=since)
    if deciding is not None:
        tonight = facts.frame_of(db, select(DECISIONS).where(DECISIONS.c.as_of == deciding))
        made = tonight.select(source_id="reference").drop_nulls().unique()
        ours = ours.join(made, on="source_id", how="anti", maintain_order="left")
    columns = list(CONTACT_COLUMNS)
    held_out = _held_out(db, since, deciding, zone)
    found = [ours.select(columns), _left_alone(db, since, deciding).select(columns), held_out.select(columns)]
    if elsewhere is not None:
        theirs = elsewhere.filter(pl.col("at") >= since).join(ours, on="source_id", how="anti")
        found.append(theirs.select(columns))
    return pl.concat(found)


def _left_alone(db: Connection, since: datetime, deciding: date | None) -> pl.DataFrame:
    """Return controls since an instant as though they had been contacted.

    They rest as those do who were made the offer. If they did not, they would be picked again the next night, and
    again: one who stays at risk would stand among the controls many times and once among the treated, and whoever is
    compared later would no longer be alike.
    """
    # a night decides for the instant at which its day ends
    night = select(DECISIONS).where(
        DECISIONS.c.decision == LEFT_ALONE, DECISIONS.c.as_of >= since.date() - A_DAY
    )
    if deciding is not None:
        night = night.where(DECISIONS.c.as_of != deciding)
    query = select(TREATMENTS).where(TREATMENTS.c.at >= since, TREATMENTS.c.offer_id == CONTROL)
    chosen = facts.frame_of(db, night).select("channel", "purpose", treatment_id="reference").drop_nulls()
    return (
        facts.frame_of(db, query)
        .select("treatment_id", "customer_id", "at")
        .join(chosen.unique("treatment_id"), on="treatment_id")
        .with_columns(is_transactional=pl.lit(value=False))
    )


def _held_out(db: Connection, since: datetime, deciding: date | None, zone: str) -> pl.DataFrame:
    """Return the permanent hold-outs picked for an offer since an instant as though it had been made to them.

    They rest as controls do: else the same ones would be picked night after night, and take the places and the money of
    a trial from those who can be made the offer.
    """
    query = select(DECISIONS).where(
        DECISIONS.c.kind == OFFER,
        DECISIONS.c.reason_code == "permanent_hold_out",
        DECISIONS.c.as_of >= since.date() - A_DAY,
    )
    if deciding is not None:
        query = query.where(DECISIONS.c.as_of != deciding)
    picked = facts.frame_of(db, query).select("customer_id", "as_of", "channel", "purpose")
    days = picked["as_of"].unique().sort()
    ends = pl.DataFrame(
        {"as_of": days, "at": [AsOf(day, zone).instant for day in days]},
        schema={"as_of": pl.Date, "at": pl.Datetime("us")},
    )
    return picked.join(ends, on="as_of", maintain_order="left").with_columns(
        is_transactional=pl.lit(value=False)
    )


def waiting(db: Connection, since: datetime, deciding: date | None = None) -> pl.DataFrame:
    """Return customer_id of those invited after ``since`` whose answer has not come; withdrawn invitations wait not.

    Invitations of the date ``deciding`` are not looked at.
    """
    query = select(INVITATIONS).where(INVITATIONS.c.invited_at > since, INVITATIONS.c.state != "withdrawn")
    if deciding is not None:
        query = query.where(INVITATIONS.c.as_of.is_(None) | (INVITATIONS.c.as_of != deciding))
    asked = facts.frame_of(db, query)
    heard = facts.some(db, ANSWERS, "invitation_id", asked["invitation_id"]).select("invitation_id").unique()
    return (
        asked.join(heard, on="invitation_id", how="anti").select("customer_id").unique().sort("customer_id")
    )
