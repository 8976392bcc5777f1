"""What the page says of silent customers: predicted and measured told apart, or why nothing is predicted."""

from __future__ import annotations

from dataclasses import replace

from churnrisk.bundle import NpsFindings
from churnrisk.report import Silence, report_html
from churnrisk.report.parts import Section
from churnrisk.report.silence import APART, UNTRAINED, silence_section

from .samples import believable

FINDINGS = NpsFindings(
    n_answers=1500,
    regime="lightgbm, calibrated by platt",
    tested_from="2026-05-17",
    tested_until="2026-05-17",
    n_judged_answers=480,
    figures={
        "log_loss_gained": (0.12, 0.05, 0.2),
        **{f"share_{name}": (0.2, 0.1, 0.3) for name in ("detractor", "passive", "promoter")},
        **{f"expected_{name}": (0.25, 0.2, 0.3) for name in ("detractor", "passive", "promoter")},
        **{f"auc_{name}": (0.7, 0.6, 0.8) for name in ("detractor", "passive", "promoter")},
        "observed_over_expected_detractor": (0.8, 0.7, 1.2),
        "observed_over_expected_passive": (1.0, 0.9, 1.1),
        "observed_over_expected_promoter": (None, None, None),
    },
)
TOLD = Silence(
    FINDINGS,
    n_silent=3000,
    predicted={"detractor": 0.3, "passive": 0.4, "promoter": 0.3},
    n_heard=1000,
    measured={"detractor": 0.1, "passive": 0.4, "promoter": 0.5},
)
SPACE = "\N{NO-BREAK SPACE}"


def section(silence: Silence | None) -> Section:
    return silence_section(replace(believable(200), silence=silence))


def test_predicted_and_measured_shares_stand_beside_each_other_and_are_told_apart() -> None:
    found = section(TOLD)
    assert found.lines[0].startswith("3,000 customers gave no answer about the relationship in a year.")
    assert APART in found.lines[0]
    shares = found.parts[0].table
    assert shares is not None
    assert [head.text for head in shares.heads] == [
        "Category",
        "Predicted, not asked (3,000 customers)",
        "Measured: answered in a year (1,000 customers)",
    ]
    assert shares.rows[0] == ("detractor", f"30{SPACE}%", f"10{SPACE}%")


def test_the_test_tells_its_figures_with_intervals() -> None:
    found = section(TOLD)
    assert "480 answers given after 2026-05-17" in found.lines[1]
    assert "0.120 nats per answer (0.050 to 0.200)" in found.lines[1]
    judged = found.parts[1].table
    assert judged is not None
    assert judged.rows[0] == (
        "detractor", f"20{SPACE}%", f"25{SPACE}%", "0.80", "0.70 to 1.20", "0.700", "0.600 to 0.800",
    )  # fmt: skip
    assert judged.rows[2][3:5] == ("–", "–")


def test_where_nothing_is_predicted_the_reason_and_the_measured_shares_are_told() -> None:
    found = section(replace(TOLD, findings=NpsFindings(reason="12 answers are known"), predicted={}))
    assert found.lines == ("Nothing is predicted: 12 answers are known.",)
    (shares,) = found.parts
    assert shares.table is not None
    assert [head.text for head in shares.table.heads][1].startswith("Measured")
    tonight = section(replace(TOLD, note="feature wait_s (none)", predicted={}))
    assert tonight.lines[0] == "Nothing is predicted tonight: feature wait_s (none)."


def test_a_model_without_survey_answers_says_so() -> None:
    assert section(None).lines == (UNTRAINED,)
    assert section(Silence(None)).parts == ()


def test_the_page_holds_the_section() -> None:
    page = report_html(replace(believable(200), silence=TOLD))
    assert "What would silent customers answer?" in page
    assert "Predicted, not asked (3,000 customers)" in page
