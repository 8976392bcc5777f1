"""Why a kind of leaver or a predicted answer is not told of a customer: a code for machines, a sentence for people.

It decides the reason from what lies beside the model and what the night published; it refuses to look for the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .bundle import Bundle, read_predicted_nps
from .dates import AsOf
from .messages import Sentences
from .store import Workspace
from .store.publish import published_frame
from .tables.published import RULES

RULE_PRIOR = "rule_prior"
NOT_TOLD_APART = "not_told_apart"
NO_SURVEYS = "no_surveys"
NOT_LEARNED = "not_learned"
NO_PERMISSION = "no_permission"
ANSWERED = "answered"
NOT_PUBLISHED = "not_published"


@dataclass(frozen=True)
class Untold:
    """Why something is null: ``code``, the sentence that says so, and the training's own words, in English, if any."""

    code: str
    sentence: str
    detail: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for ``--json``."""
        return {"code": self.code, "sentence": self.sentence, "detail": self.detail or None}


def no_kind(bundle: Bundle, score: Mapping[str, Any], sentences: Sentences) -> Untold | None:
    """Return why ``score`` names no kind of leaver; None where it does."""
    if score.get("leaver_kind") is not None:
        return None
    code = RULE_PRIOR if bundle.is_prior else NOT_TOLD_APART if bundle.leaver_kinds is None else NOT_PUBLISHED
    return Untold(code, sentences.explain(f"no_kind_{code}"))


def predicted_answer(
    workspace: Workspace,
    as_of: AsOf,
    score: Mapping[str, Any],
    *,
    may_use_answers: bool,
    sentences: Sentences,
) -> tuple[Mapping[str, Any] | None, Untold | None]:
    """Return what the night predicted of the recommend question, by the model that is explained, or why it did not."""
    kept = read_predicted_nps(workspace.champion)
    found = published_frame(workspace, RULES["nps_predicted"], as_of.day, customers=[score["customer_id"]])
    if found is not None and found.height and found["model_version"][0] == score["model_version"]:
        return found.row(0, named=True), None
    detail = ""
    if kept is None:
        code = NO_SURVEYS
    elif kept.model is None:
        code, detail = NOT_LEARNED, kept.findings.reason
    elif not may_use_answers:
        code = NO_PERMISSION
    else:
        code = NOT_PUBLISHED if found is None or found.height else ANSWERED
    return None, Untold(code, sentences.explain(f"no_nps_{code}"), detail)
