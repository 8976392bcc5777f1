"""What a report is made of: plain values and frames as the night has them; refuses to know how a page looks.

Everything that may be absent is None or empty by default, and the page then says so in a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

import polars as pl

from ..bundle import Lifetime, NpsFindings
from ..metrics import Contagion, Interval


@dataclass(frozen=True)
class RunDetails:
    """Which run this was, for somebody who has to find it again.

    ``fingerprints`` maps what was read (a table, a file, the settings) to its hash.
    """

    run_id: str
    model_version: str
    software_version: str
    fingerprints: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Evidence:
    """How the model was made and what its test said.

    Dates are as-of dates of snapshots, None where a labelled extract has none. ``figures`` go by the names of
    :func:`churnrisk.metrics.figures` (auc, pr_auc, top_decile_lift, empc, log_loss, log_loss_margin, brier), and
    ece, calibration_slope, observed_over_expected; others are shown under their own name. ``figures_without_network``
    come from the same learner without its network inputs; ``network_gain`` is the difference of the AUC, with the
    interval of paired resamples. ``contagion`` says whether churn spreads between customers, None when not asked.

    Frames: ``reliability`` as metrics.reliability_table, ``gains`` as metrics.gain_table, ``profits`` as
    metrics.profit_table, ``bands`` with columns band, n, realised_rate, realised_low, realised_high (test rows by
    band), ``importance`` with columns feature, share (0-1), most important first. ``lifetime``: how risks fade, and
    expected survival beside realised. ``calibrated_apart``: the column by whose values risks are calibrated, and these.
    """

    protocol: Literal["out_of_time", "cross_validated"]
    learner: str
    n_training_rows: int
    n_training_leavers: int
    n_test_rows: int
    n_test_leavers: int
    trained_from: date | None = None
    trained_until: date | None = None
    tested_from: date | None = None
    tested_until: date | None = None
    figures: Mapping[str, Interval] = field(default_factory=dict)
    figures_without_network: Mapping[str, Interval] | None = None
    network_gain: Interval | None = None
    contagion: Contagion | None = None
    treat_all_per_customer: float | None = None
    reliability: pl.DataFrame | None = None
    gains: pl.DataFrame | None = None
    profits: pl.DataFrame | None = None
    bands: pl.DataFrame | None = None
    importance: pl.DataFrame | None = None
    lifetime: Lifetime | None = None
    calibrated_apart: str = ""


@dataclass(frozen=True)
class SourceLine:
    """What became of one source.

    ``faults`` counts quarantined rows by code; ``match_rates`` says, for a sentence such as "of callers are
    customers", which share (0-1) it is true of.
    """

    name: str
    n_read: int
    n_kept: int
    n_quarantined: int
    faults: Mapping[str, int] = field(default_factory=dict)
    first_happened: date | datetime | None = None
    last_happened: date | datetime | None = None
    age_days: float | None = None
    is_stale: bool = False
    match_rates: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Circle:
    """A listed customer with those around: ``money`` is expected to be lost there if they leave, None = unknown.

    ``friends``: number, band, strength_share, extra_pp, value, money, without ids, empty where they are too few to be
    shown; ``links``: first, second, numbers of friends tied to each other.
    """

    customer_id: str
    money: float | None
    low: float | None
    high: float | None
    friends: pl.DataFrame
    links: pl.DataFrame


@dataclass(frozen=True)
class Told:
    """A finding: how bad (alarm, warning, note), in a sentence, and what should be done."""

    severity: str
    sentence: str
    advice: str


@dataclass(frozen=True)
class Watching:
    """What was watched: findings, alarms first; notes on what could not be compared; the published table monitoring."""

    table: pl.DataFrame
    findings: tuple[Told, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Silence:
    """What silent customers would answer, predicted, beside what the others did answer.

    ``findings`` of the training, None without survey answers then; ``predicted`` shares (0-1) by category expected of
    the ``n_silent``, empty where nothing is predicted, ``note`` then says why tonight's are missing; ``measured``
    shares among the ``n_heard``.
    """

    findings: NpsFindings | None = None
    n_silent: int = 0
    predicted: Mapping[str, float] = field(default_factory=dict)
    n_heard: int = 0
    measured: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class Decided:
    """What was decided on the date: ``figures`` as the ledger keeps them, ``words`` of reason codes, notes.

    ``figures``: budget and spent by purpose, counts (kind, decision, reason_code, n), expected_net_value, curve (what
    other budgets would buy, by columns; None without offers).
    """

    figures: Mapping[str, Any]
    words: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Handed:
    """A list handed to people: how many rows it holds, the names of its files, rows by channel and by programme.

    ``n_stopped``: how many more were decided on and stopped since. ``n_long_tenured``: how many are customers for long.
    """

    n: int
    files: tuple[str, ...] = ()
    channels: Mapping[str, int] = field(default_factory=dict)
    programmes: Mapping[str, int] = field(default_factory=dict)
    n_stopped: int = 0
    n_long_tenured: int = 0


@dataclass(frozen=True)
class Asking:
    """How asking goes so far.

    ``rates`` as training.answers.confirmation_rates, ``figures`` as answer_figures there (None: ``few`` says why not);
    ``effect`` says what being asked does by itself, ``ratios`` what an answer is taken to say.
    """

    ratios: str = ""
    n_asked: int = 0
    n_answered: int = 0
    rates: pl.DataFrame | None = None
    figures: pl.DataFrame | None = None
    few: str = ""
    effect: str = ""


@dataclass(frozen=True)
class ReportContent:
    """Everything the page of one night says.

    Frames are the published tables of the date (more columns do no harm, none of them is shown but those named):
    ``scores`` customer_id, risk, band, value (value null where unknown); ``at_risk`` position, customer_id, risk,
    band, value and, when there are, spillover_value, risk_low, risk_high, reasons (text), left_out_for (a code of the
    contact rules or of ``scoring.lists``; where it is not null the row is told as left out, and neither shown nor
    counted as listed); ``reasons`` customer_id, position, feature, effect_pp, sentence; ``offered`` customer_id,
    offer_name, net_value, low, high, cost, effect, effect_source, is_random of offers to those listed, and where
    offer_name is null why_none, a sentence;
    ``changed`` customer_id, change_pp (points since the night before), sentences (of the largest moves); ``network``
    customer_id, n_ties, churn_exposure and, when there is, offnet_share; ``attributes`` customer_id and one text column
    per attribute, under the user's own names.

    ``feature_labels`` gives inputs in words; ``sentence_language`` is that of the reasons' sentences (BCP 47);
    ``absent_sources`` names sources the user does not have; ``capacity`` is how many customers the team can contact
    a day; ``handed`` are the lists by name (at_risk, survey_requests, offers, proactive, promoters);
    ``sends_messages`` says that contacts go to other systems by
    themselves; ``n_alerts`` counts alerts of late that are open; ``circles`` are those around the first of the list,
    ``effect_words`` says what their money rests on.
    """

    as_of: date
    zone: str
    horizon_days: int
    gap_days: int
    run: RunDetails
    scores: pl.DataFrame
    at_risk: pl.DataFrame
    churn_kind: Literal["cancelled", "inactive", "label"] = "cancelled"
    inactive_days: int | None = None
    value_months: int = 12
    currency: str = ""
    capacity: int | None = None
    warnings: tuple[str, ...] = ()
    uses_current_attributes: bool = False
    evidence: Evidence | None = None
    reasons: pl.DataFrame | None = None
    offered: pl.DataFrame | None = None
    changed: pl.DataFrame | None = None
    network: pl.DataFrame | None = None
    attributes: pl.DataFrame | None = None
    sources: tuple[SourceLine, ...] = ()
    absent_sources: tuple[str, ...] = ()
    feature_labels: Mapping[str, str] = field(default_factory=dict)
    sentence_language: str = "en"
    handed: Mapping[str, Handed] = field(default_factory=dict)
    sends_messages: bool = False
    n_alerts: int = 0
    circles: tuple[Circle, ...] = ()
    effect_words: str = ""
    watching: Watching | None = None
    silence: Silence | None = None
    decided: Decided | None = None
    asking: Asking | None = None
    company: str = ""
