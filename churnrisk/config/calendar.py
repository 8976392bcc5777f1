"""Settings of time: days, and the windows around an as-of date."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from ..dates import zone_named
from ..errors import ConfigError
from .base import Settings


class TimeSettings(Settings):
    """The calendar."""

    zone: str | None = Field(
        None,
        description="IANA zone in which days begin and end, and in which times without an offset are meant. "
        "Without it days are UTC days and a source with local times is refused.",
    )

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str | None) -> str | None:
        if zone is not None:
            try:
                zone_named(zone)
            except ConfigError as error:
                raise ValueError(error.faults[0].expected) from error
        return zone

    @property
    def day_zone(self) -> str:
        """The zone in which days begin and end."""
        return self.zone or "UTC"


class ChurnSettings(Settings):
    """What leaving means, and the windows around an as-of date."""

    kind: Literal["cancelled", "inactive", "label"] = Field(
        "cancelled",
        description="cancelled: left_on in customers. inactive: no activity for inactive_days. "
        "label: a labelled extract in [sources.labelled].",
    )
    horizon_days: int = Field(
        30,
        ge=1,
        le=730,
        description="Length of the outcome window: the risk is about leaving within these days.",
    )
    gap_days: int = Field(
        14, ge=0, le=365, description="Days between the as-of date and the outcome window: time to act."
    )
    history_days: int = Field(
        365, ge=7, le=3650, description="How far back features look at most; older facts are not read."
    )
    inactive_days: int = Field(
        90,
        ge=1,
        le=1095,
        description="For kind = inactive: days without any activity that count as having left.",
    )
    non_payment_reasons: tuple[str, ...] = Field(
        ("non-payment", "non_payment", "nonpayment", "unpaid"),
        description="Values of left_reason that say that a customer was let go for not paying; case does not matter.",
    )
    expected_rate: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Share of customers that you expect to leave within one outcome window. Read only while there "
        "are too few leavers to learn from; needed while there is none.",
    )
    activity: tuple[Literal["calls", "usage", "events", "interactions"], ...] = Field(
        ("calls",), description="For kind = inactive: the sources whose facts count as activity."
    )
