"""One table to learn trees from: fitted, judged across folds, tuned; and whether tuned settings are really better.

It decides what counts as better, and refuses to know how settings are searched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scipy.special import expit

from churnrisk.bundle import Feature
from churnrisk.metrics import Interval, paired_differences

from .folds import Folds, customer_folds
from .objectives import Objective
from .rates import Design, designed
from .rows import Rows
from .trees import Crossed, TreesFit, Watch, crossed_trees, fitted_trees
from .tuning import Trial, Tuning, identity_of, searched

MACHINE = ("num_threads", "verbosity", "force_row_wise", "force_col_wise")
"""Settings that change no decision of a search."""


@dataclass(frozen=True)
class Tuned:
    """What is learned with in the end, and what the search came to."""

    settings: Mapping[str, Any]
    crossed: Crossed
    chosen: Mapping[str, Any]
    """Settings that were searched and found better; empty when the defaults stay."""
    parameters: Mapping[str, Any]
    sentence: str


@dataclass(frozen=True)
class Task:
    """Rows, what is learned of them, and the folds that judge."""

    rows: Rows
    features: tuple[Feature, ...]
    """As screened, before texts are rated: other folds rate them anew."""
    design: Design
    folds: Folds
    objective: Objective | None = None

    def fitted(self, settings: Mapping[str, Any], crossed: Crossed | None = None) -> TreesFit:
        """Return the trees fitted on all rows."""
        return fitted_trees(
            self.design.encoded,
            self.rows.left,
            self.rows.weight if self.rows.is_weighted else None,
            features=self.design.features,
            folds=self.folds,
            settings=settings,
            rated=self.design.rated,
            objective=self.objective,
            crossed=crossed,
        )

    def crossed(self, settings: Mapping[str, Any], watch: Watch | None = None) -> Crossed:
        """Return how well trees with these settings do on the folds they did not see."""
        return crossed_trees(
            self.design.encoded,
            self.rows.left,
            self.rows.weight if self.rows.is_weighted else None,
            features=self.design.features,
            folds=self.folds,
            settings=settings,
            rated=self.design.rated,
            objective=self.objective,
            watch=watch,
        )

    def on_other_folds(self, salt: str) -> Task:
        """Return the same rows judged by other folds, customer-disjoint as well."""
        folds = customer_folds(self.rows.customer, self.rows.left, int(self.folds.max()) + 1, salt=salt)
        design = designed(self.rows, self.features, folds) if self.design.rated else self.design
        return Task(self.rows, self.features, design, folds, self.objective)

    def tuned(self, defaults: Mapping[str, Any], tuning: Tuning, seed: int) -> Tuned:
        """Search on other folds, then compare with the defaults on these; the defaults stay unless surely worse.

        The best of many trials looks better than it is on the folds that chose it. So the search has folds of its own,
        and what it found must beat the defaults on these by more than chance: the 95 % interval of the gain in log loss
        (AUC, with an own objective), customers resampled, must exclude 0.
        """
        search = self.on_other_folds(f"tune-{seed}")

        def judged(settings: Mapping[str, Any], watch: Watch | None) -> tuple[float, int]:
            found = search.crossed(settings, watch)
            return found.loss, found.n_trees

        found = searched(defaults, judged, tuning=tuning, identity=search.identity(defaults), seed=seed)
        plain = self.crossed(defaults)
        n_trials = sum(trial.state != "failed" for trial in found.trials)
        if found.is_default:
            why = "none was better" if n_trials > 1 else "time for nothing else; give it more minutes"
            return _kept(defaults, plain, n_trials, why)
        other = self.crossed(found.settings)
        gain = self._gain(other, plain)
        what = "log loss" if self.objective is None else "AUC"
        words = f"{what} better by {gain.value:.5f} [{gain.low:.5f}, {gain.high:.5f}] on other folds"
        if not gain.low > 0:
            return _kept(defaults, plain, n_trials, f"the best is not surely better: {words}")
        chosen = {name: found.settings[name] for name in _best(found.trials).settings}
        return Tuned(
            found.settings,
            other,
            chosen,
            {"tuning_trials": n_trials, "tuning_kept": "tuned"},
            f"tuned in {_counted(n_trials)}: {words}",
        )

    def identity(self, defaults: Mapping[str, Any]) -> str:
        """Return a hash of everything that decides what a trial comes to."""
        plain = {name: value for name, value in defaults.items() if name not in MACHINE}
        return identity_of(
            self.design.encoded,
            self.rows.left,
            self.rows.weight,
            self.folds,
            repr([(feature.name, feature.kind) for feature in self.design.features]).encode(),
            repr(sorted(plain.items())).encode(),
            b"" if self.objective is None else self.objective.source.encode(),
        )

    def _gain(self, other: Crossed, plain: Crossed) -> Interval:
        gains = paired_differences(
            self.rows.left,
            expit(other.score),
            expit(plain.score),
            self.rows.weight if self.rows.is_weighted else None,
            customer=self.rows.customer.astype(str),
        )
        return gains["log_loss" if self.objective is None else "auc"]


def _kept(defaults: Mapping[str, Any], crossed: Crossed, n_trials: int, why: str) -> Tuned:
    parameters = {"tuning_trials": n_trials, "tuning_kept": "defaults"}
    return Tuned(
        defaults, crossed, {}, parameters, f"tuned in {_counted(n_trials)}, and the defaults stay: {why}"
    )


def _counted(n_trials: int) -> str:
    return f"{n_trials} trial" if n_trials == 1 else f"{n_trials} trials"


def _best(trials: tuple[Trial, ...]) -> Trial:
    return min((trial for trial in trials if trial.loss is not None), key=lambda trial: trial.loss or 0.0)
