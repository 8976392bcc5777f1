"""Who is tied to whom, how strongly, and what reaches a customer through those ties.

It knows pairs of node numbers and what happened between them, and refuses to know customers, SQL, files and dates:
callers bring counts that already hold only what was known at the as-of instant. Names load on first use, so that
reading a constant or the list of features starts neither numba nor networkx.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .backend.ordinary import TiesCopiedWarning
    from .contract import DECAY_ONE_CONTACT, HALF_LIVES_DAYS, PAIR_COLUMNS, RECENT_DAYS, TRAIN_GAP_HOURS
    from .exposure import exposures
    from .frames import as_tie_graph, tie_graph
    from .graph import ContactGraph, TieGraph
    from .influence import (
        FriendsStake,
        SpilloverScale,
        friends_at_risk,
        friends_stake,
        spillover,
        spillover_scale,
    )
    from .membership import community_of
    from .names import EXPOSURE_WINDOWS_DAYS, TieFeature, tie_feature_names, tie_features
    from .network import network_features
    from .spreading import Activation, aged_energy, spreading_activation
    from .strength import tie_table

__all__ = [
    "DECAY_ONE_CONTACT",
    "EXPOSURE_WINDOWS_DAYS",
    "HALF_LIVES_DAYS",
    "PAIR_COLUMNS",
    "RECENT_DAYS",
    "TRAIN_GAP_HOURS",
    "Activation",
    "ContactGraph",
    "FriendsStake",
    "SpilloverScale",
    "TieFeature",
    "TieGraph",
    "TiesCopiedWarning",
    "aged_energy",
    "as_tie_graph",
    "community_of",
    "exposures",
    "friends_at_risk",
    "friends_stake",
    "network_features",
    "spillover",
    "spillover_scale",
    "spreading_activation",
    "tie_feature_names",
    "tie_features",
    "tie_graph",
    "tie_table",
]

_HOMES = {
    "DECAY_ONE_CONTACT": "contract",
    "EXPOSURE_WINDOWS_DAYS": "names",
    "HALF_LIVES_DAYS": "contract",
    "PAIR_COLUMNS": "contract",
    "RECENT_DAYS": "contract",
    "TRAIN_GAP_HOURS": "contract",
    "Activation": "spreading",
    "ContactGraph": "graph",
    "FriendsStake": "influence",
    "SpilloverScale": "influence",
    "TieFeature": "names",
    "TieGraph": "graph",
    "TiesCopiedWarning": "backend.ordinary",
    "aged_energy": "spreading",
    "as_tie_graph": "frames",
    "community_of": "membership",
    "exposures": "exposure",
    "friends_at_risk": "influence",
    "friends_stake": "influence",
    "network_features": "network",
    "spillover": "influence",
    "spillover_scale": "influence",
    "spreading_activation": "spreading",
    "tie_feature_names": "names",
    "tie_features": "names",
    "tie_graph": "frames",
    "tie_table": "strength",
}


def __getattr__(name: str) -> object:
    """Load the module that holds a public name when the name is first asked for."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)
