"""A user's own objective for the trees: a Python function in the workspace, checked before anything is learned by it.

It decides what such a function must be, and refuses to know trees. The function says in which direction and how fast
each score should move; probabilities come afterwards, from the calibrator, as always.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from churnrisk.errors import ConfigError, Fault

Floats = NDArray[np.float64]

NAMED = re.compile(r"(?P<module>[A-Za-z_]\w*):(?P<function>[A-Za-z_]\w*)", re.ASCII)
"""How an objective is named in the settings."""

TRIED = np.array([-2.0, 0.0, 0.0, 2.0]), np.array([0.0, 1.0, 0.0, 1.0])
"""Scores and outcomes that a function is tried on."""


@dataclass(frozen=True)
class Objective:
    """``function(score, left)`` returns gradient and hessian of the loss of each row by its score (log-odds)."""

    name: str
    source: str
    """Hash of the file's text: a changed function is another model."""
    function: Callable[[Floats, Floats], tuple[Floats, Floats]]

    def gradients(self, score: Floats, left: Floats, weight: Floats | None) -> tuple[Floats, Floats]:
        """Return gradient and hessian of each row times its weight; raise ConfigError when they are not numbers."""
        found = self.function(score, left)
        try:
            gradient, hessian = (np.asarray(part, dtype=np.float64) for part in found)
        except (TypeError, ValueError) as error:
            raise _wrong(self.name, "two arrays of numbers", f"{type(found).__name__}") from error
        if gradient.shape != score.shape or hessian.shape != score.shape:
            raise _wrong(
                self.name,
                f"two arrays of {len(score)} numbers",
                f"shapes {gradient.shape} and {hessian.shape}",
            )
        if not (np.isfinite(gradient).all() and np.isfinite(hessian).all()):
            raise _wrong(self.name, "finite numbers", "nan or infinity")
        return (gradient, hessian) if weight is None else (gradient * weight, hessian * weight)


def loaded_objective(named: str, folder: Path) -> Objective:
    """Return the objective ``module:function`` from ``folder/module.py``.

    Raises
    ------
    ConfigError
        The name has another form, there is no such file or function, or the function does not push the scores of
        leavers up and of stayers down.
    """
    match = NAMED.fullmatch(named)
    if match is None:
        raise _fault("two names with a colon, such as my_objectives:focal", repr(named))
    path = folder / f"{match['module']}.py"
    if not path.is_file():
        raise _fault(f"a file {path.name} in {folder.name}/ of the workspace", "no such file")
    spec = importlib.util.spec_from_file_location(f"churnrisk_own_{match['module']}", path)
    if spec is None or spec.loader is None:
        raise _fault("a Python file", path.name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function = getattr(module, match["function"], None)
    if not callable(function):
        names = tuple(sorted(name for name, value in vars(module).items() if callable(value)))
        raise _fault(f"a function {match['function']} in {path.name}", "none of that name", names)
    objective = Objective(named, hashlib.sha256(path.read_bytes()).hexdigest()[:16], function)
    _refuse_nonsense(objective)
    return objective


def _refuse_nonsense(objective: Objective) -> None:
    score, left = TRIED
    gradient, hessian = objective.gradients(score, left, None)
    if (hessian <= 0).any() or (gradient[left > 0] >= 0).any() or (gradient[left == 0] <= 0).any():
        raise _wrong(
            objective.name,
            "gradients below 0 for leavers and above 0 for stayers, hessians above 0",
            f"gradient {gradient.round(3).tolist()} and hessian {hessian.round(3).tolist()} for scores "
            f"{score.tolist()} of outcomes {left.tolist()}",
        )


def _wrong(name: str, expected: str, found: str) -> ConfigError:
    return _fault(f"from {name}: {expected}", found)


def _fault(expected: str, found: str, available: tuple[str, ...] = ()) -> ConfigError:
    return ConfigError(
        Fault(
            code="objective_invalid",
            where="churnrisk.toml [training] objective",
            expected=expected,
            found=found,
            remedy="Correct the setting or the function; see docs/extending.md.",
            available=available,
        )
    )
