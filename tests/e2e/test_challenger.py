"""A night scores the challenger beside the champion, and goes on without it when it cannot."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from churnrisk.bundle import Bundle
from churnrisk.registry.local import CHALLENGER, point
from tests.e2e.conftest import AS_OF, Command

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def with_challenger(root: Path, bundle: Bundle) -> Path:
    """Put ``bundle`` where a training would put a challenger."""
    bundle.with_version("2").save(root / "models" / "2")
    point(root / "models", CHALLENGER, "2")
    return root


def shadow(root: Path) -> pl.DataFrame:
    return pl.read_parquet(root / f"published/shadow_scores/as_of={AS_OF}/part-0.parquet")


def test_a_night_scores_the_challenger_and_withdraws_its_table_when_it_cannot(
    own_telco: Path, command: Command
) -> None:
    scores = own_telco / f"published/scores/as_of={AS_OF}/part-0.parquet"
    before = pl.read_parquet(scores)
    champion = Bundle.load(own_telco / "models" / "champion")
    root = with_challenger(own_telco, champion)
    said = command("-q", "-w", root, "score", "--as-of", AS_OF, "--json")
    assert said.code == 0, said.err
    found = shadow(root)
    assert found["risk"].to_list() == before["risk"].to_list()
    assert found["model_version"].unique().to_list() == ["2"]
    assert pl.read_parquet(scores).drop("run_id").equals(before.drop("run_id"))

    text = (root / "models" / "2" / "bundle.json").read_text("utf-8")
    plain = json.loads(text)
    plain["features"][0]["name"] = "a_source_that_ended"
    (root / "models" / "2" / "bundle.json").write_text(json.dumps(plain), "utf-8")
    said = command("-q", "-w", root, "score", "--as-of", AS_OF, "--json")
    assert said.code == 0, said.err
    (warning,) = [each for each in said.plain["warnings"] if "challenger" in each]
    assert "a_source_that_ended" in warning
    assert "shadow_scores" not in said.plain["rows"]
    assert not (root / f"published/shadow_scores/as_of={AS_OF}").exists()
    shutil.rmtree(root / "models" / "2")  # a link to nothing is no challenger
    assert command("-q", "-w", root, "score", "--as-of", AS_OF).code == 0
