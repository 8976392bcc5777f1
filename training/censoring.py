"""Weights for customers without a retention action, so that they stand for all as if nobody had got one.

What is predicted is the risk without an action (science, section 5). Who got one is not learned from, and they were
not picked by chance: the others are weighted by the inverse of their chance of having been left alone. It decides
those weights, and refuses to know labels and learners of risk.

Two ways, and never a mixture:

recorded
    Every action had been drawn, and those left without one on purpose (controls) were written down with their chance
    c of being so. Whoever was never picked weighs 1, since not being picked takes nobody away; a control weighs 1/c and
    stands for all who were picked with them. Exact, whatever the picking went by.
estimated
    No controls, or too few: the rate of being treated is learned from the features, out of fold, and each row weighs
    one over its chance of having gone untreated as long as it was followed (inverse probability of censoring weights,
    Robins & Finkelstein 2000, Biometrics 56:779-788). It rests on the features telling why somebody was picked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import KEY_COLUMNS, matrix

from .folds import customer_folds
from .labels import Labels
from .rows import Rows, unified
from .screening import screened

Floats = NDArray[np.float64]

FEWEST_CONTROL_LEAVERS = 50
"""Leaving controls from whom recorded chances are used alone; with fewer their large weights say little (judgement)."""

TRIM = 10.0
"""Weights are cut at so many times their median (science, section 7, has the same for answers)."""

LEAST_UNTREATED = 0.02
"""A smaller chance of going untreated through the window lies outside what weights can mend (judgement)."""

N_FOLDS = 5
PICKING = {
    "objective": "poisson",
    "num_leaves": 15,
    "min_data_in_leaf": 100,
    "learning_rate": 0.05,
    "feature_fraction": 0.5,
    "lambda_l2": 10.0,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
N_TREES = 120
"""The learner of who is picked: plain and smooth, since a sharp one gives wild weights (judgement)."""


@dataclass(frozen=True)
class Censoring:
    """What was done about retention actions in the rows that are learned from and judged."""

    source: Literal["recorded", "estimated"]
    n_treated: int
    """Customer dates not learned from, because an action came before the outcome."""
    n_controls: int
    n_control_leavers: int
    n_trimmed: int
    n_outside: int
    """Customer dates that had next to no chance of going untreated, or were picked where nobody was left alone."""
    n_effective: float
    """Kish's effective number of judged customer dates, (sum w)^2 / sum w^2."""

    def sentences(self) -> tuple[str, ...]:
        """Say it in words, for notes and the model card."""
        how = {
            "recorded": f"the {self.n_controls:,} controls stand for them with their recorded chance",
            "estimated": "the others are weighted by their estimated chance of having gone without",
        }[self.source]
        first = (
            f"risk is the risk without a retention action: {self.n_treated:,} customer dates with one are not "
            f"learned from, {how} (worth {self.n_effective:,.0f} unweighted ones)"
        )
        outside = (
            f"{self.n_outside:,} customer dates were as good as always given an action: what they would do without "
            "is extrapolated. Leaving a random share of those picked alone, recorded as control with its propensity, "
            "would tell"
        )
        return (first, outside) if self.n_outside else (first,)


class Followed(Protocol):
    """One snapshot: its day (ISO), feature table and labels."""

    @property
    def day(self) -> str: ...
    @property
    def features(self) -> pl.DataFrame: ...
    @property
    def labels(self) -> Labels: ...


def weighted(looks: Sequence[Followed], *, seed: int, threads: int) -> tuple[list[Labels], Censoring | None]:
    """Return the labels of each look with weights, and what was done; as they are where nobody was treated.

    Parameters
    ----------
    looks : the snapshots, each with ``labels.followed`` or without.
    seed : of the learner.
    threads : of the learner.

    Raises nothing of its own. Weights are over 0; their level is that of customers (a weight of 2 = two customers).
    """
    labels = [look.labels for look in looks]
    if not any(found.followed is not None and found.followed["is_treated"].any() for found in labels):
        return labels, None
    followed = [found.followed for found in labels if found.followed is not None]
    together = pl.concat(followed)
    controls = together.filter(~pl.col("is_treated") & pl.col("is_control"))
    is_recorded = _stand_for_all(controls, int(together["is_treated"].sum()))
    if is_recorded:
        weights = [_recorded(found) for found in followed]
        n_outside = 0
    else:
        weights, n_outside = _estimated(looks, seed=seed, threads=threads)
    every = np.concatenate([found["weight"].to_numpy() for found in weights])
    # recorded chances are exact, and are not cut: a cut would let part of those picked go unheard
    limit = np.inf if is_recorded else TRIM * float(np.median(every))
    cut = [found.with_columns(pl.col("weight").clip(upper_bound=limit)) for found in weights]
    made = iter(cut)
    done = [found if found.followed is None else _with_weight(found, next(made)) for found in labels]
    kept = np.concatenate([found["weight"].to_numpy() for found in cut])
    return done, Censoring(
        source="recorded" if is_recorded else "estimated",
        n_treated=int(together["is_treated"].sum()),
        n_controls=controls.height,
        n_control_leavers=int(controls["left"].sum()),
        n_trimmed=int((every > limit).sum()),
        n_outside=n_outside,
        n_effective=float(kept.sum() ** 2 / (kept @ kept)),
    )


def _stand_for_all(controls: pl.DataFrame, n_treated: int) -> bool:
    """Say whether the controls' recorded chances account for the treated, and the controls are enough to learn from.

    Of each control stands for 1/c people picked; their sum has the variance sum (1 - c)/c^2. More treated than three
    standard errors above it: actions were taken that had no controls.
    """
    if controls["log_control_chance"].null_count() or int(controls["left"].sum()) < FEWEST_CONTROL_LEAVERS:
        return False
    chance = controls["log_control_chance"].exp().to_numpy()
    stood_for = float((1 / chance - 1).sum())
    return n_treated <= stood_for + 3 * float(np.sqrt(((1 - chance) / chance**2).sum()))


def _with_weight(labels: Labels, weight: pl.DataFrame) -> Labels:
    frame = labels.frame.join(weight, on="customer_key", how="left", maintain_order="left")
    return Labels(frame, labels.counts, labels.followed)


def _recorded(followed: pl.DataFrame) -> pl.DataFrame:
    """Return customer_key and weight of the untreated: 1, and one over the recorded chance for controls."""
    chance = pl.when(pl.col("is_control")).then(pl.col("log_control_chance")).otherwise(0.0)
    return followed.filter(~pl.col("is_treated")).select("customer_key", weight=(-chance).exp())


def _estimated(looks: Sequence[Followed], *, seed: int, threads: int) -> tuple[list[pl.DataFrame], int]:
    """Return customer_key and weight of the untreated of every look, and how many lie outside support."""
    rows, days, is_treated, keys = _histories(looks)
    hazard = cumulative_hazard(days, is_treated)
    relative = _relative_rate(rows, hazard(days), is_treated, seed=seed, threads=threads)
    untreated = np.exp(-hazard(days) * relative)
    through = np.exp(-hazard(np.full(len(days), float(days.max()))) * relative)
    made = []
    for day in dict.fromkeys(rows.snapshot.tolist()):
        mine = (rows.snapshot == day) & ~is_treated
        made.append(
            pl.DataFrame(
                {"customer_key": keys[mine], "weight": 1.0 / np.maximum(untreated[mine], LEAST_UNTREATED)}
            )
        )
    return made, int((through < LEAST_UNTREATED).sum())


def _histories(looks: Sequence[Followed]) -> tuple[Rows, Floats, NDArray[np.bool_], NDArray[np.int64]]:
    """Return the features of everybody who was followed, how long (days), and whether an action ended it."""
    joined = [
        look.features.join(
            look.labels.followed, on="customer_key", how="inner", maintain_order="left"
        ).with_columns(snapshot_day=pl.lit(look.day, dtype=pl.String), row_key=pl.col("customer_key"))
        for look in looks
        if look.labels.followed is not None
    ]
    told = ("days", "is_treated", "is_control", "left", "log_control_chance", "snapshot_day", "row_key")
    outcome = pl.concat([frame.select(told) for frame in joined])
    inputs = pl.concat(unified([frame.drop(told) for frame in joined]), how="diagonal")
    rows = Rows(
        frame=inputs.drop(*KEY_COLUMNS, strict=False),
        left=outcome["is_treated"].cast(pl.Float64).to_numpy(),
        weight=np.ones(outcome.height),
        customer=pl.concat([frame["customer_id"] for frame in joined]).to_numpy().astype(object),
        snapshot=outcome["snapshot_day"].to_numpy().astype(object),
    )
    return (
        rows,
        outcome["days"].to_numpy(),
        outcome["is_treated"].to_numpy(),
        outcome["row_key"].to_numpy(),
    )


class CumulativeHazard:
    """The Nelson-Aalen estimate: the summed rate of being treated by so many days, over those still followed."""

    def __init__(self, days: Floats, summed: Floats) -> None:
        self._days = days
        self._summed = np.concatenate([[0.0], summed])

    def __call__(self, days: Floats) -> Floats:
        """Return the summed rate by each of ``days``, the day itself included; shape (n,)."""
        found: Floats = self._summed[np.searchsorted(self._days, days, side="right")]
        return found


def cumulative_hazard(days: Floats, is_treated: NDArray[np.bool_]) -> CumulativeHazard:
    """Return the Nelson-Aalen estimate for histories of ``days`` that ended in an action or not; shapes (n,)."""
    ordered = np.sort(days)
    at, counts = np.unique(days[is_treated], return_counts=True)
    at_risk = len(ordered) - np.searchsorted(ordered, at, side="left")
    return CumulativeHazard(at, np.cumsum(counts / at_risk))


def _relative_rate(
    rows: Rows, exposure: Floats, is_treated: NDArray[np.bool_], *, seed: int, threads: int
) -> Floats:
    """Return each row's rate of being treated over the average, by learners that did not see its customer.

    Given the summed average rate E up to the end of a history, the number of actions (0 or 1) is Poisson with mean
    r(x) E (the likelihood of a proportional-hazards model with the average rate plugged in): weight E, target d/E.
    """
    import lightgbm as lgb

    found = screened(rows, lambda _: "")
    if not found.features:
        return np.ones(len(exposure))
    encoded = matrix(rows.frame, found.features)
    seen = exposure > 0
    target = np.divide(is_treated, exposure, out=np.zeros(len(exposure)), where=seen)
    folds = customer_folds(rows.customer, rows.left, N_FOLDS, salt=f"picked-{seed}")
    categories = [place for place, feature in enumerate(found.features) if feature.kind == "category"]
    settings: dict[str, Any] = {**PICKING, "seed": seed, "num_threads": threads}
    relative = np.ones(len(exposure))
    for fold in range(N_FOLDS):
        learned = (folds != fold) & seen
        data = lgb.Dataset(
            encoded[learned],
            label=target[learned],
            weight=exposure[learned],
            categorical_feature=categories,
            params=settings,
        )
        booster = lgb.train(settings, data, num_boost_round=N_TREES)
        relative[folds == fold] = np.asarray(booster.predict(encoded[folds == fold]), dtype=np.float64)
    return relative
