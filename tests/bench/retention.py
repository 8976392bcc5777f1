"""Benchmark: is the risk still right where a retention programme works, and would it be if nobody looked at it?

    python -m tests.bench retention [--full]

A simulated telco of 50,000 whose team picks 2 % of its customers a week by what it sees and offers them something that
takes 60 % off their hazard for eight weeks; a share of those picked is left alone at random, as control. It is judged
over a whole year of 13 dates 28 days apart, since prices rise in some months and not in others: a level that is right
over the year is none in its calm season. Every quarter two models are trained anew, on the 13 dates of a year whose
outcomes are known by then, and judged on the dates of the quarter that begins. From the same features one takes the
treated for people like the others ("naive"), ours leaves them out and lets the untreated stand for them. Judged on

controls    those left alone on purpose, alone: no weights in it, but whoever is picked late has stayed until then, and
            was picked by what happened after the date; it compares the models and is not 1 for a perfect one;
untreated   all without an action, with the weights that let them stand for all;
truth       everybody, the treated among them, by the hazard that they would have had without a further action: what
            would have been observed, over what was expected;
unprotected of these the ones without an action in the eight weeks before, whose hazard it would still lower: nothing
            that a model is told says so;
... top     of either the tenth with the highest risk by the same model.

Observed/expected of 1 = the risk without an action is right; over 1 = it is understated. It has two intervals: by
chance alone, with all dates of a customer added up, and with what the dates learned from differ beyond chance
(`training.levels`). The truth knows no chance.

Before the models stands the world itself: the untreated observed, weighted, over what their true hazard expects. 1 but
for chance, or the weights are wrong. A second table tells the quarters: how what each training learned from came out by
chance, and how far the true level moved from there to the quarter, which nobody could have learned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk import metrics
from churnrisk.bundle import Provenance
from churnrisk.metrics import Interval
from churnrisk.simulate import Programme, WorldSettings
from tests.bench.rolling import Quarter, year_ending
from tests.bench.truth import HAZARD_RATIO, LAG_DAYS, LASTING_DAYS, WEEK_DAYS, true_risk
from tests.bench.worlds import last_month_whose_outcomes_are_known, loaded_world
from training.fit import FitSettings, fitted_model
from training.labels import Labels, earliest_look, labels_of
from training.levels import Levels, levels_of
from training.looks import Look, looks_along, without_actions
from training.rows import Rows, rows_of
from training.snapshots import outcome_days

FIRST_SEED, N_SEEDS = 31, 5
CUSTOMERS, DAYS = 50_000, 913
KINDS: dict[str, float] = {"a quarter left alone": 0.25, "nobody left alone": 0.0}
"""World -> share of those picked that is left alone, as control: exact weights, or estimated ones."""
TRAINING = "study_contagion = false\n"
SETTINGS = FitSettings(seed=1)

HEAD = (
    "world", "seed", "model", "judged on", "rows", "leavers", "O/E", "low", "high", "slope", "low", "high", "ECE",
    "at most", "AUC", "dates low", "dates high",
)  # fmt: skip
QUARTERS_HEAD = (
    "world", "seed", "judged from", "learned from, over its truth", "low", "high", "judged, over its truth", "low",
    "high", "true level, judged over learned", "O/E naive", "O/E ours", "low", "high",
)  # fmt: skip
Row = Sequence[object]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def tables(full: bool) -> Iterator[tuple[str, Sequence[str], Sequence[Row]]]:
    """Yield both tables: one world (a quarter left alone), or two worlds of each seed."""
    years: list[Row] = []
    quarters: list[Row] = []
    for seed in range(FIRST_SEED, FIRST_SEED + (N_SEEDS if full else 1)):
        for name in KINDS if full else list(KINDS)[:1]:
            year = played(drawn(KINDS[name], seed))
            years.extend((name, seed, *line) for line in year.lines())
            quarters.extend((name, seed, *line) for line in year.quarters)
    yield "Risk without an action over a year in which a retention programme works; out of time", HEAD, years
    yield "The same by quarter", QUARTERS_HEAD, quarters


@dataclass(frozen=True)
class Drawn:
    """What is known of a world on each date, by ISO day, before anything is learned."""

    quarters: tuple[Quarter, ...]
    looks: Mapping[str, Look]
    """With the treated left out."""
    naive: Mapping[str, Labels]
    """With the treated taken for people like the others."""
    actions: pl.DataFrame
    """customer_key, customer_id and instant ("at") of every action that was none of leaving alone."""
    hazard: pl.DataFrame


def drawn(control_share: float, seed: int, customers: int = CUSTOMERS) -> Drawn:
    """Simulate a world, look at it on past dates, and label what was seen in both ways."""
    settings = WorldSettings(
        customers=customers,
        days=DAYS,
        seed=seed,
        contagion=1.0,
        homophily=0.0,
        monthly_churn=0.03,
        calls_per_day=0.1,
        decision_lag_days=LAG_DAYS,
        file_format={"usage": "parquet", "events": "parquet", "interactions": "parquet"},
        programme=Programme(
            control_share=control_share, hazard_ratio=HAZARD_RATIO, lasting_weeks=LASTING_DAYS // WEEK_DAYS
        ),
        weekly_truth=True,
    )
    with loaded_world(settings, TRAINING) as world:
        as_of = last_month_whose_outcomes_are_known(world.hazard, settings.end_on)
        config, engine, tables = world.config, world.engine, world.tables
        earliest = earliest_look(tables, outcome_days(config.churn))
        quarters, dates = year_ending(as_of, config.churn, config.training, earliest)
        looks = {
            look.day: look
            for look, _ in looks_along(engine, tables, config, as_of, dates, own=None, tie_weights=None)
        }
        naive = {
            day: labels_of(engine, tables, look.snapshot, config.churn, as_of, is_censored=False)
            for day, look in looks.items()
        }
        actions = engine.frame(
            """select customer_key, "at" from treatments where offer_id <> 'control' order by all"""
        )
    names = pl.concat([look.features.select("customer_key", "customer_id") for look in looks.values()])
    hazard = world.hazard.select("customer_id", "day", "log_hazard")
    return Drawn(quarters, looks, naive, actions.join(names.unique(), on="customer_key"), hazard)


@dataclass
class Year:
    """The rows that judge, what their hazard makes of the outcome window, and what was expected of them."""

    tested: Rows
    """The untreated of all dates, weighted to stand for all."""
    truth: Floats
    everybody: Rows
    """The treated too."""
    truth_of_everybody: Floats
    is_protected: Bools
    """Of everybody: whom an earlier action still protects."""
    risk: dict[str, Floats] = field(default_factory=dict)
    """Model -> risk of each row of ``tested``, by the training of its quarter."""
    risk_of_everybody: dict[str, Floats] = field(default_factory=dict)
    levels: dict[str, list[Levels]] = field(default_factory=dict)
    """Model -> what each training tells of its dates."""
    quarters: list[Row] = field(default_factory=list)

    def lines(self) -> Iterator[Row]:
        """Yield the lines of the world itself, of the naive model and of ours."""
        rows, everybody = self.tested, np.ones(len(self.everybody.left), dtype=bool)
        populations = (("truth", everybody), ("unprotected", ~self.is_protected))
        itself = _over(rows, self.truth)
        counts = len(rows.left), int(rows.left.sum())
        yield "the world", "untreated", *counts, itself.value, itself.low, itself.high, *[""] * 8
        for name, risk in self.risk.items():
            levels = together(self.levels[name])
            if rows.is_control is not None and rows.is_control.any():
                alone = rows.is_control
                weight = np.ones(int(alone.sum()))
                yield name, "controls", *_judged(rows.where(alone), risk[alone], weight, levels)
            yield name, "untreated", *_judged(rows, risk, rows.weight, levels)
            of_all = self.risk_of_everybody[name]
            for told, of_these in populations:
                is_top = of_these & (of_all >= np.quantile(of_all[of_these], 0.9))
                for shown, chosen in ((told, of_these), ("... top", is_top)):
                    would = float(self.truth_of_everybody[chosen].sum())
                    line = (int(chosen.sum()), round(would), would / float(of_all[chosen].sum()))
                    yield name, shown, *line, *[""] * 10


def played(world: Drawn) -> Year:
    """Let the year pass: train each quarter, both ways, and note what is expected on the dates that follow."""
    judged = [day for quarter in world.quarters for day in quarter.judged]
    tested = _ours(world, judged)
    everybody = rows_of([_everybody(world.looks[day]) for day in judged])
    year = Year(
        tested,
        true_risk(tested, world.hazard, world.actions),
        everybody,
        true_risk(everybody, world.hazard, world.actions),
        _protected(everybody, world.looks, world.actions),
    )
    for quarter in world.quarters:
        mine = np.isin(tested.snapshot.astype(str), quarter.judged)
        mine_of_everybody = np.isin(everybody.snapshot.astype(str), quarter.judged)
        ours = _ours(world, quarter.learned)
        naive = rows_of([(day, world.looks[day].features, world.naive[day].frame) for day in quarter.learned])
        for name, learned in (("naive", naive), ("ours", ours)):
            fitted = fitted_model(learned, SETTINGS)
            model = fitted.bundle((), Provenance())
            for kept, rows, chosen in (
                (year.risk, tested, mine),
                (year.risk_of_everybody, everybody, mine_of_everybody),
            ):
                risk = kept.setdefault(name, np.full(len(rows.left), np.nan))
                risk[chosen] = model.predict(rows.where(chosen).frame)["risk"].to_numpy()
            levels = levels_of(learned, fitted.out_of_fold_risk)
            year.levels.setdefault(name, []).extend([] if levels is None else [levels])
        year.quarters.append(_quarter(year, mine, ours, true_risk(ours, world.hazard, world.actions)))
    return year


def together(levels: Sequence[Levels]) -> Levels:
    """Return one for several trainings: root mean squares, as if they had learned from the same dates (most are)."""
    found = np.array([(each.spread, each.error) for each in levels])
    spread, error = np.sqrt((found**2).mean(axis=0))
    return Levels(min(each.n_dates for each in levels), float(spread), float(error))


def _ours(world: Drawn, days: Sequence[str]) -> Rows:
    """Return the rows of the untreated on these dates, weighted by what was done around them."""
    looks, _ = without_actions([world.looks[day] for day in days], SETTINGS)
    return rows_of([(look.day, look.features, look.labels.frame) for look in looks])


def _everybody(look: Look) -> tuple[str, pl.DataFrame, pl.DataFrame]:
    """Return the day, features and outcomes of all who were followed."""
    followed = look.labels.followed
    assert followed is not None
    return look.day, look.features, followed.select("customer_key", "left")


def _protected(rows: Rows, looks: Mapping[str, Look], actions: pl.DataFrame) -> Bools:
    """Say whom of the rows an action of the weeks before the date still protects; shape (rows,)."""
    found = np.zeros(len(rows.left), dtype=bool)
    for day in np.unique(rows.snapshot.astype(str)):
        until = looks[day].instant.instant
        is_recent = pl.col("at").is_between(until - timedelta(days=LASTING_DAYS), until, closed="left")
        mine = rows.snapshot == day
        who = actions.filter(is_recent)["customer_id"]
        found[mine] = np.isin(rows.customer[mine].astype(str), who.to_numpy().astype(str))
    return found


def _quarter(year: Year, mine: Bools, learned: Rows, truth: Floats) -> Row:
    """Return one line of the second table; ``truth`` is that of the rows learned from."""
    rows = year.tested.where(mine)
    before, after = _over(learned, truth), _over(rows, year.truth[mine])
    level = float(rows.weight @ year.truth[mine] / rows.weight.sum())
    moved = level / float(learned.weight @ truth / learned.weight.sum())
    naive, ours = (_over(rows, year.risk[name][mine]) for name in ("naive", "ours"))
    return (
        min(rows.snapshot.astype(str)), before.value, before.low, before.high, after.value, after.low, after.high,
        moved, naive.value, ours.value, ours.low, ours.high,
    )  # fmt: skip


def _over(rows: Rows, expected: Floats) -> Interval:
    return metrics.observed_over_expected(
        rows.left, expected, rows.weight, customer=rows.customer.astype(str)
    )


def _judged(rows: Rows, risk: Floats, weight: Floats, levels: Levels) -> Row:
    left, customer = rows.left, rows.customer.astype(str)
    found = metrics.observed_over_expected(left, risk, weight, customer=customer)
    slope = metrics.calibration_line(left, risk, weight, customer=customer).slope
    error = metrics.ece(left, risk, weight, seed=1)
    wide = levels.on_new_dates(found, len(np.unique(rows.snapshot.astype(str))))
    return (
        len(left), int(left.sum()), found.value, found.low, found.high, slope.value, slope.low, slope.high,
        error.value, error.null_mean + 2 * error.null_se, metrics.auc(left, risk, weight),
        wide.low, wide.high,
    )  # fmt: skip
