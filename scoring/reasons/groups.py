"""Reasons by group: price, service, satisfaction ...; each group's whole part in the risk.

It decides which groups have a total of their own. One that speaks of other customers never has: what is not told of
them would be its remainder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from features.network import NETWORK_GROUP

from .choice import N_PER_GROUP
from .described import Described
from .discretion import FEWEST_COVERING, n_own_at_most
from .table import Explained

_ALWAYS_SHARING = frozenset({NETWORK_GROUP, "calls"})
"""The network's total alone would mostly be what others did: how the customer calls moves as much, and hides it."""

_COVERING_ORDER = ("usage", "digital", "profile", "service", "price", "satisfaction")
"""Groups that share the total too where it takes more, the nearest in kind first."""


@dataclass(frozen=True)
class Part:
    """What one group, or several together, add to a customer's risk: ``points``; ``told`` are places of features.

    No groups: everything without a total of its own.
    """

    groups: tuple[str, ...]
    points: float
    told: tuple[int, ...]


def sharing_groups(features: Sequence[Described]) -> frozenset[str]:
    """Return the groups whose total is told together, as one of them speaks of other customers; empty without any.

    So many that at least five inputs of the customer's own stay beside those that are not told, whatever has a line
    of its own. It depends on the model alone.
    """
    of_others = {feature.group for feature in features if feature.is_of_others}
    if not of_others:
        return frozenset()
    present = {feature.group for feature in features}
    sharing = of_others | (_ALWAYS_SHARING & present)
    waiting = [name for name in _COVERING_ORDER if name in present]
    waiting += sorted(present - {*waiting, *sharing})
    while waiting and not _is_covered(sharing, features):
        sharing.add(waiting.pop(0))
    return frozenset(sharing)


def parts_of(found: Explained, row: int) -> list[Part]:
    """Return the parts of one customer's risk by group, the largest first; they add up to its inputs' points.

    Groups of which nothing may be told of the customer (calls or answers of those who refuse) come last, together and
    without a name.
    """
    features, sharing = found.features, sharing_groups(found.features)
    if n_own_at_most(features) is None or (sharing and not _is_covered(sharing, features)):
        return [Part((), float(found.effects.points[row].sum()), ())]
    parts = list(_parts(found, row, sharing))
    named = sorted((part for part in parts if part.groups), key=lambda part: (-abs(part.points), part.groups))
    nameless = sum(part.points for part in parts if not part.groups)
    has_nameless = any(not part.groups for part in parts)
    return [*named, Part((), nameless, ())] if has_nameless else named


def _parts(found: Explained, row: int, sharing: frozenset[str]) -> Iterator[Part]:
    features = found.features
    names = sorted({feature.group for feature in features})
    together = [tuple(name for name in names if name in sharing)] if sharing else []
    for groups in [*together, *((name,) for name in names if name not in sharing)]:
        places = [k for k, feature in enumerate(features) if feature.group in groups]
        points = float(found.effects.points[row, places].sum())
        may_name = bool(np.any(found.allowed[row, places]))
        told = tuple(k for k in found.told[row] if features[k].group in groups)
        yield Part(groups if may_name else (), points, told)


def _is_covered(sharing: Sequence[str] | set[str] | frozenset[str], features: Sequence[Described]) -> bool:
    own = [feature for feature in features if feature.group in sharing and not feature.is_of_others]
    return len(own) - N_PER_GROUP * len(sharing) >= FEWEST_COVERING
