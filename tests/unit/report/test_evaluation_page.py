"""The page of a judgement: every section says or shows something, nothing is loaded, the user's words are escaped."""

import re
from datetime import date

import numpy as np
import polars as pl
import pytest

from churnrisk.evaluating import HEADS
from churnrisk.report import EvaluationContent, RunDetails, evaluation_html, evaluation_pictures
from churnrisk.report.evaluation_tables import TABLES
from churnrisk.report.evaluation_views import PICTURES
from tests.drawn_judging import drawn
from training import OUT_OF_TIME
from training.judging.curves import curves
from training.judging.fairness import fairness
from training.judging.groups import grouped
from training.judging.lead_time import LeadTime, lead_time
from training.judging.loyalty import loyalty
from training.judging.material import LEAVINGS
from training.judging.months import months
from training.judging.opinions import opinions
from training.judging.segments import segment_labels, segments
from training.judging.sentences import Said, sentences
from training.judging.subject import Subject, subject_of
from training.judging.surveys import survey_pairs, surveys
from training.judging.types import types
from training.judging.ways import leaver_kinds
from training.rows import rows_together


def tables_of(told: Subject) -> dict[str, pl.DataFrame]:
    """Every table that needs no refit, and the others as a refit would give them."""
    member = (told.risk > 0.2).astype(np.intp)
    bands = grouped(told, member, ("low", "critical"), key="band").with_columns(
        risk_from=pl.Series([0.0, 0.2])
    )
    labels = segment_labels(told.rows, None)
    ends = {"value": [0.7, 0.75], "low": [0.6, 0.7], "high": [0.8, 0.8]}
    gained = {
        f"{name}_gained{end}": [None, 0.01]
        for name in ("auc", "top_decile_lift", "log_loss", "empc")
        for end in ("", "_low", "_high")
    }
    return {
        **curves(told, OUT_OF_TIME),
        "bands": bands,
        "months": months(told),
        "segments": segments(told, labels),
        "fairness": fairness(told, {"plan": labels["plan"]}),
        "lead_time": pl.DataFrame(
            {"days_from": [0], "days_to": [30], "n_leavers": [9], "n_flagged": [3], "share_flagged": [1 / 3],
             "low": [0.1], "high": [0.6]}
        ),
        "leaver_kinds": leaver_kinds(told),
        "opinions": opinions(told),
        "surveys": surveys(told.rows, told, None),
        "survey_pairs": survey_pairs(told.rows, seed=1),
        "types": types(told),
        "loyalty": loyalty(told),
        "blocks": pl.DataFrame(
            {"block": ["CRM", "+ usage"], "n_features": [3, 5], "auc": ends["value"], "auc_low": ends["low"],
             "auc_high": ends["high"], **gained}
        ),
        "unseen": pl.DataFrame(
            {"figure": ["auc"], "seen": [0.7], "unseen": [0.69], "lost": [0.01], "low": [-0.01], "high": [0.02]}
        ),
        "direction": pl.DataFrame(
            {"feature": ["wait"], "learned": ["higher is worse"], "rank_correlation": [0.9], "low": [0.8],
             "high": [0.95], "expected": ["lower is worse"], "agrees": [False]}
        ),
        "champion": pl.DataFrame({"figure": ["auc"], "gained": [0.01], "low": [-0.01], "high": [0.02]}),
        "campaigns": pl.DataFrame(
            {"campaign_id": ["spring", "spring"], "offer_id": ["call", "gift"], "n_treated": [900, 9],
             "n_compared": [700, 9], "n_control": [100, 100],
             "compared_with": ["controls of the same offer", "all controls, weighted"],
             "effect": [0.031, None], "effect_low": [0.01, None], "effect_high": [0.05, None],
             "ratio": [0.8, None], "ratio_low": [0.6, None], "ratio_high": [0.95, None], "kept": [28.0, None],
             "propensity": ["recorded", None], "verdict": ["measured", "not enough data"]}
        ),
        "causes": pl.DataFrame(
            {"campaign_id": ["spring"], "root_cause": [None], "offer_id": ["call"], "n_treated": [900],
             "n_control": [100], "difference": [0.03], "difference_low": [0.0], "difference_high": [0.06],
             "compared_with": ["all controls, weighted"], "verdict": ["measured"]},
            schema_overrides={"root_cause": pl.String},
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def content() -> EvaluationContent:
    look = rows_together([drawn(day, 200) for day in ("2026-04-01", "2026-05-01")])
    told = subject_of(look, np.random.default_rng(1).uniform(0.01, 0.5, 400))
    tables = tables_of(told)
    plan = pl.col("value").replace("plus", "<b>plus</b>")
    tables["segments"] = tables["segments"].with_columns(plan)
    lead = LeadTime(tables["lead_time"], 9, 3, 20.0, 1, 2)
    return EvaluationContent(
        as_of=date(2026, 6, 30),
        run=RunDetails("0123456789abcdef", "7", "0.1.0", {"customers": "ab" * 32}),
        judged="twin",
        kind=OUT_OF_TIME,
        n_rows=400,
        n_leavers=50,
        looks=tuple(told.looks),
        regime="boosted trees",
        titles=HEADS,
        sentences=sentences(Said(OUT_OF_TIME, "twin", told, tables, lead)),
        tables=tables,
        notes=("a note",),
    )


def test_every_section_stands_on_the_page_with_words_a_picture_or_a_table(content: EvaluationContent) -> None:
    page = evaluation_html(content)
    for key, title in HEADS.items():
        if key != "lead":
            section = page.split(f'<section id="{key.replace("_", "-")}"')[1].split("</section>")[0]
            assert title in section
            assert "<p" in section or "<svg" in section or "<table" in section
    assert "a note" in page
    assert set(PICTURES) | set(TABLES) <= {*HEADS, "figures"}


def test_what_offers_did_is_told_with_intervals_or_that_there_is_not_enough_data(
    content: EvaluationContent,
) -> None:
    page = evaluation_html(content)
    section = page.split('<section id="campaigns"')[1].split("</section>")[0]
    assert "+0.031 (+0.010 to +0.050)" in section
    assert "not enough data" in section


def test_the_page_loads_nothing_runs_nothing_and_escapes_what_the_user_called_things(
    content: EvaluationContent,
) -> None:
    page = evaluation_html(content)
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?!#|data:)', page)
    assert "default-src 'none'" in page
    assert "<b>plus</b>" not in page
    assert "&lt;b&gt;plus&lt;/b&gt;" in page


def test_the_same_judgement_gives_the_same_bytes_and_every_id_once(content: EvaluationContent) -> None:
    page = evaluation_html(content)
    assert page == evaluation_html(content)
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_pictures_are_those_of_the_page(content: EvaluationContent) -> None:
    found = [picture.name for picture in evaluation_pictures(content)]
    assert found == [
        "gain", "lift", "calibration", "profit", "by-date-auc", "by-date-observed-over-expected", "lead-time",
        "blocks", "segments", "surveys",
    ]  # fmt: skip
    assert all(picture.description for picture in evaluation_pictures(content))


def test_undefined_figures_are_said_and_make_neither_picture_nor_number() -> None:
    look = drawn("2026-05-01", 60)
    quiet = subject_of(
        type(look)(look.frame, np.zeros(60), look.weight, look.customer, look.snapshot), np.full(60, 0.1)
    )
    tables = {
        name: table
        for name, table in tables_of(quiet).items()
        if name not in {"blocks", "unseen", "direction", "champion"}
    }
    lead = lead_time(quiet, pl.DataFrame(schema=LEAVINGS), {})
    tables["lead_time"] = lead.table
    content = EvaluationContent(
        as_of=date(2026, 6, 30),
        run=RunDetails("0" * 16, "", "0.1.0"),
        judged="twin",
        kind=OUT_OF_TIME,
        n_rows=60,
        n_leavers=0,
        looks=("2026-05-01",),
        regime="",
        titles=HEADS,
        sentences=sentences(Said(OUT_OF_TIME, "twin", quiet, tables, lead)),
        tables=tables,
    )
    page = evaluation_html(content)
    assert "nan" not in page.lower().replace("provenance", "")
    assert "Ranking means nothing here" in page
    assert "Too few who answered have left" in page or "dash" in page
