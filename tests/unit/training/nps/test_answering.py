"""Who answers when asked: learned from waves whose unhappy answer less, kept beside the model, read back as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from churnrisk.bundle import Answering, PredictedNps, read_predicted_nps
from churnrisk.bundle.answering import MOST_CHANCE
from churnrisk.bundle.nps import NpsFindings
from churnrisk.errors import ModelUnfit
from churnrisk.store import Engine
from tests.drawn_nps import AS_OF, WAVES, DrawnLook, NpsWorld
from tests.spec.features.drawn import completed
from training.nps.answers import past_response

WORLD = NpsWorld()


def with_silent(world: NpsWorld) -> pl.DataFrame:
    """The world's answers, and an invitation without one for every other customer of every wave."""
    silent = [
        pl.DataFrame(
            {
                "invitation_id": [f"{day}-silent-{who}" for who in np.flatnonzero(~answers)],
                "customer_key": np.flatnonzero(~answers),
                "invited_at": [f"{day} 10:00:00.000000"] * int((~answers).sum()),
            }
        )
        for day, _, answers in world.waves
    ]
    return pl.concat([world.surveys(), completed("surveys", pl.concat(silent))], how="diagonal_relaxed")


def test_the_unhappy_are_known_to_answer_less_and_the_level_is_that_of_the_waves(tmp_path: Path) -> None:
    surveys = with_silent(WORLD)
    found = WORLD.predicted(tmp_path, surveys)
    assert found.answering is not None
    frame = WORLD.features(99)
    chance = found.answering.chance(frame)
    rate = float(np.mean([answers[WORLD.may_use_answers].mean() for _, _, answers in WORLD.waves]))
    assert found.answering.response == pytest.approx(rate, abs=0.02)
    assert chance.mean() == pytest.approx(rate, abs=0.02)
    happy = WORLD.mood > np.quantile(WORLD.mood, 0.8)
    sore = WORLD.mood < np.quantile(WORLD.mood, 0.2)
    assert chance[happy].mean() > 1.5 * chance[sore].mean()
    found.save(tmp_path)
    kept = read_predicted_nps(tmp_path)
    assert kept is not None
    assert kept.answering is not None
    assert kept.answering.chance(frame).tolist() == chance.tolist()


def test_a_source_that_lists_answers_alone_says_nothing_of_who_gives_none(tmp_path: Path) -> None:
    lake = WORLD.lake(tmp_path)
    looks = [DrawnLook(AS_OF.shifted(-(AS_OF.day - WAVES[0]).days - 5), WORLD.features(0))]
    with Engine(threads=1) as engine:
        lake.register(engine)
        share, n = past_response(engine, looks, AS_OF)
    assert share is None
    assert n > 0


def test_a_share_alone_serves_where_no_model_was_made(tmp_path: Path) -> None:
    PredictedNps(NpsFindings(reason="too few"), answering=Answering(0.35, 400)).save(tmp_path)
    kept = read_predicted_nps(tmp_path)
    assert kept is not None
    assert kept.answering == Answering(0.35, 400)
    assert kept.answering.chance(pl.DataFrame({"x": [1, 2]})).tolist() == [0.35, 0.35]


def test_chances_stay_chances(tmp_path: Path) -> None:
    found = WORLD.predicted(tmp_path, with_silent(WORLD)).answering
    assert found is not None
    sure = Answering(0.9, 10, found.features, found.learners, factor=100.0)
    assert sure.chance(WORLD.features(1)).max() == MOST_CHANCE
    with pytest.raises(ModelUnfit, match="wait_s"):
        found.chance(WORLD.features(1).drop("wait_s"))
