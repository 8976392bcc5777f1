"""Does a strong tie last? AUC of the default tie strength, and of simpler figures, for contact in the days that follow.

    python -m tests.bench.ties_persistence [COPENHAGEN_FOLDER] [--messages COLLEGEMSG.txt.gz]

Copenhagen: pairs with a contact in days 0-20; label = any contact in days 21-27. The pair facts are counted here in
plain polars, apart from the product's SQL.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import rankdata

from features.ties import DECAY_ONE_CONTACT, HALF_LIVES_DAYS, RECENT_DAYS, TRAIN_GAP_HOURS, tie_table

COPENHAGEN = Path(__file__).parents[1] / "data" / "copenhagen"
DAY_S = 86_400
N_RESAMPLES = 1000

Rows = list[list[object]]


def copenhagen_contacts(folder: Path) -> pl.DataFrame:
    """Calls and text messages as ``at_s, sender, receiver, seconds`` (missed calls and messages: 0)."""
    calls = pl.read_csv(folder / "calls.csv", new_columns=["at_s", "sender", "receiver", "seconds"])
    messages = pl.read_csv(folder / "sms.csv", new_columns=["at_s", "sender", "receiver"])
    return pl.concat(
        [calls.with_columns(pl.col("seconds").clip(0)), messages.with_columns(seconds=pl.lit(0, pl.Int64))]
    )


def collegemsg_contacts(file: Path) -> pl.DataFrame:
    """Private messages in the same shape, in seconds from the first midnight (UTC) of the data."""
    raw = pl.read_csv(file, separator=" ", new_columns=["sender", "receiver", "at_s"])
    start = raw["at_s"].min()
    assert isinstance(start, int)
    return raw.select(
        pl.col("at_s") - start // DAY_S * DAY_S, "sender", "receiver", seconds=pl.lit(0, pl.Int64)
    )


def pair_facts(contacts: pl.DataFrame, from_day: int, to_day: int) -> pl.DataFrame:
    """Facts of each pair with a contact in [from_day, to_day), as `tie_table` wants them; node = the person."""
    end_s = to_day * DAY_S
    is_forward = pl.col("sender") < pl.col("receiver")
    is_recent = pl.col("at_s") >= end_s - RECENT_DAYS * DAY_S
    days_ago = to_day - 1 - pl.col("at_s") // DAY_S
    decay = {
        f"decayed_{days}": (2.0 ** (-days_ago / days) * DECAY_ONE_CONTACT).round().cast(pl.Int64).sum()
        for days in HALF_LIVES_DAYS
    }
    return (
        _between(contacts, from_day, to_day)
        .sort("node_a", "node_b", "at_s")
        .group_by("node_a", "node_b", maintain_order=True)
        .agg(
            n_ab=is_forward.sum(),
            n_ba=(~is_forward).sum(),
            n_recent_ab=(is_forward & is_recent).sum(),
            n_recent_ba=(~is_forward & is_recent).sum(),
            n_timed=pl.len(),
            seconds=pl.col("seconds").sum(),
            active_days=(pl.col("at_s") // DAY_S).n_unique(),
            trains=1 + (pl.col("at_s").diff() > TRAIN_GAP_HOURS * 3600).sum(),
            gap_squares=pl.col("at_s").diff().pow(2).sum(),
            **decay,
            first_contact_us=pl.col("at_s").min() * 1_000_000,
            last_contact_us=pl.col("at_s").max() * 1_000_000,
        )
    )


def labelled_ties(contacts: pl.DataFrame, days: tuple[int, int, int]) -> pl.DataFrame:
    """Ties of [days[0], days[1]) with ``persists``: any contact in [days[1], days[2])."""
    later = (
        _between(contacts, days[1], days[2])
        .select("node_a", "node_b")
        .unique()
        .with_columns(persists=pl.lit(value=True))
    )
    ties = tie_table(pair_facts(contacts, days[0], days[1]), as_of_us=days[1] * DAY_S * 1_000_000)
    return ties.join(later, on=["node_a", "node_b"], how="left", maintain_order="left").with_columns(
        pl.col("persists").fill_null(value=False)
    )


def auc(is_positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Chance that a positive scores above a negative, equal scores counting half (Mann-Whitney)."""
    n_positive = int(is_positive.sum())
    ranks = rankdata(scores)[is_positive].sum()
    return float((ranks - n_positive * (n_positive + 1) / 2) / (n_positive * (len(scores) - n_positive)))


def aucs(ties: pl.DataFrame) -> dict[str, float]:
    """AUC of the default strength and of its peers."""
    persists = ties["persists"].to_numpy()
    return {name: auc(persists, scores) for name, scores in _scores(ties).items()}


def bootstrap_rows(ties: pl.DataFrame, n_resamples: int = N_RESAMPLES) -> Rows:
    """Per score: AUC, its standard error, the 95 % interval of what the default strength is ahead of it."""
    persists, scores = ties["persists"].to_numpy(), _scores(ties)
    draws = np.random.default_rng(20_191_212).integers(0, len(persists), (n_resamples, len(persists)))
    resampled = {
        name: np.array([auc(persists[draw], values[draw]) for draw in draws])
        for name, values in scores.items()
    }
    rows: Rows = []
    for name, values in scores.items():
        low, high = np.quantile(resampled["strength"] - resampled[name], [0.025, 0.975])
        lead = "-" if name == "strength" else f"{low:+.3f} to {high:+.3f}"
        rows.append([name, auc(persists, values), float(resampled[name].std()), lead])
    return rows


def tables(full: bool, folder: Path = COPENHAGEN) -> Sequence[tuple[str, Sequence[str], Rows]]:
    """Give the figures for `python -m tests.bench ties`."""
    contacts = copenhagen_contacts(folder)
    cuts = {"days 0-20 -> 21-27": (0, 21, 28), **({"days 0-13 -> 14-20": (0, 14, 21)} if full else {})}
    head = ["score", "AUC", "standard error", "strength is ahead by (95 %)"]
    found = []
    for name, days in cuts.items():
        ties = labelled_ties(contacts, days)
        share = ties["persists"].mean()
        assert isinstance(share, float)
        title = (
            f"Tie persistence, Copenhagen {name}: {len(ties)} pairs, {100 * share:.1f} % persist (bar 0.785)"
        )
        found.append((title, head, bootstrap_rows(ties)))
    return found


def message_table(file: Path) -> tuple[str, Sequence[str], Rows]:
    """AUC on CollegeMsg, where no constant was chosen; four cuts, the last 28 days -> the next 30."""
    contacts = collegemsg_contacts(file)
    rows: Rows = []
    for day in (30, 60, 90, 120):
        ties = labelled_ties(contacts, (day - 28, day, day + 30))
        rows.append([f"{day - 28}-{day - 1} -> {day}-{day + 29}", len(ties), *aucs(ties).values()])
    return "Tie persistence, CollegeMsg", ["days", "pairs", *aucs(ties)], rows


def _between(contacts: pl.DataFrame, from_day: int, to_day: int) -> pl.DataFrame:
    """Contacts of the half-open days, with both ends in order; those with oneself are none."""
    return contacts.filter(
        pl.col("at_s").is_between(from_day * DAY_S, to_day * DAY_S, closed="left"),
        pl.col("sender") != pl.col("receiver"),
    ).with_columns(
        node_a=pl.min_horizontal("sender", "receiver"), node_b=pl.max_horizontal("sender", "receiver")
    )


def _scores(ties: pl.DataFrame) -> Mapping[str, NDArray[np.float64]]:
    names = {
        "strength": "strength",
        "count": "n_contacts",
        "seconds": "seconds",
        "recency": "last_contact",
        "active days": "active_days",
        "trains": "trains",
    }
    return {name: ties[column].to_physical().cast(pl.Float64).to_numpy() for name, column in names.items()}


def _main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=COPENHAGEN)
    parser.add_argument("--messages", type=Path)
    options = parser.parse_args()
    found = [*tables(full=True, folder=options.folder)]
    if options.messages:
        found.append(message_table(options.messages))
    for title, head, rows in found:
        print(title)
        for row in [head, *rows]:
            print(
                "  "
                + "".join(
                    f"{cell:<28.4f}" if isinstance(cell, float) else f"{cell!s:<28}" for cell in row
                ).rstrip()
            )


if __name__ == "__main__":
    _main()
