"""What a set-up compiles is what a night calls."""

from __future__ import annotations

import importlib
import pkgutil

import features.ties
from features.ties.warm import warm

CALLED_BY_LOOPS_ONLY = {"same_hubs", "first_not_below"}


def test_setting_up_compiles_every_loop_for_one_type_of_each_argument() -> None:
    warm()
    homes = (
        importlib.import_module(f"features.ties.{home.name}")
        for home in pkgutil.iter_modules(features.ties.__path__)
    )
    loops = {
        name: loop
        for home in homes
        if home.__name__ != "features.ties.rows"  # for graphs that are no ties
        for name, loop in vars(home).items()
        if hasattr(loop, "py_func") and loop.__module__ == home.__name__
    }
    assert "moved_nodes" in loops
    cold = {name for name, loop in loops.items() if not loop.signatures and not name.startswith("_")}
    assert cold <= CALLED_BY_LOOPS_ONLY
