"""The catalogue of sentences: finds the sentence of a feature by its name, in one language.

It decides wording, and refuses to know which features exist: a feature without a sentence of its own gets the honest
general one, "label: value". The words stand in ``<language>.toml`` beside this file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from ..config import LANGUAGES
from ..errors import ConfigError, Fault
from .numbers import NumberStyle, Value

PLACEHOLDERS = ("value", "signed", "days", "metric", "event", "topic", "attribute")
"""Words in braces that a sentence may hold; those after ``signed`` are parts of the feature's name."""

_MANY_DIGITS = r"\d+"
_PARTS = {"days": _MANY_DIGITS}


@dataclass(frozen=True)
class _Pattern:
    """A key of the catalogue, and the expression that recognises its feature names."""

    key: str
    expression: re.Pattern[str]

    @classmethod
    def of(cls, key: str) -> _Pattern:
        pieces = re.split(r"\{(\w+)\}", key)
        text = "".join(
            f"(?P<{piece}>{_PARTS.get(piece, '.+')})" if position % 2 else re.escape(piece)
            for position, piece in enumerate(pieces)
        )
        return cls(key, re.compile(text))

    @property
    def n_fixed(self) -> int:
        """Letters that are not in braces: of several matching keys the most exact one counts."""
        return len(re.sub(r"\{\w+\}", "", self.key))


class _Texts:
    """One section of a language file, looked up by feature name."""

    def __init__(self, section: Mapping[str, str]) -> None:
        self._texts = dict(section)
        patterns = [_Pattern.of(key) for key in section if "{" in key]
        self._patterns = sorted(patterns, key=lambda pattern: (-pattern.n_fixed, pattern.key))

    def find(self, feature: str) -> tuple[str, dict[str, str]] | None:
        """Return the text for ``feature`` and the parts of its name; None when there is none."""
        if feature in self._texts:
            return self._texts[feature], {}
        for pattern in self._patterns:
            found = pattern.expression.fullmatch(feature)
            if found:
                return self._texts[pattern.key], {
                    name: _readable(part) for name, part in found.groupdict().items()
                }
        return None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Go through key and text."""
        return iter(self._texts.items())


class Sentences:
    """The sentences of one language; make one with :meth:`of`."""

    def __init__(self, language: str) -> None:
        content = tomllib.loads((files(__package__) / f"{language}.toml").read_text("utf-8"))
        words = content["language"]
        self.language = language
        self.name: str = words["name"]
        self.between: str = words["between"]
        self.numbers = NumberStyle(
            words["plural"],
            words["decimal"],
            words["group"],
            words["percent"],
            words["yes"],
            words["no"],
            content["units"],
        )
        self.sections = {name: _Texts(content[name]) for name in ("sentences", "unknown", "labels")}
        self._lines: Mapping[str, str] = content["lines"]
        self._words: Mapping[str, Mapping[str, str]] = {
            name: content[name] for name in ("groups", "bands", "decided", "offering", "explain", "asking")
        }
        self._known: str = words["known"]
        self._unknown: str = words["unknown"]

    @classmethod
    def of(cls, language: str) -> Sentences:
        """Return the sentences of a language; raise ConfigError when there are none."""
        if language not in LANGUAGES:
            raise ConfigError(
                Fault(
                    code="language_unknown",
                    where="churnrisk.toml [lists] language",
                    expected="a language with sentences",
                    found=repr(language),
                    remedy="Choose one of them, or add its file to churnrisk/messages.",
                    available=LANGUAGES,
                )
            )
        return _loaded(language)

    def reason(self, feature: str, value: Value, *, unit: str = "", label: str = "") -> str:
        """Return one sentence about a customer's own value of a feature.

        Parameters
        ----------
        feature : str
            Name in the catalogue, e.g. ``n_contacts_90d``.
        value : number, text, bool or None
            The customer's value; None is unknown.
        unit, label : str
            As the catalogue has them; used when the language has no sentence of its own for the feature.
        """
        section = "unknown" if value is None else "sentences"
        found = self.sections[section].find(feature)
        general = self._unknown if value is None else self._known
        template, parts = found if found is not None else (general, dict[str, str]())
        words = {**parts, "label": self.label(feature, label)}
        if value is not None:
            words |= {"value": self.numbers.written(value, unit), "signed": self.numbers.signed(value, unit)}
        return _capitalised(_filled(template, words))

    def line(self, name: str, **words: str) -> str:
        """Return a sentence or word that speaks of no single input, by its name in ``[lines]``, braces filled."""
        return _filled(self._lines[name], words)

    def group(self, name: str) -> str:
        """Return the name of a group of features, the user's own as it is."""
        return self._words["groups"].get(name) or _readable(name)

    def band(self, name: str) -> str:
        """Return the word for a band of risk."""
        return self._words["bands"][name]

    def decided(self, reason_code: str) -> str:
        """Return why somebody was chosen, refused or held out, by the code of the contact rules."""
        return self._words["decided"][reason_code]

    def offering(self, name: str, **words: str) -> str:
        """Return a sentence about an offer by its name in ``[offering]``, braces filled."""
        return _filled(self._words["offering"][name], words)

    def explain(self, name: str, **words: str) -> str:
        """Return a sentence of an explanation by its name in ``[explain]``, braces filled."""
        return _filled(self._words["explain"][name], words)

    def asking(self, name: str, **words: str) -> str:
        """Return a sentence on why somebody is asked by its name in ``[asking]``, braces filled."""
        return _filled(self._words["asking"][name], words)

    def moved(self, feature: str, before: Value, now: Value, *, unit: str = "", label: str = "") -> str:
        """Return what a customer's own value is, and what it was before; parameters as for `reason`."""
        was = self._lines["unknown"] if before is None else self.numbers.written(before, unit)
        told = self.reason(feature, now, unit=unit, label=label)
        return self.joined([told, self.line("before", value=was)])

    def points(self, points: float) -> str:
        """Return percentage points with their sign, small ones with two decimals."""
        return self.line("points", value=self.numbers.points(points))

    def change(self, points: float, since: date) -> str:
        """Return how much the risk changed since a day."""
        return self.line("change", points=self.points(points), day=since.isoformat())

    def label(self, feature: str, otherwise: str = "") -> str:
        """Return the short name of a feature: the language's own, or ``otherwise``, or the feature's name.

        The user's own names in it are shown with spaces for underscores.
        """
        found = self.sections["labels"].find(feature)
        return _filled(*found) if found else _readable(otherwise or feature)

    def joined(self, sentences: list[str]) -> str:
        """Return several sentences as one text."""
        return self.between.join(sentences)


@cache
def _loaded(language: str) -> Sentences:
    return Sentences(language)


def _filled(template: str, words: Mapping[str, str]) -> str:
    """Put words into braces in one pass, so that braces in a customer's own text stay text."""
    return re.sub(r"\{(\w+)\}", lambda found: words[found[1]], template)


def _readable(part: str) -> str:
    return part.replace("_", " ").strip()


def _capitalised(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
