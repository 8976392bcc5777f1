"""Benchmark: is spreading found where it was planted, and not found where friends are merely alike?

    python -m tests.bench contagion [--full]

Reference worlds of 50,000 customers and 18 months, one seed of each kind, or ten (`--full`). The truth is the planted
hazard ratio per strong friend who left in the last 91 days, at most three counted. The study's interval has to hold it
in 90 % of the worlds; where friends are only alike, the naive interval has to exclude 1 in 80 % and the study's not.
Where friends are only hit together, the verdict must not be that churn spreads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import exp, log

import numpy as np

from churnrisk.metrics import Contagion
from churnrisk.simulate import reference_world
from tests.bench.played import played
from training.contagion import StudySettings, contagion_study

KINDS: dict[str, tuple[float, float, bool]] = {
    "planted, alike": (2.5, 0.6, False),
    "planted": (2.5, 0.0, False),
    "alike only": (1.0, 0.6, False),
    "neither": (1.0, 0.0, False),
    "shocked together": (1.0, 0.0, True),
}
"""Name -> contagion, homophily, whether communities and districts are hit by shocks of eight weeks."""

FIRST_SEED, N_SEEDS = 11, 10
N_SHUFFLES = 19
N_LOOKS = 15

Row = Sequence[object]
HEAD = (
    "world",
    "seed",
    "verdict",
    "ratio",
    "low",
    "high",
    "by chance",
    "naive",
    "z before",
    "z strangers",
    "shuffle p",
    "leavers",
)


def tables(full: bool) -> Iterator[tuple[str, Sequence[str], Sequence[Row]]]:
    """Yield every world's figures, then coverage and spread."""
    found: dict[str, list[Contagion]] = {}
    rows: list[Row] = []
    for seed in range(FIRST_SEED, FIRST_SEED + (N_SEEDS if full else 1)):
        for name, (contagion, homophily, is_shocked) in KINDS.items():
            study = studied(contagion, homophily, seed, is_shocked=is_shocked)
            found.setdefault(name, []).append(study)
            rows.append(_row(name, seed, study))
    yield "Does churn spread? Reference worlds, ratio per recently churned close friend", HEAD, rows
    summary = [_summary(name, KINDS[name][0], studies) for name, studies in found.items()]
    head = (
        "world",
        "worlds",
        "mean ratio",
        "spread of log",
        "truth held",
        "by chance alone",
        "naive off 1",
        "verdicts",
    )
    yield "Coverage of nominal 95 % intervals", head, summary


def studied(
    contagion: float, homophily: float, seed: int, customers: int = 50_000, *, is_shocked: bool = False
) -> Contagion:
    """Play one world and study it."""
    settings = reference_world(contagion=contagion, homophily=homophily, seed=seed, customers=customers)
    sightings, left_day = played(settings, N_LOOKS, is_shocked=is_shocked)
    return contagion_study(sightings, left_day, StudySettings(seed=seed, n_shuffles=N_SHUFFLES))


def _row(name: str, seed: int, study: Contagion) -> Row:
    ratio, measured, naive = study.ratio, study.measured, study.naive
    if ratio is None or measured is None or naive is None:
        return (name, seed, study.verdict, *[""] * (len(HEAD) - 4), study.n_leavers)
    return (
        name,
        seed,
        study.verdict,
        ratio.value,
        ratio.low,
        ratio.high,
        f"{measured.low:.2f}-{measured.high:.2f}",
        f"{naive.value:.2f} ({naive.low:.2f}-{naive.high:.2f})",
        *(study.controls.get(name) or 0.0 for name in ("own_risk_before", "strangers")),
        study.shuffle_p or 0.0,
        study.n_leavers,
    )


def _summary(name: str, truth: float, studies: list[Contagion]) -> Row:
    ratios = [(study.ratio, study.measured, study.naive) for study in studies]
    complete = [each for each in ratios if None not in each]
    logs = [log(ratio.value) for ratio, _, _ in complete if ratio is not None]
    n = len(complete)
    verdicts = [study.verdict for study in studies]
    counted = ", ".join(f"{verdicts.count(each)} {each}" for each in sorted(set(verdicts)))
    return (
        name,
        len(studies),
        exp(float(np.mean(logs))) if n else "",
        float(np.std(logs)) if n else "",
        f"{sum(r is not None and r.low <= truth <= r.high for r, _, _ in complete)} of {n}",
        f"{sum(m is not None and m.low <= truth <= m.high for _, m, _ in complete)} of {n}",
        f"{sum(v is not None and v.low > 1 for _, _, v in complete)} of {n}",
        counted,
    )
