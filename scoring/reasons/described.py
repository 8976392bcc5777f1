"""Features as staff are told of them: group, unit, label, and the story they belong to. It knows no customer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from churnrisk.bundle import Bundle
from features.catalogue import Catalogue
from features.network import tells_of_others

SHARE = "_exposure_share"
_TOLD_BY_SHARE = ("_exposure_weighted", "_exposure_close_n", "_exposure_paced")
"""Exposures that would give a close tie's end away, and are told by the share of ties."""

_KINDS = (
    (re.compile(r"attribute_.+"), ""),
    (re.compile(r"usage_.+"), r"_(last|last_age_days|change|mean_3|trend|max_6|n_above_zero_6)$"),
    (re.compile(r"(event|topic)_.+"), r"_(n_\d+d|days_since)$"),
)
"""Features that hold a name of the user's own, which may end like a variant: what ends them apart from it."""
_VARIANT = re.compile(
    r"_(\d+d|out|in|mutual|n|close_n|share|weighted|paced|ratio|s|mean|max|sum|mean_3|trend|change|last|score|age_days)$"
)
_MEASURE = re.compile(r"^(n|share)_")


@dataclass(frozen=True)
class Described:
    """A feature with the words of the catalogue; one that it does not know has its name only."""

    name: str
    group: str
    unit: str
    label: str
    family: str

    @classmethod
    def of(cls, name: str, group: str, words: Catalogue) -> Described:
        """Look a feature up; ``group`` as the model has it, else as the catalogue."""
        entry = words.find(name)
        if entry is None:
            return cls(name, group, "", "", family_of(name))
        return cls(name, group or entry.group, entry.unit, entry.label, family_of(name))

    @property
    def story(self) -> tuple[str, str]:
        """Group and family: features alike in both tell one story."""
        return self.group, self.family

    @property
    def is_of_others(self) -> bool:
        """Say whether it speaks of what other customers did."""
        return tells_of_others(self.name, self.group)

    @property
    def told_name(self) -> str:
        """The feature by which this one is told."""
        for part in _TOLD_BY_SHARE:
            if part in self.name:
                return self.name.replace(part, SHARE)
        return self.name

    def as_told(self, words: Catalogue) -> Described:
        """Return the feature by which this one is told, with its words."""
        return self if self.told_name == self.name else Described.of(self.told_name, self.group, words)

    @property
    def count_name(self) -> str | None:
        """The feature that counts who contributes to this one; None where nobody counts them."""
        if SHARE in self.told_name:
            return self.told_name.replace(SHARE, "_exposure_n")
        return self.name if "_exposure_n" in self.name else None


def described(bundle: Bundle, words: Catalogue) -> tuple[Described, ...]:
    """Describe every feature of the model, in its order."""
    return tuple(Described.of(feature.name, feature.group, words) for feature in bundle.features)


def family_of(name: str) -> str:
    """Return the name without window, direction and measure.

    >>> family_of("n_contacts_30d"), family_of("churn_exposure_share_out_7d")
    ('contacts', 'churn_exposure')
    """
    for kind, ending in _KINDS:
        if kind.fullmatch(name):
            return re.sub(ending, "", name) if ending else name
    while (shorter := _VARIANT.sub("", name)) != name:
        name = shorter
    return _MEASURE.sub("", name)
