"""Looks for better settings of the trees by Optuna, inside the rows it is given, and keeps them only if they are.

It decides what is tried, for how long, and what counts as better; it refuses to know what the rows are and where
trials are shown. A search that was killed goes on where it was: its trials lie in a file, under a name made of the
rows and everything else that decides them.
"""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .trees import Watch

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

MOST_TRIALS = 100
"""Trials of one search at most; with so many TPE finds little more in eleven settings (judgement)."""

N_RANDOM = 10
"""Trials drawn at random before earlier ones guide them (Optuna's default)."""

PROGRESS = 0.6
"""Trees times learning rate between two looks at a trial: trials are compared at equal progress."""

SPARED_LOOKS = 2
"""Looks before a trial may be given up."""

GIVEN_UP_SHARE = 50.0
"""A trial is given up when its loss is in the worse half, in per cent, of earlier ones at the same progress."""

IS_DEFAULT = "is_default"
N_TREES = "n_trees"
SECONDS = "seconds"


@dataclass(frozen=True)
class Trial:
    """One try, finished: what was set, and how well it did on held-out folds (None when it was given up)."""

    study: str
    number: int
    state: str
    """complete, pruned or failed."""
    settings: Mapping[str, float | int | bool]
    loss: float | None
    n_trees: int | None
    seconds: float
    is_default: bool


@dataclass(frozen=True)
class Tuning:
    """How long to look, where trials are kept, and who is told of each."""

    minutes: float
    n_trials: int = MOST_TRIALS
    storage: Path | None = None
    """An SQLite file; None keeps trials in memory only."""
    on_trial: Callable[[Trial], None] | None = None

    def shared(self, n_searches: int) -> Tuning:
        """Return the part of each when the time is for several searches."""
        return replace(self, minutes=self.minutes / n_searches)


Judge = Callable[[Mapping[str, Any], Watch | None], tuple[float, int]]
"""Returns the held-out loss with some settings, and the number of trees it was reached with."""


@dataclass(frozen=True)
class Found:
    """What a search found: the best settings (the defaults when nothing was better) and its trials."""

    settings: Mapping[str, Any]
    is_default: bool
    trials: tuple[Trial, ...]


class _GivenUp(Exception):
    """A trial that need not go on."""


def searched(defaults: Mapping[str, Any], judge: Judge, *, tuning: Tuning, identity: str, seed: int) -> Found:
    """Return the settings with the least held-out loss that the time allows to find.

    Parameters
    ----------
    defaults : LightGBM's parameters; the first trial is they, and always ends.
    judge : the held-out loss of settings.
    tuning : minutes and trials at most, over all runs of this search together.
    identity : whatever decides the losses, for instance a hash of the rows: the same continues the same search.
    seed : of the search; with the same trials behind it the next one is the same, whoever was killed in between.
    """
    import optuna

    with _quiet(), _opened(tuning.storage) as storage:
        study = optuna.create_study(
            storage=storage,
            study_name=identity,
            load_if_exists=True,
            direction="minimize",
            pruner=optuna.pruners.PercentilePruner(
                GIVEN_UP_SHARE, n_startup_trials=5, n_warmup_steps=SPARED_LOOKS
            ),
        )
        for killed in study.get_trials(states=(optuna.trial.TrialState.RUNNING,)):
            study.tell(killed.number, state=optuna.trial.TrialState.FAIL)
        told = [_trial(identity, trial) for trial in study.get_trials()]
        for trial in told:
            _tell(tuning, trial)
        while _goes_on(told, tuning):
            study.sampler = optuna.samplers.TPESampler(seed=seed + _n_ended(told), n_startup_trials=N_RANDOM)
            left = tuning.minutes * 60 - _spent(told)
            _try(study, judge, defaults, is_default=not _n_ended(told), seconds=left)
            told.append(_trial(identity, study.get_trials()[-1]))
            _tell(tuning, told[-1])
        best = study.best_trial
        if best.user_attrs.get(IS_DEFAULT):
            return Found(dict(defaults), True, tuple(told))
        return Found({**defaults, **best.params}, False, tuple(told))


def _goes_on(told: list[Trial], tuning: Tuning) -> bool:
    n_ended = _n_ended(told)
    return n_ended == 0 or (n_ended < tuning.n_trials and _spent(told) < tuning.minutes * 60)


def _n_ended(told: list[Trial]) -> int:
    return sum(trial.state != "failed" for trial in told)


def _spent(told: list[Trial]) -> float:
    return sum(trial.seconds for trial in told)


def _try(
    study: optuna.Study, judge: Judge, defaults: Mapping[str, Any], *, is_default: bool, seconds: float
) -> None:
    """Run one trial; it ends as complete or pruned, and stays running when the process is killed in it."""
    import optuna

    if is_default:
        study.enqueue_trial(nearest(defaults), user_attrs={IS_DEFAULT: True})
    trial = study.ask()
    settings = dict(defaults) if is_default else {**defaults, **suggested(trial)}
    if is_default:
        suggested(trial)
    started = monotonic()
    looks = 0

    def watch(n_trees: int, loss: float) -> None:
        nonlocal looks
        now = math.floor(n_trees * settings["learning_rate"] / PROGRESS)
        if now > looks:
            looks = now
            trial.report(loss, now)
            if not is_default and (trial.should_prune() or monotonic() - started > seconds):
                raise _GivenUp

    try:
        loss, n_trees = judge(settings, watch)
    except _GivenUp:
        trial.set_user_attr(SECONDS, monotonic() - started)
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        return
    trial.set_user_attr(SECONDS, monotonic() - started)
    trial.set_user_attr(N_TREES, n_trees)
    study.tell(trial, loss)


WHOLE: Mapping[str, tuple[int, int]] = {"num_leaves": (4, 128), "min_data_in_leaf": (5, 400)}
"""Settings that are whole numbers, searched in proportion."""

RATIO: Mapping[str, tuple[float, float]] = {
    "learning_rate": (0.01, 0.15),
    "lambda_l1": (1e-3, 10.0),
    "lambda_l2": (1e-3, 100.0),
    "cat_smooth": (1.0, 200.0),
}
"""Settings searched in proportion."""

PLAIN: Mapping[str, tuple[float, float]] = {
    "feature_fraction": (0.15, 1.0),
    "bagging_fraction": (0.5, 1.0),
    "path_smooth": (0.0, 30.0),
    "min_gain_to_split": (0.0, 0.5),
}
"""Settings searched evenly."""


def suggested(trial: optuna.Trial) -> dict[str, float | int | bool]:
    """Return what to try next."""
    found: dict[str, float | int | bool] = {}
    for name, (low, high) in WHOLE.items():
        found[name] = trial.suggest_int(name, low, high, log=True)
    for name, (least, most) in RATIO.items():
        found[name] = trial.suggest_float(name, least, most, log=True)
    for name, (least, most) in PLAIN.items():
        found[name] = trial.suggest_float(name, least, most)
    found["extra_trees"] = trial.suggest_categorical("extra_trees", [False, True])
    return found


def nearest(defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return where the defaults stand in what is searched: LightGBM's own value where they are silent."""
    silent = {"lambda_l1": 0.0, "path_smooth": 0.0, "min_gain_to_split": 0.0, "extra_trees": False}
    given = {**silent, **defaults}
    bounds: dict[str, tuple[float, float]] = {**WHOLE, **RATIO, **PLAIN}
    inside = {name: type(low)(min(max(given[name], low), high)) for name, (low, high) in bounds.items()}
    return {**inside, "extra_trees": bool(given["extra_trees"])}


def identity_of(*parts: bytes | NDArray[Any]) -> str:
    """Return the name of a search over whatever these bytes and arrays are; arrays are not copied."""
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        plain: Any = part if isinstance(part, bytes) else np.ascontiguousarray(part)
        found.update(memoryview(plain).nbytes.to_bytes(8, "big"))
        found.update(plain)
    return found.hexdigest()


def _trial(study: str, found: FrozenTrial) -> Trial:
    names = {"COMPLETE": "complete", "PRUNED": "pruned"}
    return Trial(
        study=study,
        number=found.number,
        state=names.get(found.state.name, "failed"),
        settings=dict(found.params),
        loss=found.value if found.state.name == "COMPLETE" else None,
        n_trees=found.user_attrs.get(N_TREES),
        seconds=float(found.user_attrs.get(SECONDS, 0.0)),
        is_default=bool(found.user_attrs.get(IS_DEFAULT)),
    )


def _tell(tuning: Tuning, trial: Trial) -> None:
    if tuning.on_trial is not None:
        tuning.on_trial(trial)


@contextmanager
def _opened(path: Path | None) -> Iterator[optuna.storages.BaseStorage]:
    """Open the file of trials, and close it again: nothing must keep it open when the workspace is copied."""
    import optuna

    if path is None:
        yield optuna.storages.InMemoryStorage()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna's notices to itself; what matters of them is in the trials."""
    logger = logging.getLogger("optuna")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
