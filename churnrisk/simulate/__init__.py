"""A telco with a known truth: writes sources as a company would deliver them, and refuses to know how they are read.

Nothing here looks at the clock or at the machine: the same settings give the same bytes.

>>> from churnrisk.simulate import WorldSettings, simulate
>>> world = simulate("somewhere", WorldSettings(customers=1_000, days=120))  # doctest: +SKIP
>>> world.rows["customers"], world.truth["monthly_churn"]  # doctest: +SKIP
"""

from __future__ import annotations

from .settings import Mechanism, Programme, WorldSettings, reference_world
from .workspace import workspace_config
from .world import World, simulate

__all__ = [
    "Mechanism",
    "Programme",
    "World",
    "WorldSettings",
    "reference_world",
    "simulate",
    "workspace_config",
]
