"""The application: two paths, what they take and answer. Bodies are read and checked here, and nowhere logged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from .. import __version__
from ..delivery import Secrets, Unverified
from ..errors import ChurnriskError
from ..ledger import Ledger
from ..logs import logger
from .background import Rounds
from .bodies import Health, Problem, Taken, Unreadable, Wrong, answers_of
from .described import ANSWERS_PATH, HEALTH_PATH, described
from .intake import Conflict, Intake

MOST_BYTES = 1_000_000
"""Longest body; a thousand answers of ordinary length have a third of it."""

LONGEST_EVENT_ID = 256
AT_ONCE = 4
"""Messages written side by side: the ledger takes one writer at a time, and the others wait for it."""

RETRY_AFTER_S = "30"

MESSAGES = {
    "headers": "webhook-id, webhook-timestamp and webhook-signature are needed, the id of at most 256 characters.",
    "body": "The body is no JSON in UTF-8.",
    "signature": "The signature is none of ours, or the message is more than five minutes old.",
    "id_taken": "Another body came under this webhook-id before; that one stands.",
    "too_large": f"A body has at most {MOST_BYTES:,} bytes.",
    "not_an_answer": "The body is no answer, or its answers cannot be; nothing of it was written.",
    "unavailable": "The ledger cannot be written just now; send the message again later.",
}


class TooLarge(Exception):
    """A body longer than MOST_BYTES."""


@dataclass(frozen=True)
class Endpoint:
    """Takes messages: from the bytes of a request to an answer."""

    intake: Intake
    secrets: Secrets
    clock: Callable[[], datetime]
    places: asyncio.Semaphore

    async def answers(self, request: Request) -> JSONResponse:
        """Take what a survey platform sends."""
        try:
            body = await _body(request)
            event_id = _event_id(request)
            answers = answers_of(body, self.secrets.verified(body, request.headers))
            async with self.places:
                taken = await run_in_threadpool(self.intake.take, event_id, body, answers, self.clock())
        except TooLarge:
            return _refused(413, "too_large")
        except Unverified as error:
            return _refused(401 if error.reason == "signature" else 400, error.reason)
        except Unreadable as error:
            return _refused(422, "not_an_answer", error.wrong)
        except Conflict:
            return _refused(409, "id_taken")
        except ChurnriskError as error:
            return _refused(503, "unavailable", codes=error.codes)
        logger().info("answers", **taken.model_dump())
        return JSONResponse(taken.model_dump(), 202 if taken.status == "taken" else 200)

    async def health(self) -> JSONResponse:
        """Say that the ledger can be read."""
        try:
            await run_in_threadpool(_read, self.intake.ledger)
        except ChurnriskError as error:
            return _refused(503, "unavailable", codes=error.codes)
        return JSONResponse(Health(status="ok", version=__version__).model_dump())


def application(
    intake: Intake,
    secrets: Secrets,
    *,
    work: Callable[[], None] | None = None,
    clock: Callable[[], datetime] | None = None,
) -> FastAPI:
    """Return the application; ``work`` is done once a minute while it runs."""
    rounds = None if work is None else Rounds(work)

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        if rounds is not None:
            rounds.start()
        yield
        if rounds is not None:
            await run_in_threadpool(rounds.stop)

    # no pages of the framework: they load scripts from elsewhere
    app = FastAPI(title="churnrisk", version=__version__, docs_url=None, redoc_url=None, lifespan=running)
    endpoint = Endpoint(intake, secrets, clock or _now, asyncio.Semaphore(AT_ONCE))
    app.add_api_route(ANSWERS_PATH, endpoint.answers, methods=["POST"], response_model=None)
    app.add_api_route(HEALTH_PATH, endpoint.health, methods=["GET"], response_model=None)
    app.add_exception_handler(Exception, _bug)
    app.openapi = partial(described, __version__, MOST_BYTES)  # type: ignore[method-assign]
    return app


async def _body(request: Request) -> bytes:
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told) > MOST_BYTES:
        raise TooLarge
    found = bytearray()
    async for part in request.stream():
        found += part
        if len(found) > MOST_BYTES:
            raise TooLarge
    return bytes(found)


def _event_id(request: Request) -> str:
    found = request.headers.get("webhook-id", "")
    if len(found) > LONGEST_EVENT_ID:
        raise Unverified("headers")
    return found


def _refused(status: int, code: str, wrong: list[Wrong] | None = None, codes: Any = ()) -> JSONResponse:
    logger().info(
        "message refused", status=status, code=code, codes=",".join(codes), n_faults=len(wrong or ())
    )
    problem = Problem(code=code, message=MESSAGES[code], errors=wrong or [])
    headers = {"retry-after": RETRY_AFTER_S} if status == 503 else {}  # noqa: PLR2004
    return JSONResponse(problem.model_dump(), status, headers)


async def _bug(_: Request, error: Exception) -> JSONResponse:
    """Tell the kind of a bug and nothing else: its words may hold what a customer wrote."""
    logger().error("bug", kind=type(error).__name__)
    return JSONResponse(Problem(code="bug", message="A bug in churnrisk.").model_dump(), 500)


def _read(ledger: Ledger) -> None:
    with ledger.reading():
        pass


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


__all__ = ["Taken", "application"]
