"""Evidence of a training goes into JSON and comes back the same."""

import json
from dataclasses import replace
from datetime import date
from math import isnan, nan
from pathlib import Path

import numpy as np
import polars as pl

from churnrisk.bundle import (
    NpsFindings,
    PredictedNps,
    Provenance,
    read_predicted_nps,
    read_reference,
    reference_of,
)
from churnrisk.evidence import EVIDENCE_FILE, EvidencedBundle, read_evidence, write_evidence
from churnrisk.metrics import Interval
from churnrisk.report import Evidence
from tests.drawn_models import drawn_contagion
from training import FitSettings, Rows, from_extract

DRAWN = Evidence(
    protocol="out_of_time",
    learner="boosted trees",
    n_training_rows=100,
    n_training_leavers=9,
    n_test_rows=50,
    n_test_leavers=4,
    trained_until=date(2026, 6, 30),
    figures={"auc": Interval(0.7, 0.6, 0.8), "ece": Interval(0.01, nan, nan)},
    network_gain=Interval(0.02, 0.01, nan),
    contagion=drawn_contagion(),
    bands=pl.DataFrame({"band": ["low"], "n": [3], "realised_rate": [0.25]}),
)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    write_evidence(DRAWN, tmp_path)
    found = read_evidence(tmp_path)
    assert found is not None
    assert (found.learner, found.trained_until, found.figures["auc"]) == (
        "boosted trees",
        date(2026, 6, 30),
        Interval(0.7, 0.6, 0.8),
    )
    assert found.contagion == DRAWN.contagion
    assert found.network_gain is not None
    assert (found.network_gain.low, isnan(found.network_gain.high)) == (0.01, True)
    assert found.bands is not None
    assert found.bands.rows() == [("low", 3, 0.25)]


def test_an_interval_that_was_not_computed_stays_so_and_the_file_is_plain_json(tmp_path: Path) -> None:
    write_evidence(DRAWN, tmp_path)
    assert "NaN" not in (tmp_path / EVIDENCE_FILE).read_text("utf-8")
    assert json.loads((tmp_path / EVIDENCE_FILE).read_text("utf-8"))["figures"]["ece"] == [0.01, None, None]
    found = read_evidence(tmp_path)
    assert found is not None
    assert isnan(found.figures["ece"].low)


def test_a_bundle_made_without_evidence_has_none(tmp_path: Path) -> None:
    assert read_evidence(tmp_path) is None
    assert read_predicted_nps(tmp_path) is None


def test_a_saved_training_takes_evidence_and_reference_along(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    wait = rng.normal(size=400)
    left = (rng.random(400) < 1 / (1 + np.exp(1 - wait))).astype(np.float64)
    who = np.array([f"c{each}" for each in range(400)], dtype=object)
    rows = Rows(pl.DataFrame({"wait_s": wait}), left, np.ones(400), who, np.full(400, "", dtype=object))
    result = from_extract(rows, FitSettings(1), Provenance(churn={"kind": "label"}))
    kept = reference_of(result.bundle.features, rows.frame)
    said = PredictedNps(NpsFindings(reason="12 answers are known", n_answers=12))
    EvidencedBundle(replace(result, reference=kept, nps=said)).save(tmp_path)
    assert read_predicted_nps(tmp_path) == said
    assert read_evidence(tmp_path) is not None
    assert read_reference(tmp_path) == kept
