"""A night scores the challenger beside the champion, and goes on without it when it cannot."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from churnrisk.cli import run
from churnrisk.registry.local import CHALLENGER, CHAMPION, point
from tests.drawn_models import drawn_bundle
from tests.e2e.conftest import AS_OF, Command

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small telco whose champion, version 1, and challenger, version 2, are drawn by hand: no training."""
    place = tmp_path / "telco"
    assert run(["simulate", str(place), "--customers", "150", "--days", "120", "--seed", "3"]) == 0
    for version, names in (("1", ("tenure_days",)), ("2", ("tenure_days", "days_since_contact"))):
        drawn = drawn_bundle(**dict.fromkeys(names, "profile")).with_version(version)
        drawn.save(place / "models" / version)
    point(place / "models", CHAMPION, "1")
    point(place / "models", CHALLENGER, "2")
    return place


def test_a_night_scores_the_challenger_and_withdraws_its_table_when_it_cannot(
    root: Path, command: Command
) -> None:
    def scored() -> tuple[dict[str, int], list[str], pl.DataFrame]:
        said = command("-q", "-w", root, "score", "--as-of", AS_OF, "--json")
        assert said.code == 0, said.err
        scores = pl.read_parquet(root / f"published/scores/as_of={AS_OF}/part-0.parquet").drop("run_id")
        return said.plain["rows"], said.plain["warnings"], scores

    place = root / f"published/shadow_scores/as_of={AS_OF}/part-0.parquet"
    rows, _, scores = scored()
    assert rows["shadow_scores"] == rows["scores"]
    shadow = pl.read_parquet(place)
    assert shadow["model_version"].unique().to_list() == ["2"]
    assert shadow["customer_id"].to_list() == scores["customer_id"].to_list()
    assert shadow["risk"].to_list() != scores["risk"].to_list()

    drawn_bundle(a_source_that_ended="profile").with_version("2").save(root / "models" / "2")
    rows, warnings, again = scored()
    assert [each for each in warnings if "challenger" in each and "a_source_that_ended" in each]
    assert "shadow_scores" not in rows
    assert not place.exists()
    assert again.equals(scores)
    # switched off it is not even looked at
    with (root / "churnrisk.toml").open("a", encoding="utf-8") as settings:
        settings.write("\n[training]\nshadow = false\n")
    assert [each for each in scored()[1] if "challenger" in each] == []
