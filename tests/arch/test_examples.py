"""Examples in docstrings are run: an example that is not true is worse than none."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("churnrisk", "features", "training", "scoring")


def modules_with_examples() -> list[str]:
    paths = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    named = (path.relative_to(ROOT).with_suffix("") for path in paths if ">>> " in path.read_text("utf-8"))
    return [".".join(path.parts).removesuffix(".__init__") for path in named]


@pytest.mark.parametrize("name", modules_with_examples())
def test_examples_in_docstrings_are_true(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert outcome.attempted > 0
    assert outcome.failed == 0
