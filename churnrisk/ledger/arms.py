"""Arms of a campaign: who is treated and who is control, drawn when it starts and frozen.

It decides arms by customer or by community, and refuses to know what the campaign offers. Communities have new names
every night; who was frozen together tells which one is which.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import polars as pl
from sqlalchemy import Connection, select

from .entries import add
from .facts import frame_of
from .holdouts import CAMPAIGN, CONTROL, TREATED, draws
from .schema import ARMS, CAMPAIGNS

CUSTOMER, COMMUNITY = UNITS = ("customer", "community")


@dataclass(frozen=True)
class Campaign:
    """A campaign as it was started; later changes of the settings do not reach it."""

    campaign_id: str
    started_on: date
    unit: str
    control_share: float
    kind: str = "offer"
    settings: str = "{}"


def campaign_of(db: Connection, wanted: Campaign, now: datetime) -> Campaign:
    """Return the campaign as it was started, starting it as ``wanted`` when it has not."""
    row = pl.DataFrame([vars(wanted) | {"written_at": now, "ended_on": None}])
    add(db, CAMPAIGNS, row)
    found = running_campaign(db, wanted.campaign_id)
    return wanted if found is None else found


def running_campaign(db: Connection, campaign_id: str) -> Campaign | None:
    """Return the campaign as it was started; None: it has not been."""
    found = frame_of(db, select(CAMPAIGNS).where(CAMPAIGNS.c.campaign_id == campaign_id))
    if found.is_empty():
        return None
    names = Campaign.__dataclass_fields__
    return Campaign(**{name: value for name, value in found.row(0, named=True).items() if name in names})


def arms_of(db: Connection, campaign_id: str) -> pl.DataFrame:
    """Return the frozen arms of a campaign by customer_id: arm, community, probability (of this arm), frozen_at."""
    query = select(ARMS).where(ARMS.c.campaign_id == campaign_id).order_by(ARMS.c.customer_id)
    return frame_of(db, query)


def frozen_arms(
    db: Connection, campaign: Campaign, customers: pl.DataFrame, *, salt: str, now: datetime
) -> pl.DataFrame:
    """Freeze the arms of those who have none, and return the arms of all of ``customers``.

    Parameters
    ----------
    customers : DataFrame
        customer_id and, when the unit is community, community as of tonight (null: alone).
    salt : str
        [holdout] salt.

    Returns
    -------
    DataFrame
        As `arms_of`, of these customers. By customer each draws alone. By community all of one draw together; who
        comes later gets the arm of most of those frozen among whom they are now.
    """
    frozen = arms_of(db, campaign.campaign_id)
    new = customers.join(frozen, on="customer_id", how="anti").unique("customer_id")
    drawn = drawn_arms(campaign, new, frozen, customers, salt=salt)
    add(db, ARMS, drawn.with_columns(campaign_id=pl.lit(campaign.campaign_id), frozen_at=pl.lit(now)))
    return arms_of(db, campaign.campaign_id).join(
        customers, on="customer_id", how="semi", maintain_order="left"
    )


def drawn_arms(
    campaign: Campaign, new: pl.DataFrame, frozen: pl.DataFrame, tonight: pl.DataFrame, *, salt: str
) -> pl.DataFrame:
    """Return customer_id, community, arm and probability of customers without an arm.

    Parameters
    ----------
    new, tonight : DataFrame
        customer_id and community: those without an arm, and everyone.
    frozen : DataFrame
        customer_id and arm of those who have one.
    """
    name = f"{CAMPAIGN}\x1f{campaign.campaign_id}"
    if campaign.unit == CUSTOMER:
        alone = new.select("customer_id", community=pl.lit(None, dtype=pl.String), unit=pl.col("customer_id"))
        return _by_lot(alone, campaign, name, salt)
    together = new.select("customer_id", pl.col("community").cast(pl.String))
    named = _first_members(tonight)
    parted = together.join(_majority(frozen, tonight), on="community", how="left").join(
        named, on="community", how="left"
    )
    followers = parted.filter(pl.col("arm").is_not_null()).select(
        "customer_id", "community", "arm", _probability(campaign)
    )
    others = parted.filter(pl.col("arm").is_null()).select(
        "customer_id", "community", unit=pl.coalesce("first_member", "customer_id")
    )
    return pl.concat([followers, _by_lot(others, campaign, name, salt)]).sort("customer_id")


def _probability(campaign: Campaign) -> pl.Expr:
    is_control = pl.col("arm") == CONTROL
    share = campaign.control_share
    return pl.when(is_control).then(share).otherwise(1 - share).alias("probability")


def _by_lot(units: pl.DataFrame, campaign: Campaign, name: str, salt: str) -> pl.DataFrame:
    """Draw the arm of each unit (customer_id, community, unit)."""
    distinct = units.select("unit").unique().sort("unit")
    is_control = draws(distinct["unit"], name, salt) < campaign.control_share
    arms = distinct.with_columns(arm=pl.when(is_control).then(pl.lit(CONTROL)).otherwise(pl.lit(TREATED)))
    return (
        units.join(arms, on="unit", how="left")
        .select("customer_id", "community", "arm", _probability(campaign))
        .sort("customer_id")
    )


def _first_members(tonight: pl.DataFrame) -> pl.DataFrame:
    """Return the least id in each community: its name for the draw, since its number changes from night to night."""
    return (
        tonight.select("customer_id", pl.col("community").cast(pl.String))
        .drop_nulls()
        .group_by("community")
        .agg(first_member=pl.col("customer_id").min())
    )


def _majority(frozen: pl.DataFrame, tonight: pl.DataFrame) -> pl.DataFrame:
    """Return community and arm: that of most of its frozen members, of equally many the treated one."""
    return (
        tonight.select("customer_id", pl.col("community").cast(pl.String))
        .drop_nulls()
        .join(frozen.select("customer_id", "arm"), on="customer_id")
        .group_by("community")
        .agg(more=(pl.col("arm") == CONTROL).mean() > 0.5)  # noqa: PLR2004 - more than half
        .select("community", arm=pl.when("more").then(pl.lit(CONTROL)).otherwise(pl.lit(TREATED)))
    )


@dataclass(frozen=True)
class Contamination:
    """How much the arms of a campaign touch: shares of the strength of ties, null where there are none."""

    treated_to_control: float | None
    """Share of the ties of the treated (within the campaign) that lead to controls."""
    control_to_treated: float | None
    n_ties: int
    n_across: int

    def sentence(self) -> str:
        """Say it in words."""
        if self.treated_to_control is None or self.control_to_treated is None:
            return "No ties within the campaign: its arms do not touch."
        return (
            f"Of the ties of the treated {self.treated_to_control:.1%} lead to controls, of those of the controls "
            f"{self.control_to_treated:.1%} lead to the treated ({self.n_across:,} of {self.n_ties:,} ties lie across)."
        )


def contamination(ties: pl.DataFrame, arms: pl.DataFrame) -> Contamination:
    """Return how much of the ties within a campaign lies between its arms.

    Parameters
    ----------
    ties : DataFrame
        customer_a, customer_b, strength; each pair once.
    arms : DataFrame
        customer_id, arm.
    """
    arm = arms.select("customer_id", "arm")
    both = ties.join(arm.rename({"customer_id": "customer_a", "arm": "arm_a"}), on="customer_a").join(
        arm.rename({"customer_id": "customer_b", "arm": "arm_b"}), on="customer_b"
    )
    across = both.filter(pl.col("arm_a") != pl.col("arm_b"))
    between = float(across["strength"].sum())

    def share(side: str) -> float | None:
        inside = both.filter((pl.col("arm_a") == side) & (pl.col("arm_b") == side))
        # a tie within an arm is one of each of its two ends
        ends = 2 * float(inside["strength"].sum()) + between
        return between / ends if ends else None

    return Contamination(share(TREATED), share(CONTROL), both.height, across.height)
