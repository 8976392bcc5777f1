"""Every room stands on a floor: a module that import-linter's contract forgets could import whatever it likes."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
FRONT_DOOR = {"churnrisk", "churnrisk.__main__"}


def test_every_room_of_the_packages_is_named_in_the_contract_of_floors() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (floors,) = [contract for contract in contracts if contract["id"] == "floors"]
    named = set(re.findall(r"[\w.]+", " ".join(floors["layers"])))
    inside = [
        path
        for path in (ROOT / "churnrisk").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    ]
    rooms = {f"churnrisk.{path.stem}".removesuffix(".__init__") for path in inside}
    assert rooms - FRONT_DOOR - named == set()
    assert {"features", "training", "scoring"} <= named
