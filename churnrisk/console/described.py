"""The OpenAPI document: paths, headers, bodies, answers with examples; made from the same shapes that check bodies."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from .bodies import Answer, Answers, Health, Problem, Taken

ANSWERS_PATH, HEALTH_PATH = "/answers", "/health"

_REF = "#/components/schemas/"
_DESCRIBED = "Signed as Standard Webhooks has it: HMAC-SHA256 over `id.timestamp.body` with the secret of `[webhooks]`."
_HEADERS = {
    "webhook-id": (
        "Names the message: a second one under it is not taken again.",
        "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
    ),
    "webhook-timestamp": ("Seconds since 1970, at most five minutes off.", "1777802400"),
    "webhook-signature": (
        "`v1,` and the signature in base64; several parted by blanks.",
        "v1,K5oZfzN95Z3m...",
    ),
}
_REFUSALS = {
    "400": "Headers are missing, or the body is no JSON.",
    "401": "The signature is wrong, or the message is too old.",
    "409": "Another body came under this id before.",
    "413": "The body is too large.",
    "422": "The body is no answer, or its answers cannot be: nothing of it was written.",
    "503": "The ledger cannot be written just now: send it again.",
}


def described(version: str, most_bytes: int) -> dict[str, Any]:
    """Return the document (OpenAPI 3.1)."""
    models = (Answer, Answers, Taken, Problem, Health)
    _, schemas = models_json_schema(
        [(model, "validation") for model in models], ref_template=_REF + "{model}"
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "churnrisk",
            "version": version,
            "description": "Takes answers of survey platforms.",
        },
        "paths": {
            ANSWERS_PATH: {"post": _answers(most_bytes)},
            HEALTH_PATH: {
                "get": {
                    "operationId": "health",
                    "summary": "Say that the ledger can be read",
                    "responses": {
                        "200": _reply("All is well.", Health),
                        "503": _reply(_REFUSALS["503"], Problem),
                    },
                }
            },
        },
        "components": {"schemas": schemas["$defs"]},
    }


def _answers(most_bytes: int) -> dict[str, Any]:
    told = [
        {
            "name": name,
            "in": "header",
            "required": True,
            "description": words,
            "schema": {"type": "string", "minLength": 1, "maxLength": 256 if name == "webhook-id" else 2048},
            "example": example,
        }
        for name, (words, example) in _HEADERS.items()
    ]
    either = {"anyOf": [{"$ref": f"{_REF}{model.__name__}"} for model in (Answer, Answers)]}
    return {
        "operationId": "answers",
        "summary": "Take one answer, or a batch",
        "description": f"{_DESCRIBED} At most {most_bytes:,} bytes. Send it again after anything but 200 to 299: the "
        "same message counts once, whatever the order.",
        "parameters": told,
        "requestBody": {"required": True, "content": {"application/json": {"schema": either}}},
        "responses": {
            "200": _reply("Nothing in it was new.", Taken),
            "202": _reply("Taken, and the risk moved.", Taken),
            **{status: _reply(words, Problem) for status, words in _REFUSALS.items()},
        },
    }


def _reply(words: str, model: type[Any]) -> dict[str, Any]:
    return {
        "description": words,
        "content": {"application/json": {"schema": {"$ref": f"{_REF}{model.__name__}"}}},
    }
