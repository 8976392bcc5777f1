"""What a survey platform sends and what it is told: the shapes of bodies, which the OpenAPI document describes too.

An error tells where something is wrong and in which way, never what stood there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, get_args

import polars as pl
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from ..tables.contracts import METRIC_SCALES

MOST_ANSWERS = 1_000
"""Answers in one message: some 300 kB."""

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Answers of before are typing errors."""

LONGEST_ID, LONGEST_COMMENT = 200, 20_000

Metric = Literal["nps", "csat", "ces"]
assert set(get_args(Metric)) == set(METRIC_SCALES)  # noqa: S101 - two lists of the same words

Id = Annotated[
    str, Field(min_length=1, max_length=LONGEST_ID, pattern=r"^[^\x00-\x1f\x7f]*$", examples=["ask-0f3a"])
]


class Answer(BaseModel):
    """One question answered; or only the comment, where no score was given."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "invitation_id": "ask-5b0f8c2a41d09e7733aa01c4",
                    "metric": "nps",
                    "score": 3,
                    "comment": "слишком дорого",
                    "answered_at": "2026-05-03T10:00:00Z",
                }
            ]
        },
    )

    invitation_id: Id = Field(description="The invitation it answers, as the survey request carried it.")
    answer_id: Id | None = Field(
        None,
        description="Your own id of the answer; without it one is made of invitation, metric, time and score.",
    )
    metric: Metric | None = Field(None, description="What was asked; without it what the invitation says.")
    score: float | None = Field(
        None, ge=0, le=10, allow_inf_nan=False, description="nps 0 to 10 (whole), csat 1 to 5, ces 1 to 7."
    )
    comment: str | None = Field(
        None, max_length=LONGEST_COMMENT, description="The answer to the open question."
    )
    answered_at: AwareDatetime = Field(description="When the customer answered, with an offset (ISO 8601).")

    @field_validator("answered_at")
    @classmethod
    def _in_this_century(cls, value: datetime) -> datetime:
        if value < EARLIEST:
            msg = "too early"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _says_something(self) -> Answer:
        if self.score is None and not self.comment:
            msg = "neither score nor comment"
            raise ValueError(msg)
        return self


class Answers(BaseModel):
    """Several answers in one message; all of them are taken or none."""

    model_config = ConfigDict(extra="forbid", strict=True)

    answers: Annotated[list[Answer], Field(min_length=1, max_length=MOST_ANSWERS)]


class Taken(BaseModel):
    """What became of a message."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"status": "taken", "n_new": 1, "n_known": 0, "n_stray": 0, "n_alerts": 1}]
        }
    )

    status: Literal["taken", "known"] = Field(description="known: nothing in it was new.")
    n_new: int = Field(ge=0, description="Answers that were new.")
    n_known: int = Field(ge=0, description="Answers that had come before.")
    n_stray: int = Field(ge=0, description="Answers to invitations that nobody knows; they are kept apart.")
    n_alerts: int = Field(ge=0, description="Alerts that they raised.")


class Wrong(BaseModel):
    """One thing that is wrong: where, and in which way."""

    at: str = Field(examples=["answers.3.score"])
    code: str = Field(examples=["score_off_scale"])


class Problem(BaseModel):
    """Why a message was not taken; nothing of it was written."""

    code: str = Field(examples=["signature"])
    message: str
    errors: list[Wrong] = []


class Health(BaseModel):
    """The console answers and reaches its ledger."""

    status: Literal["ok"]
    version: str


class Unreadable(Exception):
    """A body that is no answer; ``wrong`` says where, without what stood there."""

    def __init__(self, wrong: list[Wrong]) -> None:
        super().__init__("body")
        self.wrong = wrong


MOST_TOLD = 20
"""Faults told of one body."""


def answers_of(body: bytes, parsed: Any) -> tuple[Answer, ...]:
    """Return the answers of a body: one, or those of a batch. Raises Unreadable."""
    try:
        if isinstance(parsed, dict) and "answers" in parsed:
            return tuple(Answers.model_validate_json(body).answers)
        return (Answer.model_validate_json(body),)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        raise Unreadable([_wrong(each["loc"], each["type"]) for each in faults[:MOST_TOLD]]) from None


def frame_of(answers: tuple[Answer, ...]) -> pl.DataFrame:
    """Return answers as `ledger.taking.matched` wants them; instants naive UTC."""
    rows = [
        (
            each.answer_id,
            each.invitation_id,
            each.metric,
            each.score,
            each.comment or None,
            each.answered_at.astimezone(UTC).replace(tzinfo=None),
            None,
        )
        for each in answers
    ]
    text = pl.String()
    schema = {
        "answer_id": text,
        "invitation_id": text,
        "metric": text,
        "score": pl.Float64(),
        "comment": text,
        "answered_at": pl.Datetime("us"),
        "known_at": pl.Datetime("us"),
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _wrong(place: tuple[int | str, ...], kind: str) -> Wrong:
    """Name the place; a field that we do not know is somebody's own word and is not repeated."""
    known = place[:-1] if kind == "extra_forbidden" else place
    return Wrong(
        at=".".join(map(str, known)) or "body", code="unknown_field" if kind == "extra_forbidden" else kind
    )
