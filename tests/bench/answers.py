"""Benchmark: is a risk better after the answer, and does asking where it pays beat asking the riskiest?

    python -m tests.bench answers [--full]

Worlds with planted truth: 50,000 customers, 2 % leaving a month, 30 % answering, fewer of the unhappy; four kinds
drawn (`tests/bench/answer_worlds.py`), and the simulator's own 18 months (`tests/bench/answer_played.py`), where true
risks are not known and everything is judged by who left. Ratios are learned from 12,000 past invitations. Three seeds
of each kind, or twenty (ten of the simulator's; `--full`).

Bars (science, section 8): on responders the log loss after the answer is below that before in 95 % of the worlds where
answers tell anything (expected under the true risks, so that no world is won or lost by the luck of few leavers; the
realised one stands beside it), and the calibration error is never worse by more than .005. At the same number of
questions, what decisions earn more because of the answers, minus what asking costs, is 10 % higher than when the
riskiest are asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from churnrisk import metrics
from churnrisk.bundle import EVIDENCE, SILENT, AnswerRatios, posterior
from churnrisk.metrics.probability import log_losses
from scoring.asking import OfferNumbers, value_of_information
from tests.bench.answer_played import played_answer_world
from tests.bench.answer_worlds import KINDS, AnswerWorld, Kind, answer_world
from training.answers import learned_answers

Floats = NDArray[np.float64]
Row = Sequence[object]

FIRST_SEED, N_QUICK, N_FULL, N_PLAYED = 101, 3, 20, 10
ALLOWED_ECE, SHARE_BETTER = 0.005, 0.95
NOT_WORSE = 1e-4
"""Log loss (nats) that answers which tell nothing may cost, on average: a thousandth of the loss itself (judgement)."""

ASKED_SHARE = 0.04
"""Of the customers: 2,000 of 50,000."""

COST_OF_ASKING = 0.05
SAVED_SHARES = (0.05, 0.12, 0.25, 0.35)
OFFER_COSTS = (1.0, 2.5, 6.0, 12.0)
"""A text, a letter, a call, a discount: share of the risk taken away, and cost. Guessed; the same in every world."""

HEAD = (
    "world",
    "seed",
    "detractor",
    "passive",
    "promoter",
    "silent",
    "slope",
    "gain in log loss",
    "by the truth",
    "ECE before",
    "after",
)
VALUE_HEAD = (
    "world",
    "seed",
    "asked",
    "forecast",
    "by value",
    "riskiest",
    "risk x value",
    "at random",
    "over the riskiest",
)


@dataclass(frozen=True)
class Judged:
    """Figures of one world: gains in log loss (realised, and under the true risks), ECEs, values by way of asking."""

    learned: AnswerRatios
    gain: float
    true_gain: float
    ece_before: float
    ece_after: float
    values: Mapping[str, float]
    policy: Mapping[str, float]
    n_asked: int
    expected: float


def tables(full: bool) -> Iterator[tuple[str, Sequence[str], Sequence[Row]]]:
    """Yield every world's figures, then the bars."""
    found: dict[str, list[Judged]] = {}
    for name, kind in KINDS.items():
        n_worlds = (N_PLAYED if kind.is_played else N_FULL) if full else N_QUICK
        seeds = range(FIRST_SEED, FIRST_SEED + n_worlds)
        found[name] = [judged(kind, seed) for seed in seeds]
    rows, values = [], []
    for name, worlds in found.items():
        for place, each in enumerate(worlds):
            seed = FIRST_SEED + place
            rows.append(
                (
                    name,
                    seed,
                    *each.learned.log_ratios.round(2).tolist(),
                    each.learned.slope.value,
                    f"{each.gain:+.5f}",
                    f"{each.true_gain:+.5f}",
                    f"{each.ece_before:.4f}",
                    f"{each.ece_after:.4f}",
                )
            )
            told = [f"{each.values[way]:,.0f}" for way in WAYS]
            values.append((name, seed, each.n_asked, f"{each.expected:,.0f}", *told, _ratio(each)))
    yield "Risk before and after the answer, responders only; ratios tempered, in log odds", HEAD, rows
    yield "What questions to 4 % of the customers earn, net of asking", VALUE_HEAD, values
    head = ("world", "better", "realised", "mean gain", "low", "high", "worst ECE change", "meets it")
    yield (
        "Bar: better in 95 % of worlds (not worse where answers tell nothing), ECE within .005",
        head,
        [*(_bar(name, worlds) for name, worlds in found.items()), _together(found)],
    )
    value_head = (
        "world",
        "by value",
        "riskiest",
        "risk x value",
        "more by",
        "low",
        "high",
        "of all offers earn",
        "meets it",
    )
    yield (
        "Bar: 10 % more than asking the riskiest; paired over worlds, 95 %",
        value_head,
        [_value_bar(name, worlds) for name, worlds in found.items()],
    )


def judged(kind: Kind, seed: int) -> Judged:
    """Draw a world, learn from its past and judge its present."""
    world = played_answer_world(seed) if kind.is_played else answer_world(kind, seed)
    learned = learned_answers(world.asked)
    chances = world.chances
    if chances is None:
        chances = np.tile(learned.chances, (len(world.risk), 1))
    after = posterior(world.risk, chances, learned.log_ratios)
    told = after[np.arange(len(world.risk)), world.now.place]
    heard = world.now.place != SILENT
    y, truth = world.now.left[heard], world.now.truth[heard]
    p, q = world.risk[heard], told[heard]
    gain = float((log_losses(y, p) - log_losses(y, q)).mean())
    true_gain = float(np.mean([_expected_gain(truth, p, q)]))
    before, later = (metrics.ece(y, each, n_draws=2).value for each in (p, q))
    values, policy, n_asked, expected = _values(world, chances, learned, after)
    return Judged(learned, gain, true_gain, before, later, values, policy, n_asked, expected)


def _expected_gain(truth: Floats, p: Floats, q: Floats) -> float:
    one, none = np.ones(len(truth)), np.zeros(len(truth))
    losses = [truth * log_losses(one, each) + (1 - truth) * log_losses(none, each) for each in (p, q)]
    return float((losses[0] - losses[1]).mean())


WAYS: Mapping[str, Callable[[AnswerWorld, Floats], Floats]] = {
    "by value": lambda _, information: information,
    "riskiest": lambda world, _: world.risk,
    "risk x value": lambda world, _: world.risk * world.now.value,
    "at random": lambda world, _: np.random.default_rng(len(world.risk)).random(len(world.risk)),
}
"""Ways of choosing whom to ask: the highest first; by value nobody whose answer is worth less than it costs."""


def _values(
    world: AnswerWorld, chances: Floats, learned: AnswerRatios, after: Floats
) -> tuple[dict[str, float], dict[str, float], int, float]:
    """Return by way what answers earn net of asking and what offers then earn, how many are asked, and the forecast.

    The first two are expected under the truth: true risks, and true chances of answers given each customer's mood.
    """
    n = len(world.risk)
    offers = OfferNumbers(
        ("text", "letter", "call", "discount"),
        world.now.value,
        np.tile(SAVED_SHARES, (n, 1)),
        np.tile(OFFER_COSTS, (n, 1)),
    )
    information = value_of_information(world.risk, chances, learned.log_ratios, offers).value
    alone = _earned(world.risk, world, offers)
    heard = np.array([_earned(after[:, place], world, offers) for place in range(len(EVIDENCE))])
    won = (world.now.true_chances * (heard.T - alone[:, None])).sum(axis=1)
    values, policy = {}, {}
    n_asked, expected = 0, 0.0
    for name, way in WAYS.items():
        order = np.argsort(-way(world, information), kind="stable")[: round(ASKED_SHARE * n)]
        if name == "by value":
            order = order[information[order] > COST_OF_ASKING]
            n_asked, expected = len(order), float((information[order] - COST_OF_ASKING).sum())
        values[name] = float(won[order].sum()) - COST_OF_ASKING * len(order)
        policy[name] = float(alone.sum()) + values[name]
    return values, policy, n_asked, expected


def _earned(risk: Floats, world: AnswerWorld, offers: OfferNumbers) -> Floats:
    """Return what the best offer at ``risk`` earns of each customer at their true risk (0: no offer)."""
    stake = offers.saved_share * offers.worth[:, None]
    net = risk[:, None] * stake - offers.cost
    best = net.argmax(axis=1)
    rows = np.arange(len(risk))
    true = world.now.truth[:, None] * stake - offers.cost
    return np.where(net[rows, best] > 0, true[rows, best], 0.0)


def _ratio(each: Judged) -> str:
    least = each.values["riskiest"]
    return f"{each.values['by value'] / least:.1f} x" if least > 0 else "the riskiest earn nothing"


def _bar(name: str, worlds: Sequence[Judged]) -> Row:
    true, realised = (np.array([getattr(each, which) for each in worlds]) for which in ("true_gain", "gain"))
    low, high = _interval(true)
    worst = max(each.ece_after - each.ece_before for each in worlds)
    is_met = (true > 0).mean() >= SHARE_BETTER if KINDS[name].tells else true.mean() >= -NOT_WORSE
    met = "yes" if is_met and worst <= ALLOWED_ECE else "NO"
    counts = [f"{int((each > 0).sum())} of {len(worlds)}" for each in (true, realised)]
    return (name, *counts, *(f"{each:+.5f}" for each in (true.mean(), low, high)), f"{worst:+.4f}", met)


def _together(found: Mapping[str, Sequence[Judged]]) -> Row:
    """Return the line of all worlds where answers tell anything."""
    worlds = [each for name, kind in KINDS.items() if kind.tells for each in found[name]]
    _, *figures, _ = _bar(next(iter(KINDS)), worlds)
    is_met = np.mean([each.true_gain > 0 for each in worlds]) >= SHARE_BETTER
    return ("all where answers tell", *figures, "yes" if is_met else "NO")


def _value_bar(name: str, worlds: Sequence[Judged]) -> Row:
    ours, theirs, simple = (
        np.array([each.values[way] for each in worlds]) for way in ("by value", "riskiest", "risk x value")
    )
    low, high = _interval(ours - theirs)
    share = np.mean([each.policy["by value"] / each.policy["riskiest"] - 1 for each in worlds])
    is_met = _interval(ours - theirs - 0.1 * np.abs(theirs))[0] > 0
    met = "nothing to win" if not KINDS[name].tells else "yes" if is_met else "NO"
    means = [f"{each.mean():,.0f}" for each in (ours, theirs, simple)]
    ends = [f"{each:+,.0f}" for each in ((ours - theirs).mean(), low, high)]
    return (name, *means, *ends, f"{100 * share:+.1f} %", met)


def _interval(each: Floats) -> tuple[float, float]:
    """Return the t interval of the mean over worlds, 95 %."""
    half = float(student.ppf(0.975, len(each) - 1)) * each.std(ddof=1) / np.sqrt(len(each))
    return float(each.mean() - half), float(each.mean() + half)
