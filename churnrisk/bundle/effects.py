"""What offers do to the probability of staying, learned or assumed, on disk; and its prediction for any feature table.

    effects/effects.json        features, verdict and figures of every offer
    effects/<model>.txt         LightGBM's own text

It decides how an effect and its spread come out of models, and refuses to know how they were fitted and what is worth
its cost.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import betaincinv, expit, ndtri

from .encoding import Feature, matrix
from .files import json_text
from .learners import Trees

Floats = NDArray[np.float64]

EFFECTS_FOLDER = "effects"
EFFECTS_FILE = "effects.json"

GAMMA_ALPHA, GAMMA_BETA = 6.0, 14.0
"""Share of those who would leave whom an offer keeps, when nothing is known of it: Beta(6, 14), mean 0.3, standard
deviation 0.1 (Verbraken, Verbeke & Baesens 2013; science, section 9)."""

GAMMA_MEAN = GAMMA_ALPHA / (GAMMA_ALPHA + GAMMA_BETA)
GAMMA_SD = math.sqrt(GAMMA_MEAN * (1 - GAMMA_MEAN) / (GAMMA_ALPHA + GAMMA_BETA + 1))

Z_95 = float(ndtri(0.975))

HIGHEST_RISK = 0.99
FEWEST_TRIED = 50
"""Made and left without, from whom a training measures an effect (`training.uplift.evidence`)."""
POWER = 0.8
"""With which a trial shows an effect of the size assumed (the usual convention; Cohen 1988)."""

WORKS = 0.5
"""Probability that a new offer keeps anybody at all; if so, Beta(6, 14) says how many. A judgement: of ideas tested by
large software firms a third help (Kohavi, Tang & Xu 2020, Trustworthy Online Controlled Experiments, chapter 1), and
offers to keep customers are older than that."""

SURE = 0.9
"""Probability of keeping somebody above which an offer counts as shown; below one less it, as refuted (judgement)."""

Learner = Literal["s", "t", "x", "dr"]
LEARNERS: tuple[Learner, ...] = get_args(Learner)

LEARNED_WEIGHT = 0.5
"""Weight of what was learned, beside gamma x risk, in a measured effect: forecasts whose errors are not known well
enough to weigh them are best weighed alike (Bates & Granger 1969, Operational Research Quarterly 20; decision 37)."""

Trial = Literal["open", "shown", "refuted"]

Verdict = Literal["measured", "average", "assumed"]
VERDICT_WORDS: Mapping[Verdict, str] = {
    "measured": "measured",
    "average": "measured on average, with who gains most assumed to follow the risk",
    "assumed": "assumed, not measured",
}


def sample_size(risk: float, quantile: float) -> int:
    r"""Return how many made an offer, and as many left without, show an effect of the size assumed.

    Parameters
    ----------
    risk : mean probability of leaving without the offer, over 0 to 1.
    quantile : of the share measured, which would lie above 0.

    Notes
    -----
    Two proportions, p and :math:`p(1 - \gamma)` with :math:`\gamma` = 0.3, the mean of Beta(6, 14), with power
    :data:`POWER` (Fleiss, Levin & Paik 2003, Statistical Methods for Rates and Proportions, chapter 4).

    >>> sample_size(0.1, 0.2)
    489
    """
    if risk <= 0:
        return 0
    risk = min(risk, HIGHEST_RISK)
    left = risk * (1 - GAMMA_MEAN)
    spread = risk * (1 - risk) + left * (1 - left)
    found = math.ceil(float(ndtri(1 - quantile) + ndtri(POWER)) ** 2 * spread / (risk - left) ** 2)
    return max(FEWEST_TRIED, found)


@dataclass(frozen=True)
class EffectModel:
    """Trees that together predict the effect of one offer (probability of staying), before it is put to scale.

    ``parts`` by role. s: ``outcome`` (the place of the arm is the last column); t: ``treated`` and ``control``; x:
    those two stages' effects ``among_treated`` and ``among_control``, mixed by ``share``; dr: ``share`` of would-be
    leavers kept, times the risk by ``outcome``. all: the parts of those in ``sizes``, of whom the mean is taken.
    """

    learner: Learner | Literal["all"]
    parts: Mapping[str, Trees]
    place: int = 1
    """The number of the offer among the arms, 0 = left without."""
    share: float = 0.5
    """x: share of the treated among treated and control."""
    sizes: Mapping[Learner, float] = field(default_factory=dict)
    """all: standard deviation of what each learner predicts, by which it is divided."""

    def raw(self, encoded: Floats, risk: Floats | None = None) -> Floats:
        """Return the effect of each encoded row; dr takes a share of ``risk`` where one is given, which knows more."""
        if self.learner == "all":
            # in the order of LEARNERS, whatever that of the file: sums of floats depend on it
            told = [
                replace(self, learner=name).raw(encoded, risk) / self.sizes[name]
                for name in LEARNERS
                if name in self.sizes
            ]
            return np.asarray(np.mean(told, axis=0))
        if self.learner == "s":
            with_arm, without = (
                np.column_stack((encoded, np.full(len(encoded), float(place)))) for place in (self.place, 0)
            )
            outcome = self.parts["outcome"]
            return np.asarray(expit(outcome.score(with_arm)) - expit(outcome.score(without)))
        if self.learner == "t":
            return np.asarray(
                expit(self.parts["treated"].score(encoded)) - expit(self.parts["control"].score(encoded))
            )
        if self.learner == "x":
            among_treated, among_control = (
                self.parts[name].score(encoded) for name in ("among_treated", "among_control")
            )
            return self.share * among_control + (1 - self.share) * among_treated
        if risk is None:
            without = np.column_stack((encoded, np.zeros(len(encoded))))
            risk = np.asarray(expit(-self.parts["outcome"].score(without)))
        return self.parts["share"].score(encoded) * risk


@dataclass(frozen=True)
class Scale:
    """The straight line that puts raw effects to scale: average + slope (raw - centre), with the errors of both."""

    average: float
    average_error: float
    slope: float
    slope_error: float
    centre: float

    def mean(self, raw: Floats) -> Floats:
        """Return the effects."""
        return self.average + self.slope * (raw - self.centre)

    def error(self, raw: Floats) -> Floats:
        """Return the standard error of each."""
        return np.sqrt(self.average_error**2 + (self.slope_error * (raw - self.centre)) ** 2)


@dataclass(frozen=True)
class OfferEffect:
    """What is known of one offer.

    ``figures`` by name with its ends, null where undefined: average (effect on those it was tried on) and gamma
    (share of those who would leave whom it keeps), both at 95 %; autoc and qini of the learner chosen, or of the
    best of those refused, at the level at which they are judged.
    """

    offer_id: str
    verdict: Verdict
    reason: str
    """Why not measured, or what was measured; a sentence without a full stop."""
    n_treated: int = 0
    n_control: int = 0
    n_leavers: int = 0
    """Of the treated and the controls together."""
    propensity: str = "none"
    """recorded, estimated, partly estimated, or none."""
    n_taken: int = 0
    n_answered: int = 0
    """Offers of which it is recorded whether they were taken."""
    gamma: tuple[float, float] = (GAMMA_MEAN, GAMMA_SD)
    """Mean and standard deviation, where the effect follows the risk."""
    scale: Scale | None = None
    model: EffectModel | None = None
    works: float = WORKS
    """Probability that it keeps anybody, given its own treatments (`metrics.ShareKept.believed`)."""
    figures: Mapping[str, tuple[float | None, float | None, float | None]] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """How well the effect is known."""
        return VERDICT_WORDS[self.verdict]

    @property
    def trial(self) -> Trial:
        """What its own treatments have shown so far.

        ``shown``: it keeps somebody with a probability above :data:`SURE`, or a ranking by effect held. ``refuted``:
        with one below 1 - :data:`SURE`. Else ``open``. A probability may be looked at as often as one likes.
        """
        if self.verdict == "measured" or self.works > SURE:
            return "shown"
        return "refuted" if self.works < 1 - SURE else "open"

    def takes(self) -> float | None:
        """Share of offers made that were taken, half a taker and half a refuser added; None: not recorded."""
        return (self.n_taken + 0.5) / (self.n_answered + 1) if self.n_answered else None


@dataclass(frozen=True)
class EstimatedEffects:
    """Effects for customers: shape (customers, offers), probability of staying."""

    offers: tuple[OfferEffect, ...]
    mean: Floats
    spread: Floats
    """Standard deviation of what the customer's true effect may be."""
    error: Floats
    """The part of it that more treatments take away: of what is not known of the offer, not of the customer."""
    risk: Floats
    """Shape (customers,): no effect is above it."""

    def quantile(self, share: float) -> Floats:
        """Return the effect that the true one lies below with probability ``share``.

        Beta(6, 14) x risk where assumed, normal else; never above the risk.
        """
        found: Floats = self.mean + ndtri(share) * self.spread
        for place, offer in enumerate(self.offers):
            if offer.verdict == "assumed":
                found[:, place] = self.risk * betaincinv(GAMMA_ALPHA, GAMMA_BETA, share)
        return np.minimum(found, self.risk[:, None])


UNHEARD = "the model in use has learned of nobody who was made it"
"""Why the effect of an offer is assumed of which no training has seen a treatment; nights may have made it since."""


@dataclass(frozen=True)
class OfferEffects:
    """All offers, and the features that their models read."""

    features: tuple[Feature, ...]
    offers: tuple[OfferEffect, ...]
    window_days: int = 0
    """Days after an offer within which staying was looked at."""
    as_of: str = ""
    """Day (ISO) up to which treatments and outcomes were known."""

    @cached_property
    def by_id(self) -> Mapping[str, OfferEffect]:
        """The offers by id."""
        return {offer.offer_id: offer for offer in self.offers}

    def of(self, offer_id: str) -> OfferEffect:
        """Return what is known of an offer; one that was never tried is assumed."""
        found = self.by_id.get(offer_id)
        return found or OfferEffect(offer_id, "assumed", UNHEARD)

    def estimated(self, frame: pl.DataFrame, risk: Floats, offer_ids: Sequence[str]) -> EstimatedEffects:
        """Return the effect of each offer on each customer.

        Parameters
        ----------
        frame : feature table, one row per customer; columns that no model reads may be there, it may be without any
            when nothing was measured.
        risk : shape (rows,), probability of leaving without an offer, 0-1.
        offer_ids : the offers wanted, in order.

        Returns
        -------
        EstimatedEffects
            Measured effects: half the learners', put to scale on held-out rows, half gamma x risk, with the errors of
            both (they share their rows, so errors add up) and beside them the spread between customers that stays
            unseen, taken to be as wide as that of Beta(6, 14) x risk, the one thing here that is assumed. Else gamma
            x risk, with the same spread beside that of a gamma measured on average.

        Raises
        ------
        ModelUnfit
            A number is infinite.
        polars.exceptions.ColumnNotFoundError
            A feature that a measured offer needs is missing.
        """
        offers = tuple(self.of(name) for name in offer_ids)
        mean, spread, error = np.empty((3, len(risk), len(offers)))
        encoded = matrix(frame, self.features) if any(offer.model for offer in offers) else np.empty((0, 0))
        for place, offer in enumerate(offers):
            if offer.model is None or offer.scale is None:
                between = GAMMA_SD if offer.verdict == "average" else 0.0
                mean[:, place], error[:, place] = offer.gamma[0] * risk, offer.gamma[1] * risk
                spread[:, place] = np.hypot(offer.gamma[1], between) * risk
                continue
            raw = offer.model.raw(encoded, risk)
            learned, followed = np.minimum(offer.scale.mean(raw), risk), offer.gamma[0] * risk
            mean[:, place] = LEARNED_WEIGHT * learned + (1 - LEARNED_WEIGHT) * followed
            errors = offer.scale.error(raw), offer.gamma[1] * risk
            error[:, place] = LEARNED_WEIGHT * errors[0] + (1 - LEARNED_WEIGHT) * errors[1]
            spread[:, place] = np.hypot(error[:, place], GAMMA_SD * risk)
        return EstimatedEffects(offers, mean, spread, error, np.asarray(risk, dtype=np.float64))

    def save(self, folder: Path) -> None:
        """Write into ``folder``/effects; the same always gives the same bytes."""
        inside = folder / EFFECTS_FOLDER
        inside.mkdir(parents=True, exist_ok=True)
        texts: dict[str, str] = {}
        plain = {
            "features": [feature.as_dict() for feature in self.features],
            "offers": [_as_dict(offer, texts) for offer in self.offers],
            "window_days": self.window_days,
            "as_of": self.as_of,
        }
        for text, name in texts.items():
            (inside / f"{name}.txt").write_text(text, encoding="utf-8", newline="\n")
        (inside / EFFECTS_FILE).write_text(json_text(plain), encoding="utf-8", newline="\n")


def read_effects(folder: Path) -> OfferEffects | None:
    """Return what :meth:`OfferEffects.save` wrote into ``folder``; None where nothing was."""
    inside = folder / EFFECTS_FOLDER
    if not (inside / EFFECTS_FILE).is_file():
        return None
    plain = json.loads((inside / EFFECTS_FILE).read_text("utf-8"))
    return OfferEffects(
        tuple(Feature.from_dict(each) for each in plain["features"]),
        tuple(_from_dict(each, inside) for each in plain["offers"]),
        plain["window_days"],
        plain["as_of"],
    )


_PLAIN = (
    "offer_id",
    "verdict",
    "reason",
    "n_treated",
    "n_control",
    "n_leavers",
    "propensity",
    "n_taken",
    "n_answered",
)


def _as_dict(offer: OfferEffect, texts: dict[str, str]) -> dict[str, Any]:
    """Give plain values, and note the text of each model with the name of its file; equal ones are written once."""
    plain: dict[str, Any] = {name: getattr(offer, name) for name in _PLAIN}
    plain["gamma"], plain["works"] = list(offer.gamma), offer.works
    plain["figures"] = {name: list(ends) for name, ends in offer.figures.items()}
    plain["scale"] = None if offer.scale is None else vars(offer.scale)
    model = offer.model
    if model is not None:
        for trees in model.parts.values():
            texts.setdefault(trees.text, f"model_{len(texts) + 1}")
        files = {role: texts[trees.text] for role, trees in model.parts.items()}
        plain["model"] = {
            "learner": model.learner,
            "parts": files,
            "place": model.place,
            "share": model.share,
            "sizes": dict(model.sizes),
        }
    return plain


def _from_dict(plain: Mapping[str, Any], inside: Path) -> OfferEffect:
    told = plain.get("model")
    model = None
    if told is not None:
        parts = {
            role: Trees((inside / f"{name}.txt").read_text("utf-8")) for role, name in told["parts"].items()
        }
        model = EffectModel(told["learner"], parts, told["place"], told["share"], told.get("sizes", {}))
    return OfferEffect(
        **{name: plain[name] for name in _PLAIN},
        gamma=(plain["gamma"][0], plain["gamma"][1]),
        works=plain.get("works", WORKS),
        scale=None if plain["scale"] is None else Scale(**plain["scale"]),
        model=model,
        figures={name: (ends[0], ends[1], ends[2]) for name, ends in plain["figures"].items()},
    )
