"""What answers are worth, on disk and in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from churnrisk.bundle import (
    ANSWERS_FILE,
    DEFAULT_LOG_RATIOS,
    EVIDENCE,
    AnswerRatios,
    Ratio,
    answer_category,
    evidence_weight,
    moved_by,
    posterior,
    read_answers,
)

LEARNED = AnswerRatios(
    {name: Ratio(0.5 - place, 0.1, 0.9, 100, 12) for place, name in enumerate(EVIDENCE)},
    slope=Ratio(0.8, 0.5, 1.1),
    shares={"detractor": 0.2, "passive": 0.3, "promoter": 0.5},
    response=0.4,
    n_asked=1_000,
    n_answered=400,
    n_leavers=48,
    n_random=300,
    selection="700 were chosen; they agree with those drawn at random (p = 0.40).",
)


def test_it_comes_back_from_disk_as_it_was_and_the_same_gives_the_same_bytes(tmp_path: Path) -> None:
    LEARNED.save(tmp_path)
    first = (tmp_path / ANSWERS_FILE).read_bytes()
    found = read_answers(tmp_path)
    assert found == LEARNED
    found.save(tmp_path)
    assert (tmp_path / ANSWERS_FILE).read_bytes() == first


def test_a_model_without_it_has_the_stated_ratios_and_says_why(tmp_path: Path) -> None:
    found = read_answers(tmp_path)
    assert not found.is_learned
    assert (
        found.log_ratios.tolist() == [0.7, 0.0, -0.7, 0.0] == [DEFAULT_LOG_RATIOS[name] for name in EVIDENCE]
    )
    assert "assumed, not measured (the model in use was trained before" in found.sentence()


def test_the_sentence_says_on_how_many_answers_it_rests() -> None:
    told = LEARNED.sentence()
    assert "400 answers to 1,000 invitations, 300 of them drawn at random, and 48 leavers" in told
    assert "detractor +0.50 [+0.10, +0.90]" in told
    assert "tempered by +0.80 [+0.50, +1.10]" in told
    assert told.endswith(LEARNED.selection)


def test_evidence_fades_by_half_in_ninety_days_and_is_nothing_after_a_year() -> None:
    assert evidence_weight([0, 90, 180, 365, 365.1]).tolist() == pytest.approx(
        [1, 0.5, 0.25, 2 ** (-365 / 90), 0]
    )
    np.testing.assert_allclose(LEARNED.aged([90.0])[0], 0.5 * 0.8 * np.array([0.5, -0.5, -1.5, -2.5]))


def test_chances_share_out_what_is_answered_and_the_rest_is_silence() -> None:
    np.testing.assert_allclose(LEARNED.chances, [0.08, 0.12, 0.2, 0.6])


@pytest.mark.parametrize(
    ("metric", "score", "place"),
    [
        ("nps", 6, 0),
        ("nps", 7, 1),
        ("nps", 9, 2),
        ("csat", 2, 0),
        ("csat", 3, 1),
        ("csat", 5, 2),
        ("ces", 3, 0),
        ("ces", 4, 1),
        ("ces", 7, 2),
        ("nps", None, None),
        ("csat", None, None),
    ],
)
def test_categories_are_those_of_the_glossary(metric: str, score: float | None, place: int | None) -> None:
    frame = pl.DataFrame({"metric": [metric], "score": pl.Series([score], dtype=pl.Float64)})
    assert frame.select(answer_category(pl.col("metric"), pl.col("score"))).item() == place


def test_unknown_risks_stay_unknown_and_sure_ones_sure() -> None:
    found = posterior([np.nan, 0.0, 1.0], [[0.5, 0.5]] * 3, [1.0, -1.0])
    assert np.isnan(found[0]).all()
    assert found[1:].tolist() == [[0.0, 0.0], [1.0, 1.0]]
    assert np.isnan(moved_by([np.nan], 1.0)[0])


@pytest.mark.parametrize(
    ("chances", "message"),
    [([[0.5, 0.6]], "sum to 1"), ([[-0.1, 1.1]], "at least 0"), ([[0.5, 0.5]] * 2, "for every risk")],
)
def test_chances_that_are_none_are_refused(chances: list[list[float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        posterior([0.1], chances, [1.0, 0.0])


def test_nobody_at_all_is_no_error() -> None:
    assert posterior(np.empty(0), np.empty((0, 4)), np.zeros(4)).shape == (0, 4)
