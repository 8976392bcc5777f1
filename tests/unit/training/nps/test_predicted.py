"""What silent customers would answer, learned in a world where it is known what they would."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from churnrisk.bundle import NPS_CATEGORIES, PredictedNps, Provenance, read_predicted_nps
from churnrisk.store import Engine
from scoring import latest_nps, measured_shares, nps_predicted, predicted_shares
from tests.drawn_nps import AS_OF, SETTINGS, NpsWorld, shares
from training.nps import FEWEST_ANSWERS, first_test, predicted_nps
from training.nps.answers import known_answers

WORLD = NpsWorld()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> PredictedNps:
    return WORLD.predicted(tmp_path_factory.mktemp("world"))


def test_what_is_predicted_holds_on_answers_that_came_later(found: PredictedNps) -> None:
    figures = found.findings.figures
    assert found.findings.reason == ""
    assert found.findings.n_judged_answers > 200
    for name in NPS_CATEGORIES:
        ratio, low, high = figures[f"observed_over_expected_{name}"]
        assert ratio is not None
        assert 0.8 < ratio < 1.25
        assert (low or 0) < ratio < (high or 0)
    least = [figures[name][1] for name in ("log_loss_gained", "auc_detractor", "auc_promoter")]
    assert least[0] is not None
    assert least[0] > 0.05
    assert all(end is not None and end > 0.7 for end in least[1:])


def test_of_customers_with_like_predictions_as_many_would_say_so(found: PredictedNps) -> None:
    assert found.model is not None
    predicted = found.model.predict(WORLD.features(98))
    for name, is_so in (("detractor", WORLD.would_say <= 6), ("promoter", WORLD.would_say >= 9)):
        chance = predicted[name].to_numpy()
        third = np.searchsorted(np.quantile(chance, [1 / 3, 2 / 3]), chance)
        for part in range(3):
            # three standard errors of a third of what was learned from and of what would be said
            assert abs(chance[third == part].mean() - is_so[third == part].mean()) < 0.1
        assert is_so[third == 2].mean() > is_so[third == 0].mean() + 0.3


def test_the_silent_are_told_as_they_are_though_the_unhappy_answer_less(
    found: PredictedNps, tmp_path: Path
) -> None:
    assert found.model is not None
    with Engine(threads=1) as engine:
        heard = latest_nps(engine, WORLD.lake(tmp_path), AS_OF)
    assert heard is not None
    frame = WORLD.features(99)
    table = nps_predicted(frame, found.model, heard, as_of=AS_OF, run_id="r")
    truth = shares(WORLD.would_say[WORLD.is_silent & WORLD.may_use_answers])
    predicted, (_, measured) = predicted_shares(table), measured_shares(heard, frame)
    assert truth["detractor"] > measured["detractor"] + 0.15
    for name in ("detractor", "promoter"):
        assert abs(predicted[name] - truth[name]) < 0.3 * abs(measured[name] - truth[name])


def test_nothing_that_the_customer_answered_is_read(found: PredictedNps) -> None:
    assert found.model is not None
    assert {name for bundle in (found.model.detractor, found.model.promoter) for name in bundle.kinds} == {
        "wait_s",
        "tenure_days",
    }


def test_own_features_made_from_surveys_are_not_read_either(tmp_path: Path) -> None:
    def source_of(name: str) -> str:
        return "surveys" if name == "wait_s" else "customers"

    with Engine(threads=1) as engine:
        tables = WORLD.lake(tmp_path)
        tables.register(engine)
        made = predicted_nps(
            engine, tables, WORLD.looks(), SETTINGS, origin=Provenance(), as_of=AS_OF, source_of=source_of
        )
    assert made is not None
    assert "told no more" in made.findings.reason  # what tells is gone


def test_the_same_answers_give_the_same_files(found: PredictedNps, tmp_path: Path) -> None:
    rows = WORLD.surveys()
    again = WORLD.predicted(tmp_path / "again", rows.sample(fraction=1.0, shuffle=True, seed=3))
    files = []
    for name, each in (("one", found), ("two", again)):
        each.save(tmp_path / name)
        inside = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        files.append({str(path.relative_to(tmp_path / name)): path.read_bytes() for path in inside})
    assert files[0] == files[1]
    assert sorted(files[0]) == [
        "nps/detractor/bundle.json",
        "nps/detractor/model.txt",
        "nps/nps.json",
        "nps/promoter/bundle.json",
        "nps/promoter/model.txt",
    ]


def test_what_was_saved_predicts_the_same(found: PredictedNps, tmp_path: Path) -> None:
    found.save(tmp_path)
    read = read_predicted_nps(tmp_path)
    assert read is not None
    assert read.findings == found.findings
    assert read.model is not None
    assert found.model is not None
    frame = WORLD.features(5)
    assert read.model.predict(frame).equals(found.model.predict(frame))


def test_answers_that_are_forbidden_or_not_known_yet_change_nothing(
    found: PredictedNps, tmp_path: Path
) -> None:
    refused = pl.Series(np.flatnonzero(~WORLD.may_use_answers)).implode()
    flipped = pl.when(pl.col("customer_key").is_in(refused)).then(10 - pl.col("score")).otherwise("score")
    poisoned = WORLD.surveys().with_columns(score=flipped)
    late = poisoned.head(300).with_columns(
        invitation_id=pl.lit("late-") + pl.col("invitation_id"),
        score=pl.lit(0.0),
        answer_known_at=pl.lit(AS_OF.instant),
    )
    other = WORLD.predicted(tmp_path, pl.concat([poisoned, late]))
    assert other.findings == found.findings
    assert other.model is not None
    assert found.model is not None
    assert other.model.detractor.identity == found.model.detractor.identity
    assert other.model.promoter.identity == found.model.promoter.identity


def test_under_200_answers_nothing_is_predicted_and_it_is_said_what_would_help(tmp_path: Path) -> None:
    given = WORLD.surveys().filter(
        pl.col("customer_key").is_in(pl.Series(np.flatnonzero(WORLD.may_use_answers)).implode())
    )
    few = WORLD.predicted(tmp_path / "few", given.head(FEWEST_ANSWERS - 1))
    assert few.model is None
    assert few.findings.reason.startswith("199 relationship answers are known")
    assert "another wave" in few.findings.reason
    few.save(tmp_path)
    assert read_predicted_nps(tmp_path) == few


def test_where_the_features_tell_nothing_nothing_is_predicted(tmp_path: Path) -> None:
    made = replace(WORLD, visible=0.0, hidden=1.2).predicted(tmp_path)
    assert made.model is None
    assert "told no more" in made.findings.reason
    assert made.findings.figures["auc_detractor"][0] is not None  # it was judged all the same


def test_one_wave_leaves_nothing_to_judge_on(tmp_path: Path) -> None:
    made = WORLD.predicted(
        tmp_path, WORLD.surveys().filter(pl.col("invitation_id").str.starts_with("2026-05"))
    )
    assert made.model is None
    assert "judged out of time" in made.findings.reason


def test_touchpoint_answers_are_another_series(tmp_path: Path) -> None:
    made = WORLD.predicted(tmp_path, WORLD.surveys().with_columns(occasion=pl.lit("store contact")))
    assert made.findings.reason.startswith("0 relationship answers")


def test_without_surveys_there_is_nothing_to_say(tmp_path: Path) -> None:
    tables = WORLD.lake(tmp_path)
    tables = replace(tables, paths={name: path for name, path in tables.paths.items() if name != "surveys"})
    with Engine(threads=1) as engine:
        assert (
            predicted_nps(engine, tables, WORLD.looks(), SETTINGS, origin=Provenance(), as_of=AS_OF) is None
        )


def test_the_test_begins_where_a_third_of_the_answers_are_still_to_come(tmp_path: Path) -> None:
    looks = sorted(WORLD.looks(), key=lambda look: look.day)
    with Engine(threads=1) as engine:
        tables = WORLD.lake(tmp_path)
        tables.register(engine)
        answers, _ = known_answers(engine, looks, AS_OF)
    first = first_test(looks, answers)
    assert first is not None
    # a quarter of the answers come after 17 April, a half after 18 March
    assert looks[first].day == "2026-04-17"
