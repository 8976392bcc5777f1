"""Which pairs count as ties and how much: limits beyond which a customer is no friend but a hub, learned weights.

It knows limits and refuses to know contacts; reading it starts no heavy library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MAX_PARTNERS = 500
"""More people in the window than anybody has friends: Dunbar's (1992) 150 lasting relations three times over, and some
to spare. A judgement; on the simulated telco nobody comes near, a call centre exceeds it in hours."""

MAX_ONE_WAY_PARTNERS = 100
"""With more partners than this, hardly any of whom (under 1 in 20) ever answered, or was answered, a customer sends or
receives mass calls. A judgement: people's ties are mutual for three quarters of their pairs."""


@dataclass(frozen=True)
class TieRules:
    """What makes a hub. Ties of a hub are no social ties: they are left out before the graph is built."""

    max_partners: int = MAX_PARTNERS
    max_one_way_partners: int = MAX_ONE_WAY_PARTNERS
    weights: Mapping[str, float] | None = None
    """Weights of strength learned from the user's own ties (`features.ties.blend`); None = the default strength."""

    def parameters(self) -> dict[str, int]:
        """Give the parameters of `hubs.sql`."""
        return {"max_partners": self.max_partners, "max_one_way_partners": self.max_one_way_partners}
