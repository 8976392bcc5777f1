"""The explanation of one customer's risk, as plain values and as text for a terminal; it computes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from .bundle import LOGISTIC, PRIOR, Band
from .messages import Sentences
from .tables.lines import AVERAGE_CUSTOMER, SURVEY_ANSWER
from .untold import Untold

Line = Mapping[str, Any]

NPS_TOLD = ("detractor", "passive", "promoter", "category")
"""What is told of a predicted answer."""

LESSER = {PRIOR: "model_prior", LOGISTIC: "model_logistic"}
"""Sentence on a model that is no forest of trees, by its learner."""

LIFETIME = tuple(f"{name}{end}" for name in ("expected_months", "clv") for end in ("", "_low", "_high"))
"""Columns of ``scores`` that nights before them did not publish."""


@dataclass(frozen=True)
class Group:
    """What one group of inputs, or several together, add to the risk: ``lines`` of it are told. No name: all others."""

    names: tuple[str, ...]
    points: float
    lines: tuple[Line, ...]


@dataclass(frozen=True, eq=False)
class Explanation:
    """One customer's risk as of a day, taken apart.

    Attributes
    ----------
    score
        Row of ``scores``.
    band
        The band with what became of such customers in the test.
    groups
        Parts of the risk by group of inputs.
    lines
        Lines of ``reasons``; effects add up to 100 risk, as do groups with the lines that are no input.
    moved
        Lines of ``changes``.
    since
        The night compared with and the risk then; None: not scored before.
    network
        Row of ``network``; None without call data.
    nps
        Row of ``nps_predicted``; None where the customer answered, or nothing is predicted.
    published
        risk and model_version as published for the day, where they differ from these.
    sentences
        The language.
    no_nps, no_kind
        Why there is no predicted answer, and no kind of leaver; None where there is.
    learner
        What learned the model: lightgbm, logistic, or rule prior where nothing was learned.
    regime
        The training's own words on it, in English.
    """

    as_of: date
    score: Mapping[str, Any]
    band: Band
    groups: tuple[Group, ...]
    lines: tuple[Line, ...]
    moved: pl.DataFrame
    since: tuple[date, float] | None
    network: Mapping[str, Any] | None
    published: Mapping[str, Any] | None
    sentences: Sentences
    nps: Mapping[str, Any] | None = None
    no_nps: Untold | None = None
    no_kind: Untold | None = None
    learner: str = ""
    regime: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Give everything as plain values for ``--json``."""
        score, band, network = self.score, self.band, self.network or {}
        since, then = self.since or (None, None)
        return {
            "as_of": self.as_of.isoformat(),
            **{name: score[name] for name in ("customer_id", "risk", "risk_low", "risk_high")},
            "risk_before_survey": score["risk_before_survey"],
            "band": band.name,
            "band_realised": {
                "n": band.n,
                "rate": band.realised_rate,
                "low": band.realised_low,
                "high": band.realised_high,
            },
            "leaver_kind": score.get("leaver_kind"),
            "leaver_kind_share": score.get("leaver_kind_share"),
            "leaver_kind_missing": None if self.no_kind is None else self.no_kind.as_dict(),
            "value": score["value"],
            **{name: score.get(name) for name in LIFETIME},
            "influence": {
                name: network.get(name)
                for name in ("churn_influence", "detractor_influence", "promoter_influence")
            },
            "nps_predicted": None if self.nps is None else {name: self.nps[name] for name in NPS_TOLD},
            "nps_predicted_missing": None if self.no_nps is None else self.no_nps.as_dict(),
            "model_version": score["model_version"],
            "model": {
                "learner": self.learner or None,
                "is_prior": self.learner == PRIOR,
                "regime": self.regime or None,
            },
            "is_hindsight": score.get("is_hindsight"),
            "reasons": [dict(line) for line in self.lines],
            "groups": [{"groups": list(group.names), "effect_pp": group.points} for group in self.groups],
            "changes": {
                "since": None if since is None else since.isoformat(),
                "risk_then": then,
                "lines": self.moved.select(
                    "feature", "value_before", "value_now", "effect_pp", "sentence"
                ).to_dicts(),
            },
            "published": None if self.published is None else dict(self.published),
            "language": self.sentences.language,
        }

    def text(self) -> str:
        """Describe everything for a terminal, in the language of the settings."""
        return "\n".join(
            [*self._head(), "", *self._reasons(), "", *self._changes(), "", self._say("no_cause")]
        )

    def _say(self, name: str, **words: str) -> str:
        return self.sentences.explain(name, **words)

    def _percent(self, share: float | None) -> str:
        """Return a share as the points below are written."""
        if share is None:
            return self.sentences.line("unknown")
        number = self.sentences.numbers
        return number.percent_form.replace("{n}", number.points(100 * share).removeprefix("+"))

    def _head(self) -> Iterator[str]:
        day, version = self.as_of.isoformat(), self.score["model_version"]
        yield self._say("title", customer=self.score["customer_id"], day=day, version=version)
        yield from self._level()
        yield from self._manner()
        yield from self._worth()
        yield from self._answer()
        if self.published is not None:
            risk, version = self._percent(self.published["risk"]), self.published["model_version"]
            yield self._say("published", risk=risk, version=version)

    def _level(self) -> Iterator[str]:
        """Tell the risk, by what kind of model, and what became of such customers."""
        score, band = self.score, self.band
        word, risk = self.sentences.band(band.name), self._percent(score["risk"])
        low, high = self._percent(score["risk_low"]), self._percent(score["risk_high"])
        if score["risk_low"] is None:
            yield self._say("risk_alone", risk=risk, band=word)
        else:
            yield self._say("risk", risk=risk, low=low, high=high, band=word)
        if self.learner in LESSER:
            yield self._say(LESSER[self.learner])
        if band.realised_rate is None:
            yield self._say("band_unknown")
        else:
            low, high = self._percent(band.realised_low), self._percent(band.realised_high)
            rate, n = self._percent(band.realised_rate), self.sentences.numbers.number(band.n)
            yield self._say("band_rate", rate=rate, low=low, high=high, n=n)
        if score.get("is_hindsight"):
            yield self._say("hindsight")
        if score["risk_before_survey"] is not None:
            yield self._say("before_survey", risk=self._percent(score["risk_before_survey"]))

    def _manner(self) -> Iterator[str]:
        """Tell how the customer would leave, or why that is not told."""
        kind = self.score.get("leaver_kind")
        if kind is not None:
            yield self._say(f"kind_{kind}", share=self._percent(self.score["leaver_kind_share"]))
        elif self.no_kind is not None:
            yield self.no_kind.sentence

    def _worth(self) -> Iterator[str]:
        """Tell what the customer brings, and what would be lost around them."""
        score = self.score
        yield self._say("value", value=self._money(score["value"]))
        months = score.get("expected_months")
        if months is not None:
            stay = self.sentences.numbers.tenths(months)
            yield self._say("lifetime", months=stay, value=self._money(score["clv"]))
        if self.network is not None:
            around = self.network["churn_influence"]
            yield (
                self._say("around_untold")
                if around is None
                else self._say("around", value=self._money(around))
            )

    def _answer(self) -> Iterator[str]:
        """Tell what the customer would answer, or why nothing is predicted."""
        if self.nps is not None:
            category = self.nps["category"]
            yield self._say(f"nps_{category}", share=self._percent(self.nps[category]))
        elif self.no_nps is not None:
            yield self.no_nps.sentence

    def _money(self, amount: float | None) -> str:
        return self.sentences.line("unknown") if amount is None else self.sentences.numbers.money(amount)

    def _reasons(self) -> Iterator[str]:
        apart = {line["feature"]: line["effect_pp"] for line in self.lines}
        yield self._say("reasons")
        yield self._row(apart[AVERAGE_CUSTOMER], self._say("average"), signed=False)
        for group in self.groups:
            yield self._row(group.points, self._named(group.names))
            if group.lines:
                for line in group.lines:
                    yield self._row(line["effect_pp"], line["sentence"], deep=True)
                rest = group.points - sum(line["effect_pp"] for line in group.lines)
                yield self._row(rest, self._say("rest"), deep=True)
        if SURVEY_ANSWER in apart:
            yield self._row(apart[SURVEY_ANSWER], self.sentences.line(SURVEY_ANSWER))
        yield self._row(100 * self.score["risk"], self._say("total"), signed=False)

    def _named(self, names: tuple[str, ...]) -> str:
        if not names:
            return self._say("others")
        told = self.sentences.group(names[0])
        for name in names[1:]:
            told = self._say("and", one=told, other=self.sentences.group(name))
        return told

    def _changes(self) -> Iterator[str]:
        if self.since is None:
            yield self._say("nothing_before")
            return
        day, then = self.since
        yield self._say("changes", day=day.isoformat())
        yield self._row(100 * then, self._say("then"), signed=False)
        for line in self.moved.iter_rows(named=True):
            yield self._row(line["effect_pp"], line["sentence"])
        yield self._row(100 * self.score["risk"], self._say("total"), signed=False)

    def _row(self, points: float, words: str, *, deep: bool = False, signed: bool = True) -> str:
        number = self.sentences.numbers
        told = number.points(points) if signed else number.points(points).removeprefix("+")
        return f"{' ' * 10 if deep else ''}{told:>8}  {words}"
