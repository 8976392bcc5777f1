"""Settings of the network: what counts as a tie."""

from __future__ import annotations

from pydantic import Field

from .base import Settings


class TieSettings(Settings):
    """What counts as a tie between customers."""

    max_partners: int = Field(
        500,
        ge=1,
        description="A customer with more partners in the window than this is a hub (a call centre, a taxi service): "
        "such contacts are no social ties and are left out of the network. Three times Dunbar's 150, a judgement.",
    )
    max_one_way_partners: int = Field(
        100,
        ge=1,
        description="So is one with more partners than this of whom under 1 in 20 has contacts both ways: mass calls. "
        "A judgement.",
    )
