"""A predicted answer is no answer: nothing that makes features, money, lists or measured NPS may read one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORDS = re.compile(
    r"nps_predicted|NPS_PREDICTED|predicted_nps|PredictedNps|NpsModel|NpsFindings|predicted_shares|night_silence"
)
"""Names by which predictions can be reached."""

MAY = {
    "churnrisk/bundle/__init__.py": "hands the model on",
    "churnrisk/bundle/nps.py": "is the model",
    "churnrisk/explanation.py": "writes those words",
    "churnrisk/learning.py": "says what came of the training",
    "churnrisk/deciding/material.py": "hands the chances of possible answers on, over which a risk is shared out",
    "churnrisk/night_silence.py": "asks the model for the silent",
    "churnrisk/answered.py": "reads the chances of possible answers: the mean over them is the risk",
    "churnrisk/nightly/order.py": "has the types of its inputs made as it knows them",
    "churnrisk/nightly/scored.py": "publishes the table",
    "churnrisk/report/content.py": "holds what the page says of it",
    "churnrisk/report/silence.py": "says it, beside measured shares and never added to them",
    "churnrisk/tables/published/__init__.py": "hands the contract on",
    "churnrisk/tables/published/every.py": "lists the contract",
    "churnrisk/tables/published/nps.py": "is the contract",
    "churnrisk/untold.py": "reads it of one customer, or says why there is none",
    "scoring/__init__.py": "hands the table's maker on",
    "scoring/confirm.py": "shares out a risk over possible answers: the mean over them is the risk, whatever they are",
    "scoring/nps.py": "makes the table",
    "training/nps/__init__.py": "makes the model",
    "training/nps/pair.py": "fits it",
    "training/result.py": "keeps it",
    "training/train.py": "asks for it",
}
"""Who may name them, and why. A file that is added here must not compute a feature, a risk or a measured NPS."""


def naming() -> set[str]:
    files = [
        path
        for package in ("churnrisk", "features", "training", "scoring")
        for pattern in ("*.py", "*.sql")
        for path in (ROOT / package).rglob(pattern)
    ]
    return {
        path.relative_to(ROOT).as_posix()
        for path in files
        if "docs" not in path.parts and WORDS.search(path.read_text("utf-8"))
    }


def test_only_named_files_know_of_predicted_answers() -> None:
    assert naming() == set(MAY)


@pytest.mark.parametrize(
    "place", ["features/", "churnrisk/metrics/", "churnrisk/voice/", "churnrisk/sources/"]
)
def test_features_figures_and_sources_know_nothing_of_them(place: str) -> None:
    assert not any(file.startswith(place) for file in MAY)


def test_no_sql_reads_the_published_table() -> None:
    assert not any(file.endswith(".sql") for file in naming())


def test_who_measures_and_who_predicts_are_two_functions() -> None:
    text = (ROOT / "scoring" / "nps.py").read_text("utf-8")
    measured = text[text.index("def measured_shares") : text.index("def predicted_shares")]
    assert not re.search(r"predict|model", measured, re.IGNORECASE)
