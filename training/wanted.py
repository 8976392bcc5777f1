"""How the user wants a model fitted: the settings of a workspace, with the user's names of columns resolved."""

from __future__ import annotations

from pathlib import Path

from churnrisk.config import Config
from churnrisk.tables.lake import LakeTables
from features.catalogue import Catalogue

from .fit import FitSettings
from .naming import columns_named
from .objectives import loaded_objective
from .tuning import Tuning


def fit_settings(
    config: Config,
    tables: LakeTables,
    entries: Catalogue,
    *,
    own: Path | None = None,
    tuning: Tuning | None = None,
) -> FitSettings:
    """Return what `fitted_model` needs to know.

    Parameters
    ----------
    config : training, evaluation, engine and churn are read.
    tables : name the user's own columns.
    entries : the catalogue, with the user's own features.
    own : folder with the user's objective; by default ``features``.
    tuning : a search for settings of the trees; None: the defaults.

    Raises
    ------
    ConfigError
        A setting names a column that is not there, or an objective that cannot be loaded.
    """
    training = config.training

    def named(names: tuple[str, ...], setting: str) -> tuple[str, ...]:
        return columns_named(names, tables, entries, where=f"[training] {setting}")

    left_out = named(training.leave_out, "leave_out")
    compared = columns_named(config.evaluation.by, tables, entries, where="[evaluation] by")
    by = named((training.calibrate_by,), "calibrate_by") if training.calibrate_by else (None,)
    objective = training.objective
    return FitSettings(
        training.seed,
        training.n_folds,
        config.engine.threads,
        group_of=lambda name: entries[name].group,
        tuning=tuning,
        objective=None if objective is None else loaded_objective(objective, own or Path("features")),
        leave_out=frozenset(left_out),
        unshared=frozenset((*left_out, *compared)),
        calibrate_by=by[0],
        expected_rate=config.churn.expected_rate,
    )
