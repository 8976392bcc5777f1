"""Everything put together: whose risks, which tables, what is said, and what may leave the workspace."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from churnrisk.bundle import Provenance
from tests.drawn_judging import SETTINGS, drawn, material
from training import CROSS_VALIDATED, FIGURES, OUT_OF_TIME
from training.judging import Judgement, extract_material, judgement, shareable
from training.judging.blocks import BLOCKS
from training.judging.groups import GROUP_COLUMNS
from training.judging.judgement import _beside, _fitted, _whose
from training.judging.subject import in_order, subject_of
from training.rows import rows_together


@pytest.fixture(scope="module")
def found() -> Judgement:
    return judgement(
        material(), SETTINGS, by=["attribute_plan"], names={"attribute_plan": "plan"},
        readings={"n_ties": "lower is worse", "wait_mean_s_90d": "higher is worse"},
    )  # fmt: skip


def figure(found: Judgement, name: str) -> dict[str, float]:
    return found.tables["figures"].filter(pl.col("figure") == name).row(0, named=True)


def test_every_figure_is_there_and_all_but_statements_of_uncertainty_have_an_interval(
    found: Judgement,
) -> None:
    table = found.tables["figures"]
    assert table["figure"].to_list() == list(FIGURES)
    without = table.filter(pl.col("low").is_null())["figure"].to_list()
    assert without == [
        "ece_null_mean",
        "ece_null_se",
        "calibration_p_value",
        "observed_over_expected_dates",
        "observed_over_expected_controls",
        "level_spread",
    ]
    inside = table.drop_nulls("low").filter(pl.col("figure") != "ece")
    assert inside.select(
        (pl.col("low") <= pl.col("value")).all() & (pl.col("value") <= pl.col("high")).all()
    ).item()


def test_curves_have_ends_and_stand_beside_nobody_and_everybody(found: Judgement) -> None:
    gain, profit = found.tables["gain"], found.tables["profit"]
    assert gain["share_of_leavers_reached"][-1] == pytest.approx(1.0)
    assert (gain["lift_low"] <= gain["lift"] + 1e-9).all()
    assert profit["treat_none_per_customer"].unique().to_list() == [0.0]
    assert profit["treat_all_per_customer"][0] == pytest.approx(figure(found, "empc_treat_all")["value"])
    assert profit["profit_per_customer"][-1] == pytest.approx(profit["treat_all_per_customer"][-1])


def test_the_network_that_drives_leaving_is_seen_to_add_and_usage_that_does_not_is_not(
    found: Judgement,
) -> None:
    blocks = {row["block"]: row for row in found.tables["blocks"].iter_rows(named=True)}
    assert list(blocks) == [name for name, _ in BLOCKS]
    assert blocks["CRM"]["auc_gained"] is None
    assert blocks["+ network"]["auc_gained_low"] > 0
    assert blocks["+ usage"]["auc_gained_low"] < 0.01
    assert blocks["+ network"]["auc"] == pytest.approx(figure(found, "auc")["value"])
    assert any("+ network adds" in said for said in found.sentences["blocks"])


def test_people_never_seen_are_judged_no_worse_where_there_is_nothing_to_remember(found: Judgement) -> None:
    row = found.tables["unseen"].filter(pl.col("figure") == "auc").row(0, named=True)
    assert row["seen"] == pytest.approx(figure(found, "auc")["value"])
    assert row["low"] <= 0.01


def test_what_the_model_learned_of_each_input_stands_beside_what_was_expected(found: Judgement) -> None:
    rows = {row["feature"]: row for row in found.tables["direction"].iter_rows(named=True)}
    assert rows["wait_mean_s_90d"]["learned"] == "higher is worse"
    assert rows["wait_mean_s_90d"]["agrees"] is True
    assert rows["n_ties"]["agrees"] is False
    assert "n_ties" in found.sentences["direction"][0]


def test_every_section_says_something(found: Judgement) -> None:
    assert all(said for said in found.sentences.values())
    assert found.sentences["lead"][0].startswith("A twin is judged")
    assert "3 in notice" in found.sentences["lead_time"][1]


def test_rows_in_another_order_give_the_same_bytes(found: Judgement) -> None:
    given = material()
    assert given.learned is not None
    order = np.random.default_rng(1).permutation(len(given.tested.left))
    other = np.random.default_rng(2).permutation(len(given.learned.left))
    turned = replace(given, tested=in_order(given.tested, order), learned=in_order(given.learned, other))
    again = judgement(
        turned, SETTINGS, by=["attribute_plan"], names={"attribute_plan": "plan"},
        readings={"n_ties": "lower is worse", "wait_mean_s_90d": "higher is worse"},
    )  # fmt: skip
    assert again.sentences == found.sentences
    assert all(again.tables[name].equals(table) for name, table in found.tables.items())
    assert again.named.equals(found.named)


def test_what_may_leave_the_workspace_holds_neither_chosen_groups_nor_names(found: Judgement) -> None:
    assert set(found.tables["segments"]["attribute"]) >= {"plan", "tenure"}
    shared = shareable(found, ["plan"])
    assert shared.tables["fairness"].is_empty()
    assert "plan" not in set(shared.tables["segments"]["attribute"])
    assert shared.named.is_empty()
    assert not any("plan" in each for said in shared.sentences.values() for each in said)
    assert not found.tables["fairness"].is_empty()


def test_a_champion_is_judged_itself_only_where_it_has_seen_no_tested_outcome_and_can_read_the_rows() -> None:
    given = material()
    assert given.learned is not None
    twin = _fitted(given.learned, given.tested, SETTINGS)

    def whose(until: str | None, lost: str = "") -> tuple[str, tuple[str, ...]]:
        champion = replace(twin.bundle, provenance=Provenance(trained_until=until))
        rows = replace(given, tested=given.tested.without([lost] if lost else []))
        judged, risk, notes = _whose(rows, twin, champion, SETTINGS)
        assert risk.tolist() == twin.risk.tolist()
        return judged, notes

    assert whose("2026-03-20T00:00:00") == ("champion", ())
    assert whose("2026-05-20T00:00:00") == ("twin", ())
    assert whose(None) == ("twin", ())
    judged, notes = whose("2026-03-20T00:00:00", lost="usage_x_last")
    assert judged == "twin"
    assert "usage_x_last" in notes[0]


def test_a_model_trained_now_is_compared_with_the_champion_that_is_judged() -> None:
    look = drawn("2026-05-01")
    told = subject_of(look, np.full(300, 0.2))
    better = 1 / (1 + np.exp(3 - look.frame["wait_mean_s_90d"].to_numpy() - look.frame["n_ties"].to_numpy()))
    found = dict(_beside(told, better).select("figure", "low").iter_rows())
    assert found["auc"] > 0
    assert found["log_loss"] > 0


def test_an_extract_without_dates_is_judged_by_folds_and_says_what_cannot_be_said() -> None:
    look = drawn("2026-05-01", 400)
    extract = replace(look, snapshot=np.full(400, "", dtype=object))
    found = judgement(extract_material(extract), SETTINGS)
    assert found.kind == CROSS_VALIDATED
    assert found.judged == "folds"
    assert "blocks" not in found.tables
    assert "no test out of time" in found.sentences["blocks"][0]
    assert "not out of time" in found.sentences["lead"][0]
    assert found.tables["lead_time"].is_empty()


def test_the_last_day_of_a_dated_extract_is_judged_by_a_model_of_days_long_enough_before() -> None:
    extract = rows_together([drawn(day, 300) for day in ("2026-02-01", "2026-04-20", "2026-05-01")])
    kept = extract_material(extract, reach_days=44)
    assert kept.learned is not None
    assert set(kept.learned.snapshot) == {"2026-02-01"}  # 20 April is too near: its outcomes were not known
    assert set(kept.tested.snapshot) == {"2026-05-01"}
    found = judgement(kept, SETTINGS)
    assert found.kind == OUT_OF_TIME
    assert found.looks == ("2026-05-01",)
    near = extract_material(extract.where(extract.snapshot != "2026-02-01"), reach_days=44)
    assert near.learned is None
    assert "no two days, 44 days apart" in near.notes[0]


def test_out_of_time_is_said(found: Judgement) -> None:
    assert found.kind == OUT_OF_TIME
    assert found.looks == ("2026-04-01", "2026-05-01", "2026-06-01")


def test_every_table_and_every_column_of_its_own_stands_in_the_docs(found: Judgement) -> None:
    text = (Path(__file__).parents[4] / "churnrisk" / "docs" / "evaluation.md").read_text("utf-8")
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    shared = {"n", "n_leavers", *GROUP_COLUMNS}
    flat = np.full(300, 0.2)
    champion = _beside(subject_of(drawn("2026-05-01"), flat), flat)
    for name, table in {**found.tables, "champion": champion}.items():
        own = {
            column
            for column in table.columns
            if column not in shared
            and not column.endswith(("_low", "_high"))
            and not column.endswith("_gained")
        }
        assert [column for column in sorted(own) if f"`{column}`" not in rows[name]] == [], name
