"""A played world with a workspace around it, and a year in which the lists of its nights are carried out, or not.

It carries out what the files in ``lists`` say and nothing else, hands back what came of it through ``record``, and
refuses to judge it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from time import perf_counter

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.api import ChurnWorkspace, open_workspace
from churnrisk.errors import ChurnriskError
from churnrisk.ledger import Ledger, decided
from churnrisk.simulate import WorldSettings, reference_world, workspace_config
from churnrisk.simulate.clock import DAYS_PER_MONTH
from churnrisk.simulate.crm import OFFERS, offer_rows
from churnrisk.simulate.played import Played
from tests.bench.loop_truth import Futures, futures, stays

WARM_DAYS, LOOP_DAYS, QUARTER_DAYS = 364, 364, 84
QUESTION = 0.05
"""What a question costs."""
Floats = NDArray[np.float64]
CONTACT = {offer[0]: offer[3] for offer in OFFERS}
INCENTIVE = {offer[0]: offer[4] for offer in OFFERS}
SETTINGS = """
[training]
test_snapshots = 2
snapshot_every_days = 28
study_contagion = false
shadow = false
"""


@dataclass(frozen=True)
class Plan:
    """How large the world is, how often a night decides, and what it may spend, per customer of the base.

    ``places``: offers of each kind that can be made in a night, by call too; ``called``: customers on the list of
    calls, which does nothing here but take them; a night stands for ``every_days`` days of work.
    """

    customers: int
    every_days: int = 28
    asking: float = 0.004
    offering: float = 0.25
    called: float = 0.005
    places: float = 0.03
    n_futures: int = 20
    exploration: str = "thompson"
    train_every: int = QUARTER_DAYS

    def catalogue(self) -> pl.DataFrame:
        """Return the offers of the world with room for as many as a base of this size needs; the gift has no limit."""
        room = round(self.places * self.customers)
        return offer_rows().with_columns(
            capacity=pl.when(pl.col("offer_id") != "sms100").then(pl.lit(room, dtype=pl.Int64))
        )

    def settings(self, seed: int) -> WorldSettings:
        """Return the reference world of this size, long enough for a year without and a year with the loop."""
        world = reference_world(contagion=1.6, homophily=0.3, seed=seed, customers=self.customers)
        formats = dict.fromkeys(world.tables, "parquet")
        return replace(world, days=WARM_DAYS + LOOP_DAYS, file_format=formats)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Step:
    """What happened between two nights.

    ``margin`` is what customers paid, ``spent`` what asking and offers cost. ``chosen`` are the customers chosen for an
    offer: customer_id, offer_id, decision, is_random, reason_code, value (net, of the offer), worth (of the customer),
    and the shares of futures in which they stay, ``without``, ``with_it`` (the offer chosen by the rule) and
    ``with_<offer>``. ``scored`` is customer_id, risk, worth, and of futures ``here`` and ``left``; ``costs``
    customer_id and cost, a row for each question and offer.
    """

    day: int
    customers: int
    leavers: int
    margin: float
    spent: float = 0.0
    n_asked: int = 0
    n_answered: int = 0
    n_offered: int = 0
    scored: pl.DataFrame = field(default_factory=pl.DataFrame)
    chosen: pl.DataFrame = field(default_factory=pl.DataFrame)
    costs: pl.DataFrame = field(default_factory=pl.DataFrame)


@dataclass
class Year:
    """The steps of a year, and what the world was left as."""

    steps: list[Step]
    customers_at_end: int
    said: list[str]
    fates: pl.DataFrame
    """Of everybody who ever was a customer: customer_id, left_day, community, margin of the year, spent on them in it,
    and worth, what twelve months more bring of those still there at its end."""


def quiet_year(plan: Plan, seed: int, folder: Path) -> Year:
    """Live the world with nobody acting."""
    with Played(folder / "data", plan.settings(seed), by_person=True) as world:
        world.live(WARM_DAYS)
        steps, books = [], _books(world)
        while world.day < WARM_DAYS + LOOP_DAYS:
            steps.append(_lived(world, plan, Step(world.day, 0, 0, 0.0), books))
        return _year(world, steps, [], books)


def looped_year(plan: Plan, seed: int, folder: Path, say: bool = False) -> tuple[Year, ChurnWorkspace]:
    """Live the same world with the loop: decide, carry out the lists, record, train anew each quarter."""
    settings = plan.settings(seed)
    text = workspace_config(settings)
    for name, share, digits in (("survey", plan.asking, 2), ("offer", plan.offering, 2)):
        text = _with(text, f"[{name}s]\nbudget = ", f"{share * plan.customers:.{digits}f}")
    text = text.replace("[offers]\n", f'[offers]\nexploration = "{plan.exploration}"\n')
    text = _with(text, "daily_capacity = ", str(round(plan.called * plan.customers)))
    folder.mkdir(parents=True, exist_ok=True)
    calls = round((plan.called + plan.places) * plan.customers)
    room = f"\n[contacts]\ncapacity = {{ call = {calls} }}\n"
    (folder / "churnrisk.toml").write_text(text + room + SETTINGS, "utf-8")
    steps: list[Step] = []
    said: list[str] = []
    with Played(folder / "data", settings, by_person=True) as world:
        world.live(WARM_DAYS)
        world.extract(plan.catalogue())
        workspace = open_workspace(folder)
        said += _trained(workspace, world)
        books = _books(world)
        while world.day < WARM_DAYS + LOOP_DAYS:
            begun = perf_counter()
            elapsed = world.day - WARM_DAYS
            if elapsed and elapsed % plan.train_every == 0:
                said += _trained(workspace, world)
            night = workspace.decide(world.today)
            done = _carried_out(workspace, world, plan)
            steps.append(_lived(world, plan, done, books))
            steps[-1] = _answered(workspace, world, steps[-1])
            if say:
                last = steps[-1]
                print(
                    f"day {last.day}: {last.customers} customers, {last.leavers} left, {last.n_asked} asked, "
                    f"{last.n_answered} answers, {last.n_offered} offered, spent {last.spent:.0f}, "
                    f"{perf_counter() - begun:.0f} s; {night.warnings}",
                    flush=True,
                )
            world.extract(plan.catalogue())
        return _year(world, steps, said, books), workspace


def _with(text: str, before: str, value: str) -> str:
    head, tail = text.split(before)
    return head + before + value + tail[len(tail.split()[0]) :]


def _trained(workspace: ChurnWorkspace, world: Played) -> Iterator[str]:
    learned = workspace.train(world.today)
    version = str(learned.version.version)
    try:
        workspace.promote(version)
    except ChurnriskError as error:
        yield f"{world.today}: version {version} not promoted: {error.faults[0].sentence()}"
    else:
        yield f"{world.today}: version {version} in use"
    said = learned.result.responses
    yield from (f"    {line}" for line in (said.sentences() if said else ()))


def _listed(workspace: ChurnWorkspace, world: Played, name: str) -> pl.DataFrame:
    place = workspace.root / "lists" / str(world.today) / f"{name}.csv"
    return pl.read_csv(place, infer_schema=False) if place.exists() else pl.DataFrame()


def _carried_out(workspace: ChurnWorkspace, world: Played, plan: Plan) -> Step:
    """Ask and offer what the lists say; record who took an offer."""
    today = world.today
    asked = _listed(workspace, world, "survey_requests")
    if asked.height:
        world.ask(asked.select("invitation_id", "customer_id"))
    offered = [
        frame.select("treatment_id", "customer_id", "offer_id").drop_nulls("offer_id")
        for name in ("at_risk", "offers")
        # what nobody on a list has is no column of it
        if (frame := _listed(workspace, world, name)).height and "treatment_id" in frame.columns
    ]
    decisions = _decisions(workspace, world)
    chosen = decisions.filter(
        (pl.col("kind") == "offer") & pl.col("decision").is_in(["offer", "control", "hold-out"])
    ).select("customer_id", "decision", "is_random", "reason_code", offer_id="subject", value="value")
    scores = workspace.table("scores", today).select("customer_id", "risk", worth="value")
    ids = scores["customer_id"]
    found: Futures = futures(
        world, ids, plan.n_futures, chosen.filter(~pl.col("is_random")).select("customer_id", "offer_id")
    )
    scored = scores.with_columns(here=pl.Series(found.here), left=pl.Series(found.left))
    with_it = found.stayed if found.with_offers is None else found.with_offers
    of_all = scores.select("customer_id", "worth").with_columns(
        without=pl.Series(found.stayed), with_it=pl.Series(with_it)
    )
    chosen = chosen.join(of_all, on="customer_id", how="left", maintain_order="left")
    for offer in world.effects.offers:
        everybody = chosen.select("customer_id", offer_id=pl.lit(offer))
        found_with = stays(world, chosen["customer_id"], plan.n_futures, everybody)
        chosen = chosen.with_columns(pl.Series(f"with_{offer}", found_with))
    made = pl.concat(offered) if offered else pl.DataFrame()
    costs = [asked.select("customer_id", cost=pl.lit(QUESTION))] if asked.height else []
    if made.height:
        told = world.offer(made)
        tomorrow = datetime.combine(today + timedelta(days=1), time(12))
        workspace.record("treatments", told.with_columns(at=pl.lit(tomorrow), known_at=pl.lit(tomorrow)))
        contact, incentive = (pl.col("offer_id").replace_strict(each) for each in (CONTACT, INCENTIVE))
        is_taken = pl.col("accepted").fill_null(value=False)
        costs.append(
            told.select("customer_id", cost=contact + pl.when(is_taken).then(incentive).otherwise(0.0))
        )
    paid = pl.concat(costs) if costs else pl.DataFrame(schema={"customer_id": pl.String, "cost": pl.Float64})
    return Step(
        world.day, 0, 0, 0.0, spent=float(paid["cost"].sum()), n_asked=asked.height, n_offered=made.height,
        scored=scored, chosen=chosen, costs=paid,
    )  # fmt: skip


def _decisions(workspace: ChurnWorkspace, world: Played) -> pl.DataFrame:
    with Ledger.open(workspace._folder, {}) as ledger, ledger.reading() as db:
        found = decided(db, world.today)
    assert found is not None
    return found.frame


def _books(world: Played) -> Floats:
    return np.zeros(world._play.course.left.size)


def _lived(world: Played, plan: Plan, step: Step, books: Floats) -> Step:
    """Live to the next night, and write down in ``books`` what everybody paid."""
    since = world.day
    course = world._play.course
    value = course.prices.value.copy()
    world.live(min(since + plan.every_days, WARM_DAYS + LOOP_DAYS))
    toll = world.toll(since)
    begins = world._play.people.joined.clip(since, world.day)
    days = (course.left.clip(since, world.day) - begins).clip(0)
    paid = days * value / DAYS_PER_MONTH
    books += paid
    return replace(step, customers=toll.customers, leavers=toll.leavers, margin=float(paid.sum()))


def _answered(workspace: ChurnWorkspace, world: Played, step: Step) -> Step:
    answers = world.answers()
    if answers.height:
        workspace.record("answers", answers.with_columns(known_at="answered_at"))
    return replace(step, n_answered=answers.height)


def _year(world: Played, steps: list[Step], said: list[str], books: Floats) -> Year:
    course, ids = world._play.course, world._play.ids
    is_there = course.is_customer(world.day)
    fates = pl.DataFrame(
        {
            "customer_id": ids[: course.left.size],
            "left_day": course.left,
            "community": world._play.people.community,
            "margin": books,
            "worth": np.where(is_there, 12 * course.prices.value, 0.0),
        }
    )
    costs = [step.costs for step in steps if step.costs.height]
    if costs:
        spent = pl.concat(costs).group_by("customer_id").agg(spent=pl.col("cost").sum())
        fates = fates.join(spent, on="customer_id", how="left", maintain_order="left")
    else:
        fates = fates.with_columns(spent=pl.lit(0.0))
    return Year(steps, int(is_there.sum()), said, fates.with_columns(pl.col("spent").fill_null(0.0)))
