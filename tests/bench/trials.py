"""Benchmark: a year of offers with trials against the same year without, over many draws of the lots.

    python -m tests.bench trials [--full]

Which offers seem to work after a first trial is chance as much as truth, so one year says little. Here many are played
in two worlds: the nights decide by the product's own rules (`deciding`, the contact rules), and its own training
(`training.uplift`) learns what offers do, each quarter. Left out, to be quick: loading, features and the model of the
risk. Risks are the true hazards, blurred, those of customers included who have made up their minds already, of whom
nobody knows; learners see risk and value alone.

with trial     `[offers] trial` = true, the default
without        what is assumed counts from the first night on
won            as in the benchmark ``loop``: against a year in which nothing is done, everybody's chances shared
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import AnswerRatios
from churnrisk.bundle.effects import OfferEffects
from churnrisk.config import Config, parsed_config
from churnrisk.dates import AsOf
from churnrisk.deciding import Material, decided_night, ledger_rows
from churnrisk.ledger.holdouts import CAMPAIGN, PERMANENT, held_out
from churnrisk.ledger.rules import ContactRules, Standing
from churnrisk.messages import Sentences
from churnrisk.simulate.clock import WEEK
from churnrisk.simulate.played import Played
from tests.bench.loop import Played as Both
from tests.bench.loop import won
from tests.bench.loop_truth import WINDOW_DAYS
from tests.bench.loop_year import (
    CONTACT,
    INCENTIVE,
    LOOP_DAYS,
    QUARTER_DAYS,
    WARM_DAYS,
    Plan,
    Step,
    Year,
    _books,
    _lived,
    _year,
    quiet_year,
)
from training.uplift.learn import learned_effects
from training.uplift.rows import CONTROL, Lot, UpliftRows

Floats = NDArray[np.float64]
Rows = list[tuple[object, ...]]

QUICK, FULL = (Plan(20_000), (31, 32), 5), (Plan(20_000), (31, 32, 33), 8)
"""Plan, seeds of worlds, draws of the lots in each."""
BLUR = 1.2
"""Standard deviation of the logarithm by which risks are blurred: then the 300 of highest risk times value have a
monthly hazard of about .12, as those whom a trained model puts first."""
VALUE_MONTHS = 12
HEAD = ("rule", "world", "lots", "won in the year", "sd", "and after", "sd", "leavers fewer", "sd", "spent")


def settings_of(plan: Plan, lot: int, *, trial: bool) -> Config:
    """Return the settings of a year: those of the benchmark ``loop``, another salt for every draw of the lots."""
    n = plan.customers
    return parsed_config(
        f"""
[surveys]
budget = 0
[contacts]
quiet_days = 0
capacity = {{ call = {round(plan.places * n)} }}
[offers]
budget = {plan.offering * n}
trial = {str(trial).lower()}
[holdout]
salt = "lot {lot}"
"""
    )


def year_of(plan: Plan, seed: int, lot: int, *, trial: bool) -> Year:
    """Play one year."""
    config = settings_of(plan, lot, trial=trial)
    rng = np.random.default_rng([seed, lot])
    steps: list[Step] = []
    past: list[pl.DataFrame] = []
    effects: OfferEffects | None = None
    with (
        tempfile.TemporaryDirectory() as folder,
        Played(Path(folder), plan.settings(seed), by_person=True) as world,
    ):
        world.live(WARM_DAYS)
        books = _books(world)
        blur = rng.normal(0.0, BLUR, books.size)
        while world.day < WARM_DAYS + LOOP_DAYS:
            if world.day > WARM_DAYS and (world.day - WARM_DAYS) % QUARTER_DAYS == 0:
                effects = _learned(world, past) or effects
            people, eligible = _people(world, blur)
            night = _material(config, world, people, eligible, plan, effects, past)
            rows = ledger_rows(decided_night(night), night, endpoint=None).treatments
            rows = rows.join(people.select("customer_id", "risk", "value"), on="customer_id", how="left")
            past.append(rows.with_columns(day=pl.lit(world.day)))
            steps.append(_lived(world, plan, _made(world, rows), books))
        return _year(world, steps, [], books)


def _people(world: Played, blur: Floats) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return customers as a night sees them, and which offers each may get."""
    course, play = world._play.course, world._play
    here = np.flatnonzero(course.is_customer(world.day))
    parts = course.causes(here, world.day)
    weekly = np.exp(course.log_base + sum(parts.values(), np.zeros(here.size)) + blur[here] - BLUR**2 / 2)
    risk = np.clip(-np.expm1(-weekly * 30 / WEEK), 1e-4, 0.6)
    value = VALUE_MONTHS * course.prices.value[here]
    unknown = pl.lit(None, dtype=pl.Float64)
    people = pl.DataFrame(
        {"customer_id": play.ids.gather(here), "risk": risk, "value": value}
    ).with_columns(
        risk_low=pl.col("risk"), risk_high=pl.col("risk"), band=pl.lit("high"), spillover_value=unknown,
        spillover_low=unknown, spillover_high=unknown, language=pl.lit("en"),
        root_cause=pl.lit(None, dtype=pl.String),
    )  # fmt: skip
    eligible = people.select(
        call=pl.col("risk") >= pl.col("risk").quantile(0.88),
        sms100=pl.col("risk") >= 0.02,
        discount10=(pl.col("risk") >= 0.04) & (pl.col("value") >= 100),
        two_years=pl.col("value") >= 250,
    )
    order = people["customer_id"].arg_sort()
    return people[order], eligible[order]


def _material(
    config: Config,
    world: Played,
    people: pl.DataFrame,
    eligible: pl.DataFrame,
    plan: Plan,
    effects: OfferEffects | None,
    past: Sequence[pl.DataFrame],
) -> Material:
    as_of, ids = AsOf(world.today), people["customer_id"]
    consents = people.select("customer_id", may_survey=pl.lit(value=True), may_contact=pl.lit(value=True))
    out = [
        people.filter(held_out(ids, kind, share, config.holdout.salt, campaign_id=campaign)).select(
            pl.lit(kind).alias("kind"), pl.lit(campaign).alias("campaign_id"), "customer_id"
        )
        for kind, share, campaign in (
            (PERMANENT, config.holdout.share, ""),
            (CAMPAIGN, config.offers.control_share, config.offers.campaign),
        )
    ]
    told = Standing(consents=consents, held_out=pl.concat(out))
    if past:
        # made or left without, they rest alike
        contacts = pl.concat(past).select(
            "customer_id", "at", channel=pl.lit("call"), purpose=pl.lit("offer"), is_transactional=pl.lit(value=False)
        )  # fmt: skip
        told = replace(told, contacts=contacts)
    return Material(
        as_of=as_of,
        run_id="bench",
        config=config,
        sentences=Sentences.of("en"),
        rules=ContactRules.of(config),
        standing=told,
        people=people,
        features=people.select("customer_id", "risk", "value"),
        ratios=AnswerRatios.assumed("nobody is asked"),
        evidence=pl.DataFrame(
            schema={"customer_id": pl.String, "evidence": pl.String, "age_days": pl.Float64}
        ),
        offers=plan.catalogue(),
        effects=effects,
        eligible=eligible,
        tried=_tried(effects, past),
    )


def _tried(effects: OfferEffects | None, past: Sequence[pl.DataFrame]) -> dict[str, int]:
    """Return how often each offer was made so late that the effects in use know nothing of it."""
    if not past:
        return {}
    learned = -1 if effects is None else int(effects.as_of) - WINDOW_DAYS
    made = pl.concat(past).filter((pl.col("offer_id") != CONTROL) & (pl.col("day") > learned))
    return dict(made.group_by("offer_id").len().iter_rows())


def _made(world: Played, rows: pl.DataFrame) -> Step:
    """Make the offers of the night."""
    made = rows.filter(pl.col("offer_id") != CONTROL).select("treatment_id", "customer_id", "offer_id")
    if made.is_empty():
        return Step(world.day, 0, 0, 0.0)
    told = world.offer(made)
    contact, incentive = (pl.col("offer_id").replace_strict(each) for each in (CONTACT, INCENTIVE))
    is_taken = pl.col("accepted").fill_null(value=False)
    costs = told.select("customer_id", cost=contact + pl.when(is_taken).then(incentive).otherwise(0.0))
    return Step(world.day, 0, 0, 0.0, spent=float(costs["cost"].sum()), n_offered=made.height, costs=costs)


def _learned(world: Played, past: Sequence[pl.DataFrame]) -> OfferEffects | None:
    """Return what the treatments whose outcome is known teach; None where there are none."""
    known = pl.concat(past).filter(pl.col("day") + WINDOW_DAYS <= world.day)
    if known.is_empty():
        return None
    left = world._play.course.left[world._positions(known["customer_id"])]
    arms = (CONTROL, *sorted({*known["offer_id"].to_list()} - {CONTROL}))
    rows = UpliftRows(
        known.select("risk", "value"),
        arms,
        np.array([arms.index(name) for name in known["offer_id"].to_list()]),
        (left >= known["day"].to_numpy() + WINDOW_DAYS).astype(np.float64),
        known["propensity"].to_numpy(),
        known["customer_id"].to_numpy().astype(object),
        lot=Lot(
            np.array(known["instead_of"].to_list(), dtype=object),
            known["at"].to_numpy(),
            known["left_alone"].fill_null(np.nan).to_numpy(),
        ),
    )
    return learned_effects(rows, window_days=0, as_of=str(world.day)).effects


def _won(plan: Plan, seed: int, trial: bool, lot: int) -> tuple[float, float, float, float]:
    """Return won in the year, and after, leavers fewer and spent."""
    with tempfile.TemporaryDirectory() as folder:
        off = quiet_year(plan, seed, Path(folder))
    on = year_of(plan, seed, lot, trial=trial)
    found = won(Both(seed, on, off, pl.DataFrame()))
    return (*(float(str(row[2])) for row in found), sum(step.spent for step in on.steps))  # type: ignore[return-value]


def tables(full: bool) -> Iterator[tuple[str, Sequence[str], Rows]]:
    """Yield what was won with and without trials."""
    plan, seeds, n_lots = FULL if full else QUICK
    rows: Rows = []
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for name, trial in (("with trial", True), ("without", False)):
            for seed in seeds:
                each = np.array(list(pool.map(partial(_won, plan, seed, trial), range(n_lots))))
                mean, spread = each.mean(axis=0), each.std(axis=0, ddof=1)
                figures = [number for pair in zip(mean[:3], spread[:3], strict=True) for number in pair]
                rows.append((name, seed, n_lots, *figures, mean[3]))
    yield "A year of offers, over draws of the lots", HEAD, rows
