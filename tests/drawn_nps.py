"""Customers whose mood is planted: waits show part of it, the unhappy answer less, and what all would say is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import NPS_CATEGORIES, PredictedNps, Provenance
from churnrisk.bundle.nps import PREDICTED_COLUMNS
from churnrisk.dates import AsOf
from churnrisk.store import Engine, Workspace
from churnrisk.tables.lake import LakeTables
from tests.spec.features.drawn import completed, lake_of
from training import FitSettings
from training.nps import predicted_nps

AS_OF = AsOf(date(2026, 6, 30))
WAVES = (date(2026, 1, 10), date(2026, 2, 20), date(2026, 4, 5), date(2026, 5, 15))
GROUPS = {"wait_s": "service", "tenure_days": "profile", "nps_last_score": "satisfaction"}


@dataclass(frozen=True)
class DrawnLook:
    """One look at all customers."""

    instant: AsOf
    features: pl.DataFrame

    @property
    def day(self) -> str:
        return str(self.instant)


@dataclass(frozen=True)
class NpsWorld:
    """``visible``: how much of mood the waits show; ``hidden``: standard deviation of the rest; ``bias``: log odds of
    an answer per unit of mood.
    """

    n: int = 2000
    visible: float = 1.2
    hidden: float = 0.2
    bias: float = 0.8
    level: float = -1.3
    asked: float = 0.6
    forbids: float = 0.05
    seed: int = 1

    @cached_property
    def rng(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)

    @cached_property
    def wait(self) -> NDArray[np.float64]:
        return self.rng.normal(0, 1, self.n)

    @cached_property
    def mood(self) -> NDArray[np.float64]:
        """Higher is happier."""
        return -self.visible * self.wait + self.rng.normal(0, self.hidden, self.n)

    @cached_property
    def may_use_answers(self) -> NDArray[np.bool_]:
        return self.rng.random(self.n) >= self.forbids

    @cached_property
    def waves(self) -> list[tuple[date, NDArray[np.float64], NDArray[np.bool_]]]:
        """By wave: what everybody would say, and who says it."""
        chance = 1 / (1 + np.exp(-(self.level + self.bias * self.mood)))
        found = []
        for day in WAVES:
            latent = 7.6 + 1.2 * self.mood + self.rng.normal(0, 1, self.n)
            answers = (self.rng.random(self.n) < self.asked) & (self.rng.random(self.n) < chance)
            found.append((day, np.clip(np.rint(latent), 0, 10), answers))
        return found

    @property
    def would_say(self) -> NDArray[np.float64]:
        """What everybody would say in the last wave."""
        return self.waves[-1][1]

    @property
    def is_silent(self) -> NDArray[np.bool_]:
        """Who never answered."""
        heard: NDArray[np.bool_] = np.any([answers for _, _, answers in self.waves], axis=0)
        return ~heard

    def surveys(self) -> pl.DataFrame:
        parts = [
            pl.DataFrame(
                {
                    "invitation_id": [f"{day}-{who}" for who in np.flatnonzero(answers)],
                    "customer_key": np.flatnonzero(answers),
                    "invited_at": [f"{day} 10:00:00.000000"] * int(answers.sum()),
                    "answered_at": [f"{day + timedelta(days=2)} 10:00:00.000000"] * int(answers.sum()),
                    "score": score[answers],
                }
            )
            for day, score, answers in self.waves
        ]
        return completed("surveys", pl.concat(parts))

    def customers(self) -> pl.DataFrame:
        frame = pl.DataFrame(
            {
                "customer_key": np.arange(self.n),
                "joined_at": ["2020-01-01"] * self.n,
                "may_use_answers": self.may_use_answers,
            }
        )
        return completed("customers", frame)

    def lake(self, folder: Path, surveys: pl.DataFrame | None = None) -> LakeTables:
        given = self.surveys() if surveys is None else surveys
        return lake_of(folder, {"customers": self.customers(), "surveys": given})

    def features(self, seed: int) -> pl.DataFrame:
        """The feature table of one day; what was answered is in it, as it would be."""
        rng = np.random.default_rng((self.seed, seed + 1))  # a zero would draw the world once more
        keys = np.arange(self.n)
        return pl.DataFrame(
            {
                "customer_key": keys,
                "customer_id": [f"c{key}" for key in keys],
                "wait_s": self.wait + rng.normal(0, 0.1, self.n),
                "tenure_days": rng.integers(30, 3000, self.n),
                "nps_last_score": np.where(self.is_silent, np.nan, self.would_say),
            }
        ).with_columns(pl.col("nps_last_score").fill_nan(None))

    def looks(self, n: int = 6) -> list[DrawnLook]:
        days = [AsOf(date(2026, 5, 17)).shifted(-30 * place) for place in range(n)]
        return [DrawnLook(day, self.features(place)) for place, day in enumerate(days)]

    def predicted(self, folder: Path, surveys: pl.DataFrame | None = None) -> PredictedNps:
        with Engine(threads=1) as engine:
            tables = self.lake(folder, surveys)
            tables.register(engine)
            found = predicted_nps(engine, tables, self.looks(), SETTINGS, origin=Provenance(), as_of=AS_OF)
        assert found is not None
        return found


SETTINGS = FitSettings(seed=7, n_folds=5, threads=1, group_of=GROUPS.__getitem__)


def shares(score: NDArray[np.float64]) -> dict[str, float]:
    """Share of each category among scores, by hand."""
    detractor, promoter = float((score <= 6).mean()), float((score >= 9).mean())
    return dict(zip(NPS_CATEGORIES, (detractor, 1 - detractor - promoter, promoter), strict=True))


def drawn_table(workspace: Workspace, as_of: AsOf, silent: list[str], *, version: str) -> None:
    """Write a published table ``nps_predicted`` of a day: each customer is predicted to be a promoter."""
    rows = {name: dtype for name, dtype in PREDICTED_COLUMNS.items() if name != "category"}
    table = pl.DataFrame(
        {
            "as_of": [as_of.day] * len(silent),
            "customer_id": silent,
            **{name: [0.8 if name.startswith("promoter") else 0.1] * len(silent) for name in rows},
            "category": ["promoter"] * len(silent),
            "model_version": [version] * len(silent),
            "run_id": ["r"] * len(silent),
        }
    )
    folder = workspace.published / "nps_predicted" / f"as_of={as_of}"
    folder.mkdir(parents=True)
    table.write_parquet(folder / "part-0.parquet")
