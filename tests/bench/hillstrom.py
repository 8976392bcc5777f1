"""Benchmark: Hillstrom's e-mail test, women's mail against none, who visits within two weeks.

Learners are judged on customers that they did not see, over several divisions into folds; beside them every single
column as a rule, econml's learners in a process of their own, and the same data with the treatment drawn anew, where
there is nothing to find. 42,693 customers, drawn with even chances (Hillstrom 2008).
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk import metrics
from churnrisk.bundle import matrix
from training.uplift.learn import UpliftSettings, held_out, learned_effects
from training.uplift.rows import CONTROL, UpliftRows

Floats = NDArray[np.float64]
Tables = Iterator[tuple[str, Sequence[str], Sequence[Sequence[object]]]]

NAME = "hillstrom.csv.gz"
OFFER = "womens"
BAR = 0.073
"""Uplift in the first 30 % when ranked by whether women's goods were bought before."""
PEERS = Path(__file__).parents[2] / ".venv-peers" / "bin" / "python"
SHARE = 0.3


def data_file() -> Path | None:
    """Return the file; None where it is absent. Looked for in the folder that CHURNRISK_DATA names, and in
    ``shared/data`` beside the repository.
    """
    beside = Path(__file__).parents[3] / "shared" / "data"
    folders = [*map(Path, filter(None, [os.environ.get("CHURNRISK_DATA")])), beside]
    places = [folder / part for folder in folders for part in (NAME, f"hillstrom/{NAME}")]
    return next((path for path in places if path.is_file()), None)


def hillstrom_rows(path: Path, *, n: int | None = None) -> UpliftRows:
    """Return customers who got women's mail or none; ``stayed`` = visited."""
    read = (
        pl.read_csv(path, infer_schema_length=None)
        .with_row_index("row")
        .filter(pl.col("segment") != "Mens E-Mail")
    )
    read = read if n is None else read.sample(n, seed=1, shuffle=True)
    return UpliftRows(
        frame=read.select(
            "recency", "history", "mens", "womens", "zip_code", "newbie", "channel", "history_segment"
        ),
        arms=(CONTROL, OFFER),
        arm=(read["segment"] == "Womens E-Mail").cast(pl.Int64).to_numpy(),
        stayed=read["visit"].cast(pl.Float64).to_numpy(),
        propensity=np.full(read.height, 0.5),
        customer=np.array([f"h{row}" for row in read["row"]], dtype=object),
    )


def without_effect(rows: UpliftRows, seed: int) -> UpliftRows:
    """Return the same customers with the arm drawn anew: outcomes cannot depend on it."""
    arm = np.random.default_rng(seed).permutation(rows.arm)
    return UpliftRows(rows.frame, rows.arms, arm, rows.stayed, rows.propensity, rows.customer)


def column_rules(rows: UpliftRows) -> dict[str, Floats]:
    """Return every column as a ranking, both ways; a text by its visits without mail."""
    rules: dict[str, Floats] = {}
    for name in rows.frame.columns:
        series = rows.frame[name]
        values = (
            series.cast(pl.String).rank("dense") if series.dtype == pl.String else series.cast(pl.Float64)
        )
        rules[name] = values.to_numpy().astype(np.float64)
        rules[f"{name}, reversed"] = -rules[name]
    return rules


def judged(rows: UpliftRows, score: Floats, n_resamples: int = 200) -> Mapping[str, metrics.Interval]:
    """Return Qini and uplift at 30 % with intervals."""
    return metrics.uplift_intervals(
        rows.stayed, rows.arm == 1, score, shares=(SHARE,), n_resamples=n_resamples
    )


def repeated(rows: UpliftRows, repeats: int) -> dict[str, list[Floats]]:
    """Return held-out predictions of every learner for each division into folds."""
    features = rows.features()
    encoded = matrix(rows.frame, features)
    found: dict[str, list[Floats]] = {}
    for seed in range(repeats):
        held = held_out(rows, encoded, features, [1], UpliftSettings(seed=seed))
        for (learner, _), predicted in held.predicted.items():
            found.setdefault(learner.upper(), []).append(predicted)
    return found


def peers(rows: UpliftRows, repeats: int) -> dict[str, list[Floats]]:
    """Return the same of econml's learners; empty where they are not installed."""
    if not PEERS.exists():
        return {}
    encoded = matrix(rows.frame, rows.features())
    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder) / "given.npz", Path(folder) / "answer.npz"
        folds = np.array([rows.folds(5, f"uplift-{seed}") for seed in range(repeats)])
        np.savez(given, x=np.nan_to_num(encoded), y=rows.stayed, t=rows.arm, folds=folds)
        script = Path(__file__).with_name("hillstrom_peers.py")
        subprocess.run([PEERS, script, given, answer], check=True, stdout=subprocess.DEVNULL)
        told = np.load(answer)
        return {name: list(told[name]) for name in json.loads(str(told["names"]))}


def tables(full: bool) -> Tables:
    """Yield learners beside rules, and the verdict with and without an effect."""
    path = data_file()
    if path is None:
        yield "Hillstrom: skipped", ("reason",), [(f"{NAME} is not here: set CHURNRISK_DATA",)]
        return
    rows = hillstrom_rows(path)
    repeats = 10 if full else 3
    lines = [_line(name, rows, scores) for name, scores in repeated(rows, repeats).items()]
    lines += [
        _line(f"econml {name}", rows, scores) for name, scores in peers(rows, repeats if full else 1).items()
    ]
    rules = column_rules(rows)
    by_rule = {
        name: metrics.uplift_at(rows.stayed, rows.arm == 1, score, SHARE) for name, score in rules.items()
    }
    best = max(by_rule, key=lambda name: by_rule[name])
    lines.append(_line(f"best column: {best}", rows, [rules[best]]))
    head = (
        "ranked by",
        "uplift at 30 %",
        "low",
        "high",
        "over divisions",
        "Qini",
        "low",
        "high",
        f"above {BAR}",
    )
    title = f"Hillstrom, women's mail against none, visits; {repeats} divisions into 5 folds, {len(rows.arm):,} rows"
    yield title, head, lines
    yield (
        "Verdicts",
        ("data", "verdict", "learner", "AUTOC", "low", "high", "average", "low", "high"),
        _verdicts(rows, full),
    )


def _line(name: str, rows: UpliftRows, scores: Sequence[Floats]) -> tuple[object, ...]:
    each = [metrics.uplift_at(rows.stayed, rows.arm == 1, score, SHARE) for score in scores]
    found = judged(rows, np.mean([np.argsort(np.argsort(score)) for score in scores], axis=0))
    uplift, qini = found[f"uplift_at_{SHARE:g}"], found["qini"]
    spread = f"{np.mean(each):.4f} ({min(each):.4f} to {max(each):.4f})"
    return (
        name,
        uplift.value,
        uplift.low,
        uplift.high,
        spread,
        qini.value,
        qini.low,
        qini.high,
        uplift.value > BAR,
    )


def _verdicts(rows: UpliftRows, full: bool) -> list[tuple[object, ...]]:
    lines: list[tuple[object, ...]] = []
    worlds = {"as it is": rows}
    worlds |= {f"arms drawn anew, {seed}": without_effect(rows, seed) for seed in range(20 if full else 2)}
    for name, world in worlds.items():
        (offer,) = learned_effects(world, UpliftSettings(n_resamples=200)).effects.offers
        learner = offer.model.learner.upper() if offer.model else "-"
        lines.append((name, offer.verdict, learner, *offer.figures["autoc"], *offer.figures["average"]))
    return lines
