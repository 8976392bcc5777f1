"""Benchmark: twelve months with the loop on against the same months without it.

    python -m tests.bench loop [--full]

A reference world (contagion 1.6, communities alike) lives a year with nobody acting, and a model is trained. Then, in
one copy, every four weeks a night decides; what its lists say is carried out, answers and accepted offers are
recorded, and the model is trained anew each quarter. In the other copy nothing is done. Everybody's chances are their
own, the same in both (common random numbers), so that both differ by what was done and what comes of it alone.

margin       what customers paid: monthly value x time
profit       margin less what asking, contacts and incentives taken cost
won          profit with the loop less without, customer by customer, with a 95 % interval over communities; "and
             after": with what twelve months more bring of the customers still there at the end of the year
spared       customers who stay through the 44 days after an offer and would not have without it: in truth, as many
             futures with it and without tell; worth: their value, to set beside what was spent
risk O/E     leavers that the world would have had from that night on with nothing done any more, mean of many futures
             drawn anew, over those that the night's risks expect: 1 = right; had the loop's success eroded the risk, it
             would climb
over years   mean over worlds, each with its own draw of the lots; the interval holds what another draw would bring,
             which that of one year does not
hold-outs    the same, as observed, of those who are never contacted and the campaign's controls
effect       share that stayed, of those made the offer that the rule chose, less that of those whom it chose too and
             the lot left alone: controls of campaign and trials, and hold-outs, night by night and offer by offer;
             beside it the truth for those made it (futures with the offers less futures without). Below it the
             product's own figure, `incrementality`, of each offer to those picked for it, their first time, with that
             truth
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import altair as alt
import numpy as np
import polars as pl
from scipy.stats import ttest_1samp

from churnrisk import metrics
from churnrisk.api import ChurnWorkspace
from churnrisk.dates import AsOf
from churnrisk.ledger.holdouts import PERMANENT, held_out
from churnrisk.loaded import loaded_sources
from churnrisk.pictures import theme
from churnrisk.pictures.drawing import Picture, Words, drawn, layered
from tests.bench.loop_truth import WINDOW_DAYS
from tests.bench.loop_year import LOOP_DAYS, WARM_DAYS, Plan, Step, Year, looped_year, quiet_year
from training.uplift.campaigns import incrementality
from training.uplift.past import past_treatments

PLAN = Plan(20_000, n_futures=2)
SEEDS, SEEDS_FULL = (31, 32), tuple(range(31, 41))
"""Worlds; each has a draw of the lots of its own, as other customers live in it."""
AT_ONCE = 2
"""Years played side by side: each takes a processor and 3 GB."""
PICTURES = "LOOP_PICTURES"
"""Variable of the environment: a folder for the pictures of the first seed."""

MONTHS = (
    "month", "customers on", "off", "leavers on", "off", "asked", "answers", "offers", "spent", "profit on", "off",
    "risk O/E", "hold-outs O/E", "low", "high",
)  # fmt: skip
EFFECTS = ("measured by", "offer", "treated", "left alone", "effect", "low", "high", "truth", "covered")
Rows = list[tuple[object, ...]]
YEAR_END = WARM_DAYS + LOOP_DAYS


@dataclass(frozen=True)
class Played:
    """Both years of one seed, and what the product says that its offers did."""

    seed: int
    on: Year
    off: Year
    said: pl.DataFrame


def both_years(plan: Plan, seed: int) -> Played:
    """Play both."""
    with tempfile.TemporaryDirectory() as folder:
        off = quiet_year(plan, seed, Path(folder) / "off")
        on, workspace = looped_year(plan, seed, Path(folder) / "on")
        return Played(seed, on, off, _said(workspace, AsOf(plan.settings(seed).end_on)))


def _said(workspace: ChurnWorkspace, as_of: AsOf) -> pl.DataFrame:
    folder, inputs = workspace._folder, workspace._inputs
    with folder.engine() as engine:
        tables = loaded_sources(folder, engine, inputs, as_of).tables
        tables.register(engine)
        rows = past_treatments(engine, tables, folder.config, as_of).rows
    return pl.DataFrame() if rows is None else incrementality(rows)


def tables(full: bool) -> Iterator[tuple[str, Sequence[str], Rows]]:
    """Yield months and effects per seed, then what the loop won over all seeds."""
    # processes begun anew: a copy of this one would wait for ever for locks that its threads held
    with ProcessPoolExecutor(AT_ONCE, mp_context=get_context("spawn")) as pool:
        played = list(pool.map(partial(both_years, PLAN), SEEDS_FULL if full else SEEDS))
    for each in played:
        if each is played[0] and os.environ.get(PICTURES):
            _draw(each, Path(os.environ[PICTURES]))
        yield from tables_of(each)
    yield "What the loop won", WON, [line for each in played for line in won(each)]
    yield "The year, by seed", TOTALS, [total for each in played for total in totals(each)]
    yield "What the loop won, over all years", OVER_YEARS, over_years(played)


def tables_of(played: Played) -> Iterator[tuple[str, Sequence[str], Rows]]:
    """Yield the tables of one seed."""
    yield f"Months of seed {played.seed}", MONTHS, months(played)
    yield f"The year of seed {played.seed}", TOTALS, totals(played)
    yield f"What the offers did, seed {played.seed}", EFFECTS, effects(played)


def months(played: Played) -> Rows:
    """Return a row per step."""
    rows: Rows = []
    for number, (on, off) in enumerate(zip(played.on.steps, played.off.steps, strict=True), start=1):
        level = _level(on)
        told = "" if level is None else level
        held = _held_level(on, played.on.fates)
        rows.append(
            (number, on.customers, off.customers, on.leavers, off.leavers, on.n_asked, on.n_answered, on.n_offered,
             on.spent, on.margin - on.spent, off.margin, told, *held)
        )  # fmt: skip
    return rows


def _level(step: Step) -> float | None:
    """Return how many leave in the futures over how many were expected; None where the world ends before the window."""
    if step.day + WINDOW_DAYS > WARM_DAYS + LOOP_DAYS:
        return None
    expected = float((step.scored["risk"] * step.scored["here"]).sum())
    return float(step.scored["left"].sum()) / expected


def _held_level(step: Step, fates: pl.DataFrame) -> tuple[object, object, object]:
    """Return observed over expected of the hold-outs and controls with its interval; empty where it is not over yet."""
    begins, ends = step.day + 14, step.day + WINDOW_DAYS
    if ends > WARM_DAYS + LOOP_DAYS:
        return "", "", ""
    ids = step.scored["customer_id"]
    out = pl.DataFrame({"customer_id": ids, "is_out": held_out(ids, PERMANENT, 0.05, "churnrisk")})
    rows = step.scored.join(out.filter("is_out"), on="customer_id", how="semi").join(fates, on="customer_id")
    rows = rows.filter(pl.col("left_day") >= begins)
    n = int((rows["left_day"] < ends).sum())
    expected = float(rows["risk"].sum())
    half = 1.96 * np.sqrt(max(n, 1)) / expected
    return n / expected, max(0.0, n / expected - half), n / expected + half


WON = ("seed", "", "won", "low", "high", "of the profit without %", "for each 1 spent")


def won(played: Played) -> Rows:
    """Return what the loop won in the year and with the worth of those kept, by customer, interval by community."""
    both = played.on.fates.join(played.off.fates, on="customer_id", suffix="_off")
    community = both["community"].to_numpy().astype(str)
    year = (both["margin"] - both["spent"] - both["margin_off"]).to_numpy()
    after = (both["worth"] - both["worth_off"]).to_numpy()
    spent, base = float(both["spent"].sum()), float(both["margin_off"].sum())
    rows: Rows = []
    for name, gain in (("in the year", year), ("and after", year + after)):
        found = metrics.mean_effect(gain * both.height, customer=community)
        share = 100 * found.value / base
        rows.append((played.seed, name, found.value, found.low, found.high, share, found.value / spent))
    left = (
        (both["left_day"] < YEAR_END).cast(pl.Int8) - (both["left_day_off"] < YEAR_END).cast(pl.Int8)
    ).to_numpy()
    fewer = metrics.mean_effect(-left * float(both.height), customer=community)
    rows.append((played.seed, "leavers fewer", fewer.value, fewer.low, fewer.high, "", fewer.value / spent))
    return rows


OVER_YEARS = ("", "years", "mean", "low", "high", "sd", "won in", "least", "most")


def over_years(played: Sequence[Played]) -> Rows:
    """Return the mean of what was won over worlds and draws of the lots, with its 95 % interval by Student's t."""
    figures: dict[str, list[float]] = {}
    for each in played:
        for _, name, value, *_ in won(each):
            figures.setdefault(str(name), []).append(float(str(value)))
        figures.setdefault("spent", []).append(sum(step.spent for step in each.on.steps))
    rows: Rows = []
    for name, values in figures.items():
        found = np.array(values)
        ends = ttest_1samp(found, 0.0).confidence_interval(0.95)
        rows.append(
            (name, found.size, float(found.mean()), float(ends.low), float(ends.high), float(found.std(ddof=1)),
             int((found > 0).sum()), float(found.min()), float(found.max()))
        )  # fmt: skip
    return rows


TOTALS = (
    "",
    "seed",
    "leavers",
    "profit",
    "spent",
    "contacts a customer",
    "customers at the end",
    "spared",
    "worth",
)


def totals(played: Played) -> Rows:
    """Return the year on, off, and the difference."""
    rows: Rows = []
    for name, year in (("on", played.on), ("off", played.off)):
        spent = sum(step.spent for step in year.steps)
        contacts = sum(step.n_asked + step.n_offered for step in year.steps)
        base = sum(step.customers for step in year.steps) / len(year.steps)
        margin = sum(step.margin for step in year.steps)
        rows.append(
            (name, played.seed, sum(step.leavers for step in year.steps), margin - spent, spent, contacts / base,
             year.customers_at_end, *spared(year))
        )  # fmt: skip
    on, off = rows
    rows.append(("on - off", played.seed, *(a - b for a, b in zip(on[2:], off[2:], strict=True))))  # type: ignore[operator]
    return rows


def spared(year: Year) -> tuple[float, float]:
    """Return customers spared within the windows by the offers made, in truth, and what they are worth."""
    n = worth = 0.0
    for step in year.steps:
        made = step.chosen.filter(pl.col("decision") == "offer") if step.chosen.height else step.chosen
        for (offer,), mine in made.partition_by("offer_id", as_dict=True).items() if made.height else ():
            by = mine[f"with_{offer}"] - mine["without"]
            n, worth = n + float(by.sum()), worth + float((by * mine["worth"]).sum())
    return n, worth


def chosen_of(year: Year) -> pl.DataFrame:
    """Return all who were chosen for an offer, by the rule or the lot, with what became of them."""
    parts = [
        step.chosen.with_columns(day=pl.lit(step.day))
        for step in year.steps
        if step.day + WINDOW_DAYS <= WARM_DAYS + LOOP_DAYS
    ]
    return (
        pl.concat(parts)
        .join(year.fates, on="customer_id", how="left")
        .with_columns(stayed=(pl.col("left_day") >= pl.col("day") + WINDOW_DAYS).cast(pl.Float64))
    )


def effects(played: Played) -> Rows:
    """Return measured beside true effects, by offer and of all together."""
    everybody = chosen_of(played.on)
    chosen = everybody.filter(~pl.col("is_random"))
    rows: Rows = []
    for name, left_alone in (("controls", ["control"]), ("controls and hold-outs", ["control", "hold-out"])):
        for offer in ("all", *sorted(chosen["offer_id"].unique())):
            mine = chosen if offer == "all" else chosen.filter(offer_id=offer)
            mine = mine.filter(pl.col("decision").is_in(["offer", *left_alone]))
            mine = _weighed(mine)
            is_treated = (mine["decision"] == "offer").to_numpy()
            if min(is_treated.sum(), (~is_treated).sum()) < 10:
                continue
            found = metrics.weighted_contrast(
                mine["stayed"].to_numpy(),
                is_treated,
                1 / mine["weight"].to_numpy(),
                customer=mine["customer_id"].to_numpy().astype(str),
            ).difference
            made = mine.filter(pl.Series(is_treated))
            truth = float((made["with_it"] - made["without"]).mean())  # type: ignore[arg-type]
            rows.append(
                (name, offer, int(is_treated.sum()), int((~is_treated).sum()), found.value, found.low, found.high,
                 truth, "yes" if found.low <= truth <= found.high else "no")
            )  # fmt: skip
    # the product compares those whom the choice picked for the offer, each customer's first time
    first = everybody.filter(pl.col("decision") != "hold-out").sort("day", maintain_order=True)
    first = first.unique("customer_id", keep="first", maintain_order=True).filter(decision="offer")
    for line in played.said.iter_rows(named=True):
        mine = first.filter(offer_id=line["offer_id"])
        if mine.is_empty():
            continue
        truth = float((mine[f"with_{line['offer_id']}"] - mine["without"]).mean())  # type: ignore[arg-type]
        low, high = line["effect_low"], line["effect_high"]
        is_told = low is not None
        rows.append(
            ("incrementality", line["offer_id"], line["n_treated"], line["n_control"],
             line["effect"] if is_told else line["verdict"], low if is_told else "", high if is_told else "", truth,
             ("yes" if low <= truth <= high else "no") if is_told else "")
        )  # fmt: skip
    return rows


def _weighed(chosen: pl.DataFrame) -> pl.DataFrame:
    """Return those of nights and offers that were made and left out; ``weight``: how many each left without stands for.

    How many are left without differs while an offer is on trial.
    """
    by = ["day", "offer_id"]
    is_made = pl.col("decision") == "offer"
    made, left = is_made.sum().over(by), (~is_made).sum().over(by)
    weight = pl.when(is_made).then(1.0).otherwise(made / left)
    return chosen.with_columns(weight=weight).filter((made > 0) & (left > 0))


def _draw(played: Played, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures(played).items():
        (folder / f"{name}.svg").write_text(picture.svg, "utf-8")


def pictures(played: Played) -> dict[str, Picture]:
    """Return profit won so far, leavers so far, and the level of the risk, month by month."""
    months_ = np.arange(1, len(played.on.steps) + 1)
    won = np.cumsum(
        [on.margin - on.spent - off.margin for on, off in zip(played.on.steps, played.off.steps, strict=True)]
    )
    kept = np.cumsum(
        [off.leavers - on.leavers for on, off in zip(played.on.steps, played.off.steps, strict=True)]
    )
    level = [each for step in played.on.steps if (each := _level(step)) is not None]
    return {
        "loop-profit": _line(months_, won, "Profit won by the loop so far", "Profit, on less off"),
        "loop-kept": _line(months_, kept, "Fewer leavers with the loop so far", "Leavers, off less on"),
        "loop-level": _line(
            months_[: len(level)], np.asarray(level), "Does the risk hold?", "Observed over expected"
        ),
    }


def _line(across: np.ndarray, up: np.ndarray, title: str, axis: str) -> Picture:
    data = pl.DataFrame({"month": across, "value": up})
    chart = alt.Chart(data).mark_line(color=theme.MAIN, point=True).encode(x="month:Q", y="value:Q")
    words = Words(
        title.lower().replace(" ", "-").replace("?", ""), title,
        f"{axis} by four-week month: from {up[0]:.4g} to {up[-1]:.4g}.",
        x_title="Month", y_title=axis,
    )  # fmt: skip
    return drawn(layered(chart), words)
