"""Logs are plain lines with run id and as-of."""

import io
import json

import pytest
import structlog

from churnrisk.logs import Stages, configure_logs, logger, run_context


def test_every_line_inside_a_run_carries_run_id_and_as_of() -> None:
    stream = io.StringIO()
    configure_logs(stream=stream, as_json=True)
    with run_context(run_id="r1", as_of="2026-06-30", command="nightly"):
        logger().info("loaded", rows=3)
    logger().info("outside")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["run_id"], first["as_of"], first["command"], first["rows"]) == (
        "r1",
        "2026-06-30",
        "nightly",
        3,
    )
    assert "run_id" not in second
    assert first["timestamp"].endswith("Z")


def test_lines_go_to_the_standard_error_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = io.StringIO(), io.StringIO()
    monkeypatch.setattr("sys.stderr", first)
    configure_logs()
    first.close()
    monkeypatch.setattr("sys.stderr", second)
    logger().info("still told")
    assert "still told" in second.getvalue()


def test_quiet_logs_keep_warnings_only() -> None:
    stream = io.StringIO()
    configure_logs(stream=stream, quiet=True)
    logger().info("a")
    logger().warning("b")
    assert stream.getvalue().count("\n") == 1


def test_where_nobody_configured_logs_only_warnings_are_told_and_not_on_standard_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = structlog.get_config()
    structlog.reset_defaults()
    try:
        with Stages("spread", 1, interactive=False) as stages, stages.stage("ties and spreading"):
            pass
        logger().warning("odd")
        assert not structlog.is_configured()
    finally:
        structlog.configure(**kept)
    said = capsys.readouterr()
    assert said.out == ""
    assert "odd" in said.err
    assert "ties" not in said.err


def test_stages_log_their_seconds_and_counts_when_nobody_watches() -> None:
    stream = io.StringIO()
    configure_logs(stream=stream)
    with Stages("night", 1, interactive=False) as stages, stages.stage("score") as counts:
        counts["customers"] = 12
    assert set(stages.seconds) == {"score"}
    assert "event=score" in stream.getvalue()
    assert "customers=12" in stream.getvalue()


def test_on_a_terminal_stages_draw_instead_of_logging() -> None:
    stream = io.StringIO()
    configure_logs(stream=stream)
    with Stages("night", 1, interactive=True) as stages, stages.stage("score"):
        pass
    assert not stream.getvalue()
