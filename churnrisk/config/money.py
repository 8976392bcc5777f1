"""Settings of money: what a customer is worth, what the team can do, how much of leaving is catching."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from .base import Settings


class ValueSettings(Settings):
    """What a customer is worth."""

    months: int = Field(
        12, ge=1, le=120, description="Months of margin that make up the value of a customer."
    )
    margin_share: float = Field(1.0, gt=0, le=1, description="Share of monthly_value that is margin.")
    lifetime_months: int = Field(
        60,
        ge=1,
        le=600,
        description="Months ahead over which expected months and lifetime value are summed; later ones count nothing.",
    )
    discount_rate: float = Field(
        0.10,
        ge=0,
        le=1,
        description="Per year: how much less a margin is worth in lifetime value a year later.",
    )


class TeamSettings(Settings):
    """What the retention team can do."""

    daily_capacity: int = Field(
        50,
        ge=1,
        description="Customers the team can call a day: the length of the list, and the most contacts a day by call "
        "unless [contacts] capacity names call.",
    )
    promoter_capacity: int = Field(
        50, ge=1, description="Promoters the team can approach a day: the length of their list."
    )


class InfluenceSettings(Settings):
    """How much of leaving is catching, in money. Predictive exposure never enters here."""

    causal_effect: float = Field(
        0.03,
        ge=0,
        le=10,
        description="Relative extra risk of leaving per strong friend who left, as a cause and not as a prediction. "
        "Another than the default needs effect_source.",
    )
    causal_interval: tuple[float, float] = Field(
        (0.0, 0.28), description="The interval of causal_effect; from it come the intervals of all spillover."
    )
    effect_source: Literal["default", "experiment", "estimate"] = Field(
        "default",
        description="Where causal_effect comes from: default, your own experiment, or an estimate on your data that "
        "passed its negative controls.",
    )
    multiplier: float | None = Field(
        None,
        ge=1,
        le=1.28,
        description='Social multiplier measured in your own experiment (effect_source = "experiment"), used instead of '
        "causal_effect: 1.1 means that saving a customer saves a tenth of their value around them.",
    )
    multiplier_interval: tuple[float, float] | None = Field(
        None, description="The interval of multiplier; without it 1 to 1.28."
    )

    @model_validator(mode="after")
    def _sourced(self) -> InfluenceSettings:
        fields = type(self).model_fields
        if self.effect_source == "default" and self.causal_effect != fields["causal_effect"].default:
            msg = 'effect_source = "experiment" or "estimate" with a causal_effect of your own'
            raise ValueError(msg)
        if self.multiplier is not None and self.effect_source != "experiment":
            msg = 'effect_source = "experiment" with a multiplier'
            raise ValueError(msg)
        if not 0 <= self.causal_interval[0] <= self.causal_effect <= self.causal_interval[1]:
            msg = "a causal_interval from 0 up that contains causal_effect"
            raise ValueError(msg)
        low, high = self.multiplier_interval or (1.0, 1.28)
        if not 1 <= low <= (self.multiplier or low) <= high:
            msg = "a multiplier_interval from 1 up that contains multiplier"
            raise ValueError(msg)
        return self

    @property
    def effect(self) -> tuple[float, float, float]:
        """The causal effect and the ends of its interval."""
        return (self.causal_effect, *self.causal_interval)

    @property
    def effect_words(self) -> str:
        """What the money rests on, for reading."""
        if self.multiplier is not None:
            return f"the multiplier {self.multiplier:g} of your own experiment"
        low, high = self.causal_interval
        return (
            f"the causal effect {self.causal_effect:g} per strong friend who left, {low:g} to {high:g} "
            f"({self.effect_source})"
        )

    @property
    def excess(self) -> tuple[float, float, float] | None:
        """What the multiplier and its interval have above 1, None without one."""
        if self.multiplier is None:
            return None
        low, high = self.multiplier_interval or (1.0, 1.28)
        return (self.multiplier - 1, low - 1, high - 1)
