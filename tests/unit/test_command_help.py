"""Help tells each command in a whole sentence, and is what a call without a command prints."""

from __future__ import annotations

import pytest

from churnrisk.cli import run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "at-risk list, without a report."),
        (["--help"], "and draw their ego network."),
        (["ties"], "if it beats the default out of time."),
        (["ties", "--help"], "if it beats the default out of time."),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_help_is_whole_and_no_error(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(words)
    shown = "".join(capsys.readouterr())
    assert code == (0 if words[-1:] == ["--help"] else 2)
    assert shown.startswith("Usage: churnrisk")
    assert said in " ".join(shown.split())
    assert "..." not in shown.replace("[ARGS]...", "")
    assert "See churnrisk --help" not in shown


def test_a_command_that_is_none_is_still_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ties", "fitt"]) == 2
    assert capsys.readouterr().err.startswith("Error: No such command")
