"""For all files: nothing is lost, and order, repetition and cutting into files change no validated table."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from churnrisk.sources import LoadedSources
from tests.spec.sources.drawn import drawn

CALLS = '[sources.calls]\npath = "c/*.csv"\n[quality]\nmax_bad_share = 1\n'
HEAD = "caller_id,callee_id,started_at,duration_s,kind,known_at\n"

people = st.sampled_from(["ann", "bob", "cid", "zoe", "007", "7", "李", ""])
times = st.sampled_from(
    ["2026-01-01", "2026-01-01T10:00:00", "2026-01-01T13:00:00+03:00", "2026-01-02 10:00", "soon", ""]
)
seconds = st.sampled_from(["", "0", "60", "-1", "-5", "1.5", "x"])
kinds = st.sampled_from(["", "voice", "SMS", "fax"])
knowns = st.sampled_from(["", "2026-01-05", "2026-01-06", "2025-12-31"])
call_lines = st.one_of(
    st.tuples(people, people, times, seconds, kinds, knowns).map(lambda parts: ",".join(parts) + "\n"),
    st.sampled_from(["ann,bob\n", "a,b,c,d,e,f,g\n", '"ann","bob","2026-01-01",,,\n']),
)
GOOD = "ann,bob,2026-01-03T10:00:00,60,voice,\n"


def loaded(parts: list[list[str]]) -> LoadedSources:
    """Load calls given as the lines of several files; one good row keeps the table from being refused."""
    files: dict[str, str | bytes] = {
        f"c/{number}.csv": HEAD + "".join(lines) for number, lines in enumerate([[GOOD], *parts]) if lines
    }
    return drawn(Path(tempfile.mkdtemp()), CALLS, files)


@given(st.lists(call_lines, max_size=30))
@settings(max_examples=15)
def test_kept_and_quarantined_are_what_was_read(lines: list[str]) -> None:
    report = loaded([lines]).reports["calls"]
    assert report.n_read == len(lines) + 1
    assert report.n_kept + report.n_quarantined == report.n_read


@given(st.lists(call_lines, min_size=1, max_size=20), st.randoms(use_true_random=False))
@settings(max_examples=8)
def test_order_repetition_and_cutting_into_files_change_no_byte(lines: list[str], chance: object) -> None:
    shuffled = list(lines)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    half = len(shuffled) // 2
    whole = loaded([lines])
    for other in (loaded([shuffled]), loaded([shuffled[:half], shuffled[half:]]), loaded([lines, shuffled])):
        assert other.tables.paths["calls"].read_bytes() == whole.tables.paths["calls"].read_bytes()


@given(st.lists(call_lines, max_size=15), st.lists(call_lines, max_size=5))
@settings(max_examples=8)
def test_what_becomes_known_later_never_changes_what_was_known(lines: list[str], more: list[str]) -> None:
    """Rows known from 2027 on, whatever they say, leave everything known before as it was."""
    later = [line.rstrip("\n").rsplit(",", 1)[0] + ",2027-01-01\n" for line in more if line.count(",") == 5]
    cutoff = pl.datetime(2026, 12, 31)
    before = pl.read_parquet(loaded([lines]).tables.paths["calls"]).filter(pl.col("known_at") < cutoff)
    after = pl.read_parquet(loaded([lines, later]).tables.paths["calls"]).filter(pl.col("known_at") < cutoff)
    assert after.equals(before)


SURVEYS = '[sources.surveys]\npath = "s.csv"\n[quality]\nmax_bad_share = 1\n'
survey_lines = st.tuples(
    st.sampled_from(["1", "2", "3"]), st.sampled_from(["ann", "bob", "eve"]), st.sampled_from(["nps", "csat", "ces"]),
    st.sampled_from(["2026-01-01", "2026-01-02T15:00:00", ""]), st.sampled_from(["2026-01-02", "2026-01-03", ""]),
    st.sampled_from(["", "0", "5", "7", "11", "4.5"]), st.sampled_from(["", "slow", "慢", "медленно"]),
).map(lambda parts: ",".join(parts) + "\n")  # fmt: skip


@given(st.lists(survey_lines, max_size=20), st.randoms(use_true_random=False))
@settings(max_examples=8)
def test_answers_are_neither_lost_nor_dependent_on_order(lines: list[str], chance: object) -> None:
    head = "invitation_id,customer_id,metric,invited_at,answered_at,score,comment\n9,ann,nps,2026-01-01,2026-01-02,9,\n"
    shuffled = list(lines)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    one, two = (
        drawn(Path(tempfile.mkdtemp()), SURVEYS, {"s.csv": head + "".join(given_lines)})
        for given_lines in (lines, shuffled)
    )
    assert one.tables.paths["surveys"].read_bytes() == two.tables.paths["surveys"].read_bytes()
    report = one.reports["surveys"]
    assert report.n_kept + report.n_quarantined == report.n_read == len(lines) + 1
