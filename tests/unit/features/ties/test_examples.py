"""What the docstrings show is what happens, and compiling needs no place to write."""

from __future__ import annotations

import doctest
import importlib
from types import FunctionType

import numpy as np
import pytest

from features.ties.kernels import compiled, frozen


@pytest.mark.parametrize("module", ["strength", "graph", "exposure", "frames"])
def test_the_examples_of_the_docstrings_hold(module: str) -> None:
    found = doctest.testmod(importlib.import_module(f"features.ties.{module}"))
    assert found.failed == 0
    assert found.attempted > 0


def test_a_kernel_that_cannot_be_kept_on_disk_still_runs() -> None:
    code = compile("def doubled(value):\n    return 2 * value", "<nowhere>", "exec").co_consts[0]
    assert compiled(FunctionType(code, {}, "doubled"))(21) == 42


def test_kernel_arguments_are_read_only_views_where_they_can_be() -> None:
    values = np.arange(3, dtype=np.int64)
    assert np.shares_memory(frozen(values, np.int64), values)
    assert frozen(values, np.float64).dtype == np.float64
    assert values.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        frozen(values, np.int64)[0] = 1
