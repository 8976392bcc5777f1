"""The OpenAPI document says what the endpoint does: a program that reads it sends whatever it can think of."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi import checks

from churnrisk.console.bodies import Answer, Answers
from churnrisk.console.described import described
from churnrisk.console.intake import Intake
from churnrisk.ledger import Ledger
from churnrisk.store import Workspace
from tests.drawn_asked import decide
from tests.unit.console.conftest import Platform, served, signed

DOCUMENT = described("1", 1_000_000)
POST = schemathesis.openapi.from_dict(DOCUMENT)["/answers"]["POST"]
NUMBERS = count(1)


@pytest.fixture(scope="module")
def open_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder: Path = tmp_path_factory.mktemp("described")
    (folder / "churnrisk.toml").write_text("")
    workspace = Workspace.open(folder)
    with Ledger.open(workspace, {}) as ledger:
        decide(ledger, {"customer_id": "anna"})
        with served(Intake(workspace, ledger)) as found:
            yield found


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_whatever_is_sent_the_answer_is_one_of_those_described(
    mode: GenerationMode, open_platform: Platform
) -> None:
    base = f"http://127.0.0.1:{open_platform.port}"

    @given(case=POST.as_strategy(generation_mode=mode))
    @settings(
        max_examples=60,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def send(case: Any) -> None:
        headers = case.meta.components.get(ParameterLocation.HEADER)
        is_signed = headers is None or headers.mode is GenerationMode.POSITIVE
        if is_signed:
            sent = case.as_transport_kwargs(base_url=base)
            plain = {name: sent[name] for name in ("method", "url", "data", "json", "files") if name in sent}
            body: Any = requests.Request(**plain).prepare().body or b""
            text = body if isinstance(body, str) else body.decode("utf-8", "replace")
            case.headers = signed(text, f"msg_{next(NUMBERS)}")
        response = case.call(base_url=base)
        # what a schema cannot say (a time in the future, no whole number on nps) is refused with 422
        case.validate_response(response, excluded_checks=[checks.positive_data_acceptance])
        assert response.status_code in ({200, 202, 400, 413, 422} if is_signed else {400, 401, 413})

    send()


def test_the_server_gives_the_document_and_its_examples_are_answers(open_platform: Platform) -> None:
    status, told = open_platform.ask("GET", "/openapi.json")
    assert status == 200
    assert set(told["paths"]) == {"/answers", "/health"}
    assert set(told["paths"]["/answers"]["post"]["responses"]) == {
        "200", "202", "400", "401", "409", "413", "422", "503",
    }  # fmt: skip
    (example,) = told["components"]["schemas"]["Answer"]["examples"]
    assert open_platform.send(example, "msg_example")[0] == 202
    batch = {"answers": [example | {"invitation_id": "ask-anna"}]}
    assert open_platform.send(batch, "msg_batch")[0] == 202


def test_every_field_is_described() -> None:
    for model in (Answer, Answers):
        for name, field in model.model_fields.items():
            assert field.description or name == "answers", name
