"""Benchmark: offers in worlds with planted effects (:mod:`tests.bench.offers_world`), money told against the truth.

Each table says what it shows. Customers, effects and noise are drawn; learners see features, arms, propensities and
outcomes alone. Risks that policies read are the true ones for everybody alike, so that effects make the difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import process_time

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import bootstrap

from churnrisk.bundle import matrix
from churnrisk.metrics import aipw_scores, mean_effect
from features.ties import TieGraph
from features.ties.influence import friends_stake, spillover, spillover_scale
from scoring.offers import Effects, Limits, NetValue, allocation, net_value, takes_assumed
from training.uplift.boosting import boosted, effect_settings
from training.uplift.judging import groups_of
from training.uplift.learn import LearnedEffects, UpliftSettings, learned_effects
from training.uplift.learners import LEAST_RISK
from training.uplift.rows import UpliftRows

from .graph_world import drawn_ties
from .offers_world import COSTS, OFFERS, Base, drawn_base, past_treatments

Floats = NDArray[np.float64]
Tables = Iterator[tuple[str, Sequence[str], Sequence[Sequence[object]]]]

N_NEW = 50_000
MEAN_DEGREE = 10
FEWEST_WORLDS = 4
"""Of which no interval is told."""
BUDGET_PER_CUSTOMER = 0.2
"""Enough for an offer to about one customer in twenty."""


def tables(full: bool) -> Tables:
    """Yield the learning curve, coverage, the world without effects, friends, and the speed of the allocation."""
    worlds = [(20_000, seed) for seed in range(32 if full else 16)] + [(100_000, seed) for seed in range(3)]
    seeds = range(3) if full else range(1)
    yield from learning_curves(worlds + ([(500_000, seed) for seed in seeds] if full else []))
    yield (
        "Without any effect",
        ("past treatments", "seed", "verdicts", "treated"),
        [nothing_to_find(20_000, seed) for seed in seeds],
    )
    yield from friends_and_speed(full)


def friends_and_speed(full: bool) -> Tables:
    """Yield what knowing friends is worth, and the speed of the allocation."""
    lines = [
        friends(multiplier, per_customer, seed)
        for multiplier in (1.28, 1.0)
        for per_customer in (0.05, 0.2)
        for seed in range(10)
    ]
    yield (
        "Ranking that knows friends against one that does not, equal budget, true profit; 30,000 customers",
        ("multiplier", "budget each", "seed", "treated", "unaware", "aware", "difference %"),
        lines,
    )
    yield (
        "Allocation, 4 offers",
        ("customers", "limits", "share of the linear bound %", "CPU s"),
        list(speed(1_000_000 if full else 200_000)),
    )


def learning_curves(worlds: Sequence[tuple[int, int]]) -> Tables:
    """Yield money by every rule, what ours beats others by, and coverage; of each world past treatments and seed."""
    found = [learning_curve(n, seed) for n, seed in worlds]
    yield (
        f"Net value of offers to {N_NEW:,} customers, budget {BUDGET_PER_CUSTOMER} each, as shares of the oracle",
        ("rows", "seed", "oracle", "ours", "known nuisances", "ours / known", "risk", "random", "measured", "CPU s"),
        [line for line, _, _, _ in found],
    )  # fmt: skip
    yield (
        "Ours as a share of known nuisances, over all worlds alike; interval by bootstrap of worlds",
        ("rows", "worlds", "ours / known", "low", "high"),
        list(over_worlds([money for _, _, _, money in found])),
    )
    yield (
        "What ours earns more, as shares of the oracle, with 95 % intervals over customers",
        ("rows", "seed", "than by risk", "low", "high", "than at random", "low", "high", "than the nuisances", "low",
         "high"),
        [line for _, line, _, _ in found],
    )  # fmt: skip
    yield (
        "True effects inside 95 % intervals",
        ("past treatments", "seed", "groups by predicted effect", "of", "individuals", "average effects"),
        [line for _, _, line, _ in found],
    )


Money = tuple[int, float, float]
"""Past treatments, and what our policy and that of known nuisances earn."""


def over_worlds(money: Sequence[Money]) -> Iterator[tuple[object, ...]]:
    """Yield of each number of past treatments the ratio of both sums."""
    for n in sorted({each[0] for each in money}):
        ours, known = np.array([each[1:] for each in money if each[0] == n]).T
        low = high = float("nan")
        if len(ours) > FEWEST_WORLDS:
            drawn = bootstrap(
                (ours, known), lambda a, b, axis: a.sum(axis=axis) / b.sum(axis=axis), paired=True,
                method="percentile", rng=np.random.default_rng(0),
            )  # fmt: skip
            low, high = drawn.confidence_interval
        yield n, len(ours), float(ours.sum() / known.sum()), low, high


def learning_curve(
    n: int, seed: int
) -> tuple[tuple[object, ...], tuple[object, ...], tuple[object, ...], Money]:
    """Return money by every rule, by how much ours beats them, how often intervals hold the truth, and the money."""
    started = process_time()
    rows, truth = past_treatments(n, seed)
    found = learned_effects(rows, UpliftSettings(n_folds=5 if n < 200_000 else 3, n_resamples=200))
    seconds = process_time() - started
    new = drawn_base(N_NEW, seed + 1_000)
    told = found.effects.estimated(new.frame, new.risk, OFFERS)
    takes = np.column_stack([np.full(new.size, offer.takes() or 1.0) for offer in told.offers])
    ours = chosen(new, Effects(told.mean, told.quantile(0.2), told.quantile(0.8)), takes)
    learnable = max(
        (chosen(new, Effects(each, each, each), takes) for each in known_nuisances(rows, truth, new)),
        key=lambda choice: worth_of(new, choice),
    )
    oracle = chosen(new, Effects(new.effect, new.effect, new.effect), new.takes)
    money = {
        name: worth_of(new, each)
        for name, each in {"oracle": oracle, "ours": ours, "known": learnable}.items()
    }
    by_risk = worths_of(new, by_rank(new, new.risk))
    random = np.mean(
        [worths_of(new, by_rank(new, np.random.default_rng(each).random(new.size))) for each in range(5)],
        axis=0,
    )
    n_measured = sum(offer.verdict == "measured" for offer in found.effects.offers)
    line = (
        n, seed, f"{money['oracle']:,.0f}", *(money[name] / money["oracle"] for name in ("ours", "known")),
        money["ours"] / money["known"], by_risk.sum() / money["oracle"], float(random.sum()) / money["oracle"],
        f"{n_measured} of {len(OFFERS)}", f"{seconds:.0f}",
    )  # fmt: skip
    mine, scale = worths_of(new, ours), new.size / money["oracle"]
    beaten: list[object] = [n, seed]
    for other in (by_risk, random, worths_of(new, learnable)):
        more = mean_effect((mine - other) * scale, customer=np.arange(new.size).astype(str))
        beaten += [more.value, more.low, more.high]
    held = coverage(n, seed, found, truth, (told.mean, told.spread, new.effect))
    return line, tuple(beaten), held, (n, money["ours"], money["known"])


def coverage(
    n: int, seed: int, found: LearnedEffects, truth: Base, new: tuple[Floats, Floats, Floats]
) -> tuple[object, ...]:
    """Return how often groups', individuals' and average effects lie inside their intervals."""
    held = n_groups = 0
    assert found.held_out is not None
    for (_, arm), predicted in found.held_out.predicted.items():
        told = groups_of(found.held_out.scores[:, arm - 1], predicted, np.arange(n).astype(object))
        parts = np.array_split(np.argsort(predicted, kind="stable"), told.height)
        means = np.array([truth.effect[part, arm - 1].mean() for part in parts])
        held += int(((told["low"].to_numpy() <= means) & (means <= told["high"].to_numpy())).sum())
        n_groups += told.height
    mean, spread, effect = new
    individuals = float((np.abs(mean - effect) <= 1.96 * spread).mean())
    averages = 0
    for place, offer in enumerate(found.effects.offers):
        _, low, high = offer.figures["average"]
        averages += bool((low or 0.0) <= truth.effect[:, place].mean() <= (high or 0.0))
    return n, seed, f"{held / n_groups:.3f}", n_groups, individuals, f"{averages} of {len(OFFERS)}"


def known_nuisances(rows: UpliftRows, truth: Base, new: Base) -> list[Floats]:
    """Return effects learned from the same outcomes with the true risks, effects and propensities as nuisances.

    Once each with 10, 30 and 100 trees: the best of them, which only hindsight knows, is what is compared with.
    """
    features = rows.features()
    encoded, asked = matrix(rows.frame, features), matrix(new.frame, features)
    expected = 1 - np.column_stack((truth.risk, truth.risk[:, None] - truth.effect))
    shares = np.full(expected.shape, 0.5)
    shares[np.arange(len(rows.arm)), rows.arm] = rows.propensity
    scores = aipw_scores(rows.stayed, rows.arm, expected, shares)
    at_risk = np.maximum(truth.risk, LEAST_RISK)
    found = []
    for n_trees in (10, 30, 100):
        settings = {**effect_settings(len(at_risk), 2, 0), "n_trees": n_trees}
        learned = [
            boosted(encoded, scores[:, place] / at_risk, features, settings, at_risk)
            for place in range(len(OFFERS))
        ]
        found.append(np.column_stack([new.risk * trees.score(asked) for trees in learned]))
    return found


def valued(new: Base, effects: Effects, takes: Floats) -> NetValue:
    """Return net values without spillover."""
    none = np.zeros(new.size)
    return net_value(effects, new.value, (none, none, none), COSTS, takes)


def chosen(new: Base, effects: Effects, takes: Floats) -> NDArray[np.int64]:
    """Return the offers made under the budget."""
    found = valued(new, effects, takes)
    value = np.where(found.is_worth, found.net, np.nan)
    return allocation(value, found.cost, Limits(budget=BUDGET_PER_CUSTOMER * new.size)).choice


def by_rank(new: Base, score: Floats) -> NDArray[np.int64]:
    """Return the offer of the highest average effect to the first by score, until the same budget is spent."""
    offer = int(new.effect.mean(axis=0).argmax())
    cost = valued(new, Effects(new.effect, new.effect, new.effect), new.takes).cost[:, offer]
    order = np.argsort(-score, kind="stable")
    within = order[np.cumsum(cost[order]) <= BUDGET_PER_CUSTOMER * new.size]
    choice = np.full(new.size, -1, dtype=np.int64)
    choice[within] = offer
    return choice


def worth_of(new: Base, choice: NDArray[np.int64]) -> float:
    """Return the true net value of the offers made."""
    return float(worths_of(new, choice).sum())


def worths_of(new: Base, choice: NDArray[np.int64]) -> Floats:
    """Return the true net value of the offer made to each customer, 0 without one; shape (n,)."""
    true = valued(new, Effects(new.effect, new.effect, new.effect), new.takes)
    made = np.flatnonzero(choice >= 0)
    worths = np.zeros(new.size)
    worths[made] = true.net[made, choice[made]]
    return worths


def nothing_to_find(n: int, seed: int) -> tuple[object, ...]:
    """Return verdicts and how many would be treated where no offer does anything."""
    rows, _ = past_treatments(n, seed + 50, has_effect=False)
    found = learned_effects(rows, UpliftSettings(n_resamples=200)).effects
    new = drawn_base(N_NEW, seed + 2_000, has_effect=False)
    told = found.estimated(new.frame, new.risk, OFFERS)
    effects = Effects(told.mean, told.quantile(0.2), told.quantile(0.8))
    made = int((chosen(new, effects, takes_assumed(new.risk, told.mean)) >= 0).sum())
    return n, seed, ", ".join(offer.verdict for offer in found.offers), f"{made:,} of {N_NEW:,}"


def friends(multiplier: float, per_customer: float, seed: int) -> tuple[object, ...]:
    """Return true profit with and without spillover in the ranking, where the multiplier is what it is said to be.

    The multiplier is one over those treated (science, section 3), here those whom the unaware ranking treats. It is
    known from its own experiment; where it is 1.0 the aware ranking still believes the default, 1.005.
    """
    n = 30_000
    base = drawn_base(n, seed + 3_000)
    rng = np.random.default_rng((seed, 77))
    ties = pl.DataFrame(drawn_ties(n, seed + 1))
    ties = ties.filter(pl.Series(rng.random(ties.height) < MEAN_DEGREE * n / (2 * ties.height)))
    graph = TieGraph.from_ties(ties, n)
    stake = friends_stake(graph, base.risk, base.value)
    effects = Effects(base.effect, base.effect, base.effect)
    none = np.zeros(n)

    def made(around: Floats) -> NDArray[np.int64]:
        told = net_value(effects, base.value, (around, around, around), COSTS, base.takes)
        value = np.where(told.is_worth, told.net, np.nan)
        return allocation(value, told.cost, Limits(budget=per_customer * n)).choice

    unaware = made(none)
    excess = multiplier - 1
    believed, true = (
        np.nan_to_num(
            spillover(stake, spillover_scale(stake, base.value, unaware >= 0, excess=(each,) * 3).kappa)
        )
        for each in (max(excess, 0.005), excess)
    )
    truth = net_value(effects, base.value, (true, true, true), COSTS, base.takes)
    money = []
    for choice in (unaware, made(believed)):
        who = np.flatnonzero(choice >= 0)
        money.append(float(truth.net[who, choice[who]].sum()))
    gained = 100 * (money[1] / money[0] - 1)
    return (
        multiplier,
        per_customer,
        seed,
        int((unaware >= 0).sum()),
        f"{money[0]:,.0f}",
        f"{money[1]:,.0f}",
        gained,
    )


def speed(n: int) -> Iterator[tuple[object, ...]]:
    """Yield how near the bound allocations come and what they cost."""
    rng = np.random.default_rng(0)
    worth = rng.lognormal(1, 1, (n, 1)) * rng.uniform(1, 5, (n, 4)) - rng.uniform(0, 10, (n, 4))
    cost = rng.uniform(1, 10, 4) * rng.uniform(0.5, 1, (n, 4))
    limits = {
        "budget": Limits(budget=0.2 * n),
        "budget, 2 capacities": Limits(budget=0.2 * n, per_offer={0: n // 100, 2: n // 200}),
        "budget, 4 capacities, 2 channels": Limits(
            budget=0.5 * n, per_offer={0: n // 100, 1: n // 50, 2: n // 200, 3: n // 20},
            per_channel={"email": n // 50, "call": n // 33}, channels=("email", "email", "call", "call"),
        ),
    }  # fmt: skip
    for name, limit in limits.items():
        started = process_time()
        found = allocation(worth, cost, limit)
        yield f"{n:,}", name, f"{100 * found.share_of_bound:.4f}", process_time() - started
