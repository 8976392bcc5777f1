"""What the rules are and what they look at: settings, earlier contacts, consents, suppressions, hold-outs.

It decides the shape of these, and refuses to know databases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl

from ...config import Cap, Config, QuietPeriod
from ...dates import AsOf
from ...errors import did_you_mean

SURVEY, OFFER = "survey", "offer"
CALL = "call"
"""Kind, purpose and channel of the calls that the team makes from its list."""

PROMOTERS = "promoter:"
"""What the purposes of all programmes for promoters begin with."""

LOOK_BACK_DAYS = 3651
"""No cap reaches further back."""


@dataclass(frozen=True)
class ContactRules:
    """The rules of contacting; ``budgets`` is money per purpose (one that is not named has no limit).

    Of promoters it is places: of each programme, and under ``PROMOTERS`` of all together.
    """

    caps: tuple[Cap, ...] = ()
    quiet_days: int = 0
    quiet_periods: tuple[QuietPeriod, ...] = ()
    capacity: Mapping[str, int] = field(default_factory=dict)
    channels: tuple[str, ...] = ("email", "sms", "call")
    transactional: frozenset[str] = frozenset()
    wait_for_answer_days: int = 0
    budgets: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, config: Config) -> ContactRules:
        """Return the rules that the settings say."""
        contacts = config.contacts
        of_surveys = tuple(_of_purpose(cap, SURVEY) for cap in config.surveys.caps)
        of_offers = tuple(_of_purpose(cap, OFFER) for cap in config.offers.caps)
        programmes = {promoter_purpose(name): most for name, most in config.promoters.programmes.items()}
        of_promoters = tuple(_of_purpose(cap, name) for name in programmes for cap in config.promoters.caps)
        return cls(
            (*contacts.caps, *of_surveys, *of_offers, *of_promoters),
            contacts.quiet_days,
            contacts.quiet_periods,
            {CALL: config.team.daily_capacity, **contacts.capacity},
            contacts.channels,
            frozenset(contacts.transactional),
            contacts.wait_for_answer_days,
            {
                SURVEY: config.surveys.budget,
                OFFER: config.offers.budget,
                PROMOTERS: config.team.promoter_capacity,
                **programmes,
            },
        )

    @property
    def look_back_days(self) -> int:
        """How many days of earlier contacts matter."""
        return max([self.quiet_days, self.wait_for_answer_days, *(cap.days for cap in self.caps)]) + 1

    def is_quiet(self, day: date) -> bool:
        """Say whether nobody is contacted on ``day``."""
        now = f"{day:%m-%d}"
        return any(
            period.from_ <= now <= period.to
            if period.from_ <= period.to
            else now >= period.from_ or now <= period.to
            for period in self.quiet_periods
        )


def _of_purpose(cap: Cap, purpose: str) -> Cap:
    return cap.model_copy(update={"purpose": purpose})


def promoter_purpose(programme: str) -> str:
    """Return the purpose by which caps and numbers of a promoters' programme go.

    >>> promoter_purpose("referral")
    'promoter:referral'
    """
    return f"{PROMOTERS}{programme}"


def purposes_of(config: Config) -> tuple[str, ...]:
    """Return the purposes for which customers are contacted from here; of others only what was recorded is known."""
    programmes = (promoter_purpose(name) for name in config.promoters.programmes)
    return tuple(
        dict.fromkeys((SURVEY, OFFER, CALL, *programmes, *(rule.purpose for rule in config.proactive.rules)))
    )


SO_NEAR = 0.81
"""How alike (difflib's ratio) a purpose must be to one of ours to be taken for a slip. A guess: surveys, survay and
ofer are, recall and billing are not."""


def nearly(name: str, purposes: Iterable[str]) -> str:
    """Ask for the purpose that ``name`` differs from by case or a slip alone; nothing where there is none.

    >>> nearly("Offers", ["survey", "offer"]), nearly("recall", ["call"])
    ("Did you mean 'offer'?", '')
    """
    return did_you_mean(name, purposes, cutoff=SO_NEAR)


def action_day(as_of: AsOf) -> date:
    """Return the day on which what is decided as of a date is done: the one after it."""
    return as_of.day + timedelta(days=1)


CONTACT_COLUMNS: dict[str, pl.DataType] = {
    "customer_id": pl.String(),
    "at": pl.Datetime("us"),
    "channel": pl.String(),
    "purpose": pl.String(),
    "is_transactional": pl.Boolean(),
}


def _empty(**columns: type[pl.DataType] | pl.DataType) -> pl.DataFrame:
    return pl.DataFrame(schema=columns)


@dataclass(frozen=True)
class Standing:
    """Where customers stand with us when a night decides.

    contacts : customer_id, at, channel, purpose, is_transactional, as far back as the rules look.
    waiting : customer_id of those who were asked and may still answer.
    consents : customer_id, may_survey, may_contact (null: no).  Who is not here has not consented.
    suppressed : customer_id, channel (empty: all).
    held_out : kind, campaign_id (empty but for campaigns), customer_id.
    """

    contacts: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CONTACT_COLUMNS))
    waiting: pl.DataFrame = field(default_factory=lambda: _empty(customer_id=pl.String))
    consents: pl.DataFrame = field(
        default_factory=lambda: _empty(customer_id=pl.String, may_survey=pl.Boolean, may_contact=pl.Boolean)
    )
    suppressed: pl.DataFrame = field(default_factory=lambda: _empty(customer_id=pl.String, channel=pl.String))
    held_out: pl.DataFrame = field(
        default_factory=lambda: _empty(kind=pl.String, campaign_id=pl.String, customer_id=pl.String)
    )
