"""Why a kind of leaver or a predicted answer is null is one of few reasons, each with a sentence in every language."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from churnrisk.bundle import PRIOR, LeaverKinds, NpsFindings, NpsModel, PredictedNps
from churnrisk.dates import AsOf
from churnrisk.messages import LANGUAGES, Sentences
from churnrisk.store import Workspace
from churnrisk.untold import Untold, no_kind, predicted_answer
from tests.drawn_models import drawn_bundle
from tests.drawn_nps import drawn_table

AS_OF = AsOf(date(2026, 6, 30))
ENGLISH = Sentences.of("en")
MODEL = NpsModel(drawn_bundle(wait_s="service"), drawn_bundle(tenure_days="profile"))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "churnrisk.toml").write_text("")
    (tmp_path / "models/7").mkdir(parents=True)
    (tmp_path / "models/champion").symlink_to("7", target_is_directory=True)
    drawn_bundle().save(tmp_path / "models/7")
    return Workspace.open(tmp_path)


def reason(workspace: Workspace, customer: str, *, may: bool = True, version: str = "7") -> Untold | None:
    """Return why nothing is predicted of a customer."""
    score = {"customer_id": customer, "model_version": version}
    return predicted_answer(workspace, AS_OF, score, may_use_answers=may, sentences=ENGLISH)[1]


def code(found: Untold | None) -> str:
    """Return its code."""
    return "" if found is None else found.code


def test_a_rule_prior_knows_no_kinds_and_a_model_may_not_tell_them_apart() -> None:
    bundle = drawn_bundle()
    rule = replace(bundle, provenance=replace(bundle.provenance, parameters={"learner": PRIOR}))
    kinds = LeaverKinds(("asked", "silent"), (bundle.learner,) * 2, ((1.0, 0.0), (0.0, 1.0)), (0.0, 0.0))  # type: ignore[arg-type]
    null = {"leaver_kind": None}
    assert code(no_kind(rule, null, ENGLISH)) == "rule_prior"
    assert code(no_kind(bundle, null, ENGLISH)) == "not_told_apart"
    assert code(no_kind(replace(bundle, leaver_kinds=kinds), {}, ENGLISH)) == "not_published"
    assert no_kind(bundle, {"leaver_kind": "asked"}, ENGLISH) is None


def test_without_a_companion_or_a_model_in_it_the_training_is_the_reason(workspace: Workspace) -> None:
    assert code(reason(workspace, "c1")) == "no_surveys"
    PredictedNps(NpsFindings(reason="12 answers are known", n_answers=12)).save(workspace.champion)
    found = reason(workspace, "c1")
    assert found is not None
    assert (found.code, found.detail) == ("not_learned", "12 answers are known")


def test_with_a_model_it_is_the_night_the_permission_or_the_answer(workspace: Workspace) -> None:
    PredictedNps(NpsFindings(n_answers=300), MODEL).save(workspace.champion)
    assert code(reason(workspace, "silent")) == "not_published"
    drawn_table(workspace, AS_OF, ["silent"], version="7")
    assert reason(workspace, "silent") is None
    assert code(reason(workspace, "silent", version="8")) == "not_published"
    assert code(reason(workspace, "heard")) == "answered"
    assert code(reason(workspace, "forbids", may=False)) == "no_permission"


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_reason_has_its_sentence_in_every_language(language: str) -> None:
    sentences = Sentences.of(language)
    kinds = ("rule_prior", "not_told_apart", "not_published")
    answers = ("no_surveys", "not_learned", "no_permission", "answered", "not_published")
    told = [sentences.explain(f"no_kind_{each}") for each in kinds]
    told += [sentences.explain(f"no_nps_{each}") for each in answers]
    assert len(set(told)) == len(told)
