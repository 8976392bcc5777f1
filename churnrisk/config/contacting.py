"""Settings of contacting customers: rules that hold for surveys, calls and offers alike, hold-outs, where it is kept.

Every default that is a judgement says so. Nobody is asked and nothing is offered until a budget is set.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

from pydantic import Field, field_validator, model_validator

from .base import Settings

SCALE = (0, 10)
"""Scores of the recommend question: alerts go by them."""

_DAY_OF_YEAR = re.compile(r"(\d{2})-(\d{2})")


class Cap(Settings):
    """At most so many contacts in so many days."""

    days: int = Field(ge=1, le=3650, description="Local days counted, the day of the contact included.")
    most: int = Field(ge=0, description="Contacts that may fall into them.")
    purpose: str | None = Field(
        None,
        description="Only contacts for this purpose (survey, offer, call, promoter:NAME, that of a "
        "proactive rule, or of contacts recorded); without it all of them.",
    )
    channel: str | None = Field(None, description="Only contacts through this channel.")


class QuietPeriod(Settings):
    """Days of every year on which nobody is contacted, the first and the last included."""

    from_: str = Field(alias="from", description="First day, MM-DD.")
    to: str = Field(description="Last day, MM-DD; before the first one it lies in the next year.")

    @field_validator("from_", "to")
    @classmethod
    def _is_day(cls, value: str) -> str:
        found = _DAY_OF_YEAR.fullmatch(value)
        try:
            date(2000, int(found[1]), int(found[2])) if found else None
        except ValueError:
            found = None
        if not found:
            msg = 'a day of the year as "MM-DD"'
            raise ValueError(msg)
        return value


def _secret(value: str | None) -> str | None:
    if value is not None and not value.startswith("env:"):
        msg = 'a secret only as "env:NAME"'
        raise ValueError(msg)
    return value


class ContactSettings(Settings):
    """How often customers may be contacted: one set of rules for surveys, calls and offers."""

    caps: tuple[Cap, ...] = Field(
        (Cap(days=30, most=4),),
        description="Most contacts of one customer in any so many days, as { days = 30, most = 4 }, if wished only of "
        "one channel or purpose. The default is a judgement.",
    )
    quiet_days: int = Field(
        3, ge=0, le=365, description="Days after a contact on which there is no other. A judgement."
    )
    quiet_periods: tuple[QuietPeriod, ...] = Field(
        (), description='Days of the year without contacts, as { from = "12-24", to = "12-26" }.'
    )
    capacity: dict[str, int] = Field(
        default_factory=dict,
        description="Most contacts a day through a channel, as { email = 1000, call = 50 }; call without a number: "
        "[team] daily_capacity; others have no limit.",
    )
    channels: tuple[str, ...] = Field(
        ("email", "sms", "call"),
        min_length=1,
        description="Your channels, the preferred one first: the next is tried when one is full or suppressed. "
        "Questions go through the one that costs least, the preferred one of equals.",
    )
    transactional: tuple[str, ...] = Field(
        ("bill", "outage"),
        description="Purposes of messages that must go out (a bill, an outage): no rule holds them back, no "
        "hold-out either, and they count towards none.",
    )
    wait_for_answer_days: int = Field(
        7,
        ge=0,
        le=365,
        description="So long an unanswered survey keeps a customer from the next. A judgement.",
    )

    @field_validator("capacity")
    @classmethod
    def _not_negative(cls, value: dict[str, int]) -> dict[str, int]:
        if any(each < 0 for each in value.values()):
            msg = "capacities from 0 up"
            raise ValueError(msg)
        return value


class SurveySettings(Settings):
    """Asking customers: what it may cost, and what is done with the answers."""

    budget: float = Field(0.0, ge=0, description="Money for asking in one night; 0: nobody is asked.")
    cost: dict[str, float] = Field(
        default_factory=lambda: {"email": 0.05, "sms": 0.1, "call": 4.0},
        description="What asking one customer costs, per channel; a channel without a cost asks nobody. Guesses.",
    )
    caps: tuple[Cap, ...] = Field(
        (Cap(days=90, most=1),),
        description="As [contacts] caps, of contacts with the purpose survey, besides those. A judgement.",
    )
    alert_window: tuple[float, float] = Field(
        (0, 6), description="Scores, both included, on which somebody is told at once."
    )
    random_share: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Share of the budget for customers drawn by lot among those who may be asked, through the cheapest "
        "channel, so that what answers tell stays measurable.",
    )
    holdout_share: float = Field(
        0.05, ge=0, lt=1, description="Share of customers who are never asked: what asking itself does."
    )
    value_of_answer: float = Field(
        1.0,
        ge=0,
        description="What an answer of a wave, after a contact or after a closed case is worth, in the customer's "
        "currency. A guess; the value of confirming a risk is computed.",
    )
    wave_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of customers in the relationship wave that is asked here; 0: you ask elsewhere.",
    )
    wave_every_days: int = Field(91, ge=1, le=3650, description="Days after which the wave comes round.")
    touchpoint_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of customers asked for satisfaction or effort after a contact (interactions).",
    )
    verify_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of customers asked whether it helped, 3 to 10 days after an outcome (`record outcomes`), "
        "whatever it says.",
    )

    @model_validator(mode="after")
    def _sound(self) -> SurveySettings:
        low, high = self.alert_window
        if low > high:
            msg = "an alert_window whose first score is not above the second"
            raise ValueError(msg)
        if low < SCALE[0] or high > SCALE[1]:
            msg = f"an alert_window within the scale of the recommend question, {SCALE[0]} to {SCALE[1]}"
            raise ValueError(msg)
        if any(each < 0 for each in self.cost.values()):
            msg = "a cost from 0 up for every channel"
            raise ValueError(msg)
        return self


class OfferSettings(Settings):
    """Offering: what it may cost, and how its effect stays measurable."""

    budget: float = Field(0.0, ge=0, description="Money for offers in one night; 0: nothing is offered.")
    margin: float = Field(
        0.0, ge=0, description="Net value that an offer must bring at least, in the customer's currency."
    )
    caps: tuple[Cap, ...] = Field(
        (Cap(days=60, most=1),),
        description="As [contacts] caps, of contacts with the purpose offer, besides those. The default lets what came "
        "of an offer (gap_days and horizon_days, 44) be seen before the next one. A judgement.",
    )
    campaign: str = Field("retention", min_length=1, description="Name of the campaign now running.")
    unit: Literal["customer", "community"] = Field(
        "customer",
        description="Who is drawn into treated and control together: every customer alone, or whole communities, so "
        "that what one does to another can be measured. Frozen when the campaign starts.",
    )
    control_share: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Share of the campaign left without an offer, to measure by. A judgement.",
    )
    exploration: Literal["share", "thompson"] = Field(
        "share",
        description="How offers that nobody has measured get tried: a share of customers by lot, or every decision "
        "by a draw of what each offer may be worth (Thompson sampling).",
    )
    exploration_share: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Share of the customers chosen whose offer is drawn by lot, and of the budget that it may cost, "
        "with the chance written down.",
    )
    trial: bool = Field(
        True,
        description="Whether an offer is on trial until its own treatments speak for it; false: what is assumed of it "
        "counts from the first night on.",
    )
    trial_share: float = Field(
        0.2,
        gt=0,
        le=1,
        description="Share of the budget that an offer may cost a night as long as its own treatments have not shown "
        "that it keeps anybody, on average over the lots. A judgement.",
    )
    trial_control_share: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="Share of those picked for such an offer who are left without it, to measure by; never less than "
        "control_share. Half shows an effect with the fewest customers.",
    )
    treat_quantile: float = Field(
        0.2,
        gt=0,
        le=0.5,
        description="An offer is made when this quantile of its net value is above margin. A judgement.",
    )


class PromoterSettings(Settings):
    """Approaching promoters: for what, how many a night, how often one of them."""

    programmes: dict[str, int] = Field(
        default_factory=lambda: {"referral": 50},
        description="What promoters are approached for and how many a night, the most wanted first, as "
        "{ referral = 20, community = 10, beta = 5 }; at most [team] promoter_capacity in all.",
    )
    caps: tuple[Cap, ...] = Field(
        (Cap(days=180, most=1),),
        description="As [contacts] caps, of each programme alone. A judgement.",
    )

    @field_validator("programmes")
    @classmethod
    def _sound(cls, value: dict[str, int]) -> dict[str, int]:
        if any(each < 0 or not name for name, each in value.items()):
            msg = "programmes with a name and a number from 0 up"
            raise ValueError(msg)
        return value


class ProactiveRule(Settings):
    """One trigger: whom to contact without being asked, and with what."""

    name: str = Field(min_length=1, description="Its name in tables and files.")
    when: str = Field(
        min_length=1,
        description="Whom it concerns: a boolean expression over published columns, as `eligible` of offers.",
    )
    message: str = Field(
        min_length=1, description="What to tell or recommend; it stands in the file and the message."
    )
    purpose: str = Field(
        "proactive",
        min_length=1,
        description="What caps go by; one of [contacts] transactional (bill) is exempt from them.",
    )
    channels: tuple[str, ...] = Field(
        (),
        description='Channels to try in turn; "latest" is the one through which the customer made contact last. '
        "Without any, those of [contacts].",
    )
    value: float = Field(
        0.0,
        ge=0,
        description="What a contact is worth, in the customer's currency: its place among all others.",
    )
    cost: float = Field(0.0, ge=0, description="What it costs.")
    every_days: int = Field(
        30, ge=1, le=3650, description="A customer is not contacted again by this rule within so many days."
    )


class ProactiveSettings(Settings):
    """Contacts that customers have not asked for: a warning before a bill is late, a product that would suit."""

    rules: tuple[ProactiveRule, ...] = Field(
        (), description="Triggers, each a [[proactive.rules]] table; none by default."
    )

    @field_validator("rules")
    @classmethod
    def _named_once(cls, value: tuple[ProactiveRule, ...]) -> tuple[ProactiveRule, ...]:
        names = [rule.name for rule in value]
        if len(set(names)) < len(names):
            msg = "rules that each have a name of their own"
            raise ValueError(msg)
        return value


class HoldoutSettings(Settings):
    """Customers whom no survey, call or offer ever reaches, so that the whole can be measured; bills do reach them."""

    share: float = Field(
        0.05,
        ge=0,
        lt=1,
        description="Share of all customers; only messages with a purpose in [contacts] transactional reach them. "
        "A judgement.",
    )
    salt: str = Field(
        "churnrisk",
        min_length=1,
        description="Draws who: the same word, the same customers, whoever comes or goes. Another one draws anew.",
    )


class OperationSettings(Settings):
    """Where the ledger is kept."""

    url: str | None = Field(
        None,
        description="Database of the ledger as env:NAME, e.g. of a variable that holds postgresql://...; without it "
        "the file operations.db.",
    )

    _is_secret = field_validator("url")(_secret)


class WebhookSettings(Settings):
    """Where messages go, and the secret that signs them."""

    endpoint: str | None = Field(
        None, description="Address that gets survey requests and alerts; without it nothing is sent."
    )
    secret: str | None = Field(
        None,
        description="Secret or secrets (whsec_..., parted by spaces) that sign what goes out and what comes in, as "
        "env:NAME.",
    )

    _is_secret = field_validator("secret")(_secret)
