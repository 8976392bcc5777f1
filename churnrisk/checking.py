"""The order of the stages of checking: load, keep what was rejected, count, hold names in settings against columns.

It decides which settings name columns that must be there, and refuses to judge a source.
"""

from __future__ import annotations

from dataclasses import replace

from .acting import offer_faults, setting_faults
from .config import Config
from .dates import AsOf
from .errors import ConfigError, ContractError, Fault
from .inputs import Inputs
from .logs import Stages
from .sources import LoadedSources, load, publish_quarantine
from .sources.readiness import Readiness, Remark, readiness
from .store import Workspace


def check(workspace: Workspace, as_of: AsOf, inputs: Inputs) -> Readiness:
    """Say what the sources hold as of a day, and whether there is enough to learn from.

    Raises
    ------
    ContractError
        A source breaks its contract; every fault of every source. An offer names an unknown channel, or who may get
        it cannot be read.
    ConfigError
        [training] leave_out or calibrate_by, or [evaluation] by, names a column that no source has; settings name a
        channel that is none of [contacts] channels; a proactive rule cannot be read.
    """
    with (
        workspace.held("check"),
        workspace.engine() as engine,
        Stages("check", 1, interactive=inputs.interactive) as stages,
        stages.stage("load and check"),
    ):
        loaded = load(workspace, engine, environment=inputs.environment, frames=inputs.frames)
        publish_quarantine(workspace, loaded.quarantine, as_of.day)
        found = readiness(loaded, engine, workspace.config, as_of)
    from features import library

    catalogue = library(workspace.root / "features").catalogue
    misnamed, accepted = _misnamed(workspace, loaded)
    faults = [*misnamed, *setting_faults(workspace.config, loaded.tables, catalogue)]
    if faults:
        raise ConfigError(faults)
    offers = offer_faults(workspace.config, loaded.tables, catalogue)
    if offers:
        raise ContractError(offers)
    remarks = tuple(
        Remark(
            "column_unknown", "warn", f"{each.where} names {each.found}, which no source has.", each.remedy
        )
        for each in accepted
    )
    if not remarks:
        return found
    verdict = "warn" if found.verdict == "ok" else found.verdict
    return replace(found, remarks=(*found.remarks, *remarks), verdict=verdict)


def _misnamed(workspace: Workspace, loaded: LoadedSources) -> tuple[list[Fault], list[Fault]]:
    """Return the faults of columns that training or evaluation would refuse, and of those it would pass over."""
    named = _names(workspace.config)
    if not named:
        return [], []
    from features import library
    from training.naming import unknown_names

    catalogue = library(workspace.root / "features").catalogue
    found = {
        where: unknown_names(names, loaded.tables, catalogue, where=where) for where, names in named.items()
    }
    accepted = found.pop(ACCEPTED, [])
    return [fault for faults in found.values() for fault in faults], accepted


ACCEPTED = "[training] accept_leaks"
"""Names here are the user's word about columns that may be gone: unknown ones are told, and no training stops."""


def _names(config: Config) -> dict[str, tuple[str, ...]]:
    """Return the columns that settings of learning and judging name, by where they stand."""
    training = config.training
    named = {
        "[training] leave_out": training.leave_out,
        "[training] calibrate_by": (training.calibrate_by,) if training.calibrate_by else (),
        "[evaluation] by": config.evaluation.by,
        ACCEPTED: training.accept_leaks,
    }
    return {where: names for where, names in named.items() if names}
