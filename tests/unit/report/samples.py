"""Contents of reports for tests: a believable night, a nasty one, and ones with hardly anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl

from churnrisk import metrics
from churnrisk.metrics import Interval
from churnrisk.report import (
    Asking,
    Circle,
    Decided,
    Evidence,
    Handed,
    ReportContent,
    RunDetails,
    SourceLine,
    Told,
    Watching,
)

AS_OF = date(2026, 6, 30)

SCRIPT = '<script>document.title = "taken"; window.taken = true</script>'
IMAGE = '"><img src="https://example.org/pixel.png" onerror="window.taken = true">'
TEMPLATE = "{{ 7 * 7 }}{% include 'parts.html' %}"

LABELS = {
    "n_complaints_90d": "Complaints in the last 90 days",
    "usage_revenue_trend_90d": "Bill rising or falling",
    "churn_exposure_share_30d": "Contacts who have left",
    "nps_last_score": "Last answer to the recommend question",
    "n_calls_out_30d": "Calls made in the last 30 days",
    "tenure_days": "Days as a customer",
}

SENTENCES = {
    "n_complaints_90d": "3 complaints in 90 days, the last one unresolved",
    "usage_revenue_trend_90d": "The bill rose by 18 % over three months",
    "churn_exposure_share_30d": "2 of 9 people they call most have left in the last month",
    "nps_last_score": "Would not recommend us: 4 of 10, asked 12 days ago",
    "n_calls_out_30d": "Calls 60 % less than in the month before",
    "tenure_days": "A customer for 4 months only",
}


DECIDED = Decided(
    {
        "budget": {"survey": 5.0, "offer": 60.0},
        "spent": {"survey": 2.0, "offer": 56.0},
        "expected_net_value": 812.5,
        "counts": [
            {"kind": "survey", "decision": "ask", "reason_code": "chosen", "n": 40},
            {"kind": "survey", "decision": "hold-out", "reason_code": "survey_hold_out", "n": 1200},
            {"kind": "offer", "decision": "offer", "reason_code": "chosen", "n": 38},
            {"kind": "offer", "decision": "refused", "reason_code": "budget_spent", "n": 41},
            {"kind": "offer", "decision": "none", "reason_code": "effect_unknown", "n": 3},
            {"kind": "offer", "decision": "none", "reason_code": "not_eligible", "n": 212},
            {"kind": "offer", "decision": "none", "reason_code": "not_worth_it", "n": 5310},
            {"kind": "offer", "decision": "none", "reason_code": "trial_full", "n": 1104},
        ],
        "curve": {
            "budget": [0.0, 30.0, 60.0, 120.0],
            "net_value": [0.0, 500.0, 812.5, 1000.0],
            "n_offers": [0, 20, 38, 70],
            "per_unit": [None, 16.7, 10.4, 3.1],
            "is_budget": [False, False, True, False],
        },
    },
    {
        "chosen": "Chosen.",
        "survey_hold_out": "Belongs to those who are never asked, to measure by.",
        "budget_spent": "More valuable customers have used up the budget.",
        "effect_unknown": "What it would do is not known well enough.",
        "not_eligible": "The offer is not for this customer.",
        "not_worth_it": "It would cost more than it is expected to bring.",
        "trial_full": "The offer is on trial, and no place in its trial was left for this customer tonight.",
    },
    ("the effect of offer call is assumed, not measured",),
)

ASKED = Asking(
    ratios="What an answer says about leaving is learned from 300 answers to 1,000 invitations.",
    n_asked=1000,
    n_answered=300,
    rates=pl.DataFrame(
        {
            "band": ["critical", "watch"],
            "n_asked": [40, 5],
            "n_answered": [12, 0],
            "confirmed": [0.5, None],
            "confirmed_low": [0.25, None],
            "confirmed_high": [0.75, None],
            "cleared": [0.25, None],
        }
    ),
    figures=pl.DataFrame(
        {
            "figure": ["log_loss", "slope"],
            "before": [0.25, 0.9],
            "after": [0.2, 1.0],
            "gain": [0.05, None],
            "gain_low": [0.02, None],
            "gain_high": [0.08, None],
            "n": [300, 300],
            "n_leavers": [25, 25],
        }
    ),
    effect="Being asked by itself: +0.10 points of leaving [-0.20, +0.40]; no effect is seen.",
)


LEFT_OUT = (
    ["quiet_days"] * 12 + ["cap_reached"] * 2 + ["no_consent"] * 4 + ["drawn_none"] * 3 + ["asked_first"] * 2
)
"""Why 23 customers who rank beside the listed ones are not called."""


def believable(n: int = 4000, seed: int = 1) -> ReportContent:
    """A telco with everything."""
    rng = np.random.default_rng(seed)
    ids = [f"{number:08d}" for number in range(n)]
    regions = np.array(["Москва", "Санкт-Петербург", "上海", "广东省", "Nordrhein-Westfalen", "Österreich"])
    plans = np.array(["prepaid", "contract 12 months", "contract 24 months", "family & friends"])
    region, plan = rng.integers(0, 6, n), rng.integers(0, 4, n)
    n_ties = rng.poisson(5, n)
    exposure = np.where((n_ties > 0) & (rng.random(n) < 0.3), rng.beta(1.2, 9, n), 0.0)
    logit = (
        rng.normal(-4.4, 1.0, n) + 0.3 * (plan == 0) - 0.4 * (plan == 2) + 5 * exposure + 0.15 * (region == 2)
    )
    risk = 1 / (1 + np.exp(-logit))
    left = (rng.random(n) < risk).astype(np.float64)
    band = np.select([risk < 0.02, risk < 0.05, risk < 0.15], ["low", "watch", "high"], "critical")
    value = np.round(rng.gamma(4, 90, n), 2)
    kinds = np.select([plan == 0, region == 2], ["non_payment", "silent"], "asked")
    told = {"leaver_kind": kinds, "leaver_kind_share": rng.uniform(0.5, 0.9, n)}
    scores = pl.DataFrame({"customer_id": ids, "risk": risk, "band": band, "value": value, **told})
    at_risk = _listed(scores, 50, LEFT_OUT)
    return ReportContent(
        as_of=AS_OF,
        zone="Europe/Berlin",
        horizon_days=30,
        gap_days=14,
        run=RunDetails(
            run_id="3f1c9a02b7d84e65",
            model_version="7",
            software_version="0.1.0",
            fingerprints={"calls": "9b1f" * 16, "customers": "77aa" * 16, "churnrisk.toml": "03cd" * 16},
        ),
        scores=scores,
        at_risk=at_risk,
        currency="EUR",
        capacity=50,
        company="Nordwind Mobil",
        warnings=("12 % of surveys are of customers who are not in the customer source.",),
        uses_current_attributes=True,
        evidence=evidence(left, risk, band),
        reasons=_reasons(at_risk, rng),
        network=pl.DataFrame(
            {
                "customer_id": ids,
                "n_ties": n_ties,
                "churn_exposure": np.where(n_ties > 0, exposure, np.nan),
                "offnet_share": rng.beta(4, 6, n),
            }
        ).with_columns(pl.col("churn_exposure").fill_nan(None)),
        attributes=pl.DataFrame(
            {"customer_id": ids, "region": regions[region], "tariff": plans[plan], "meter": ids}
        ),
        sources=_sources(),
        absent_sources=("events",),
        feature_labels=LABELS,
        handed={
            "at_risk": Handed(50, ("lists/2026-06-30/at_risk.xlsx", "lists/2026-06-30/at_risk.csv")),
            "promoters": Handed(40, ("promoters.csv",), n_long_tenured=12),
        },
        circles=(circle(at_risk["customer_id"][0], 6), circle(at_risk["customer_id"][1], 0)),
        effect_words="the causal effect 0.03 per strong friend who left, 0 to 0.28 (default)",
        watching=watching(),
        decided=DECIDED,
        asking=ASKED,
    )


def decided_night() -> ReportContent:
    """The same telco on a night that also asks, offers and contacts, told beside the night before."""
    content = believable()
    listed = content.at_risk.filter(pl.col("left_out_for").is_null())["customer_id"]
    move = "-1.2: Service contacts in the last 90 days: 3. Before: 1."
    return replace(
        content,
        offered=_offered(listed),
        changed=pl.DataFrame({"customer_id": listed}).with_columns(
            change_pp=pl.lit(-2.34), sentences=pl.lit([move, "+0.4: A customer for 4 months."])
        ),
        handed={
            **content.handed,
            "survey_requests": Handed(40, ("survey_requests.csv", "survey_requests.xlsx"), {"email": 40}),
            "offers": Handed(1200, ("offers.csv", "offers.xlsx"), {"email": 200, "sms": 1000}),
            "proactive": Handed(1, ("proactive.csv",), {"email": 1}),
        },
        sends_messages=True,
        n_alerts=2,
    )


def _offered(customers: pl.Series) -> pl.DataFrame:
    """An offer to each but the second, who gets none; the third one's is drawn by lot."""
    place = pl.int_range(0, pl.len())
    return pl.DataFrame({"customer_id": customers}).with_columns(
        offer_name=pl.when(place != 1).then(pl.lit("10 % off for 12 months")),
        net_value=pl.lit(18.306),
        low=pl.lit(-2.5),
        high=pl.lit(1024.0),
        cost=pl.lit(1.3),
        effect=pl.lit(0.114),
        effect_source=pl.lit("assumed"),
        is_random=place == 2,
        why_none=pl.when(place == 1).then(pl.lit("More valuable customers have used up the budget.")),
    )


def watching() -> Watching:
    """A night on which the calls are half there, an input moved, and the risks were too low."""
    day = date(2026, 6, 29)
    rows = [
        watched("source", "last_night", "calls", "shrunk", observed=40_000.0, expected=1_200_000.0),
        watched("population", "last_night", "customers", "steady", observed=4000.0, expected=4010.0),
        watched("input", "last_night", "n_calls_out_30d", "strong drift", value=0.61, threshold=0.012),
        watched("input", "training", "tenure_days", "moved", value=0.03, threshold=0.02),
        watched("score", "last_night", "risk", "drift", value=0.14, threshold=0.011),
        watched("calibration", "outcomes", "band high", "calibrated", value=1.1, low=0.9, high=1.3),
        watched("calibration", "outcomes", "all", "off", value=1.2, low=1.1, high=1.31, observed=96.0),
        watched("calibration", "outcomes", "slope", "calibrated", value=0.98, low=0.8, high=1.1),
        watched("performance", "outcomes", "auc", "as expected", value=0.77, observed=0.75),
        *(
            watched("performance", "test", name, "as expected", value=0.7, low=0.6, high=0.8)
            for name in ("auc", "top_decile_lift", "log_loss", "brier", "leaving_rate")
        ),
    ]
    told = (
        Told("alarm", "Source calls holds 40,000 facts.", "Look at source calls."),
        Told("warning", "1 input of calls moved.", "Look at source calls: a jump."),
    )
    frame = pl.DataFrame(rows).with_columns(baseline_on=pl.lit(day), n=pl.lit(4000))
    return Watching(frame, told, ("4,000 predictions of 2026-05-10 have matured.",))


def watched(kind: str, baseline: str, name: str, verdict: str, **figures: float) -> dict[str, object]:
    """A row of the table monitoring."""
    columns = ("value", "low", "high", "threshold", "observed", "expected")
    numbers = {column: figures.get(column) for column in columns}
    source = name if kind == "source" else "calls" if kind == "input" else None
    return {"kind": kind, "baseline": baseline, "name": name, "source": source, "verdict": verdict, **numbers}


def circle(customer_id: str, n_friends: int) -> Circle:
    """So many friends, the first two of them tied."""
    numbers = list(range(1, n_friends + 1))
    friends = pl.DataFrame(
        {
            "number": numbers,
            "band": ["low", "watch", "high", "critical", "low", "low"][:n_friends],
            "strength_share": [1 / n_friends for _ in numbers],
            "extra_pp": [0.004 * number for number in numbers],
            "value": [100.0 * number for number in numbers],
            "money": [0.004 * number**2 for number in numbers],
        }
    )
    links = pl.DataFrame({"first": [1], "second": [2]}).head(n_friends)
    return Circle(customer_id, 3.5, 0.0, 32.7, friends, links)


def evidence(left: np.ndarray, risk: np.ndarray, band: np.ndarray) -> Evidence:
    """Test figures of the risks themselves, so that all tables agree."""
    tested = pl.DataFrame({"band": band, "left": left})
    by_band = tested.group_by("band").agg(n=pl.len(), realised_rate=pl.col("left").mean()).sort("band")
    low, high = metrics.wilson(by_band["realised_rate"].to_numpy(), by_band["n"].to_numpy())
    figures = dict(metrics.bootstrap_intervals(left, risk, n_resamples=100))
    figures["ece"] = Interval(0.0021, 0.0012, 0.0035)
    figures["observed_over_expected"] = Interval(1.03, 0.92, 1.14)
    figures["calibration_slope"] = Interval(0.98, 0.87, 1.09)
    return Evidence(
        protocol="out_of_time",
        learner="LightGBM of 240 trees, calibrated by isotonic regression",
        n_training_rows=5 * len(left),
        n_training_leavers=5 * int(left.sum()),
        n_test_rows=len(left),
        n_test_leavers=int(left.sum()),
        trained_from=date(2025, 11, 17),
        trained_until=date(2026, 4, 16),
        tested_from=date(2026, 5, 17),
        tested_until=date(2026, 5, 17),
        figures=figures,
        figures_without_network={"auc": Interval(figures["auc"].value - 0.014, 0.0, 1.0)},
        network_gain=Interval(0.014, 0.006, 0.022),
        treat_all_per_customer=metrics.treat_all(float(left.mean())),
        reliability=metrics.reliability_table(left, risk),
        gains=metrics.gain_table(left, risk),
        profits=metrics.profit_table(left, risk),
        bands=by_band.with_columns(realised_low=low, realised_high=high),
        importance=pl.DataFrame({"feature": list(LABELS), "share": [0.31, 0.22, 0.17, 0.12, 0.1, 0.08]}),
        calibrated_apart="plan: contract 12 months, prepaid",
    )


def nasty() -> ReportContent:
    """The same telco with names that try to break the page."""
    content = believable(1200, seed=2)
    hostile = [
        "<script>alert(1)</script>" + "x" * 70,
        IMAGE,
        TEMPLATE,
        "\u202egnissim",
        "客户" * 60,
        "]]>-->",
    ]
    n = len(content.scores)
    names = [hostile[row % len(hostile)] for row in range(n)]
    attributes = content.attributes
    assert attributes is not None
    listed = content.at_risk.with_columns(
        customer_id=pl.Series([SCRIPT, IMAGE, "x" * 300, *content.at_risk["customer_id"][3:]])
    )
    reasons = pl.DataFrame(
        {
            "customer_id": [SCRIPT, SCRIPT, IMAGE],
            "position": [1, 2, 1],
            "feature": ["attribute_x", "churn_exposure_share_30d", "attribute_x"],
            "value": [SCRIPT, "2", IMAGE],
            "effect_pp": [3.0, 2.0, 1.0],
            "sentence": [f"Tarif ist {SCRIPT}", "У двух друзей теперь другой оператор", f"方案是{IMAGE}"],
        }
    )
    hostile_offers = _offered(listed["customer_id"][:50]).with_columns(
        offer_name=pl.lit(SCRIPT), effect_source=pl.lit("measured")
    )
    return replace(
        content,
        company=IMAGE,
        currency="<b>€",
        at_risk=listed,
        reasons=reasons,
        feature_labels={"attribute_x": SCRIPT},
        attributes=attributes.with_columns(
            pl.Series("tariff", names).alias(SCRIPT), pl.Series(names).alias("очень длинное имя столбца " * 6)
        ),
        warnings=(SCRIPT, IMAGE, TEMPLATE),
        sources=(
            SourceLine(SCRIPT, 10, 4, 6, {"<i>fault": 6}, AS_OF, AS_OF, 0.2, match_rates={IMAGE: 0.5}),
            *content.sources,
        ),
        absent_sources=(SCRIPT,),
        handed={"at_risk": Handed(50, (IMAGE,)), "offers": Handed(3, (SCRIPT,), {IMAGE: 3})},
        offered=hostile_offers,
        watching=_nasty_watching(),
        run=RunDetails(SCRIPT, IMAGE, "0.1.0", {SCRIPT: "a" * 300}),
    )


def _nasty_watching() -> Watching:
    rows = [
        watched("input", "training", "attribute_x", "drift", value=0.3, threshold=0.1),
        watched("input", "training", "y" * 300, "drift", value=0.2, threshold=0.1),
        watched("source", "none", IMAGE, "there", observed=3.0),
    ]
    frame = pl.DataFrame(rows).with_columns(baseline_on=pl.lit(None, pl.Date), n=pl.lit(4000))
    return Watching(frame, (Told("warning", SCRIPT, IMAGE),), (TEMPLATE,))


def bare() -> ReportContent:
    """Customers, risks, and nothing else."""
    content = believable(300, seed=3)
    scores = content.scores.with_columns(value=pl.lit(None, pl.Float64))
    return replace(
        minimal(
            scores, _listed(scores.with_columns(value=1.0), 5).with_columns(value=pl.lit(None, pl.Float64))
        ),
        absent_sources=("calls", "surveys", "interactions", "usage", "events"),
    )


def one_customer() -> ReportContent:
    """A base of one."""
    scores = pl.DataFrame({"customer_id": ["唯一"], "risk": [0.4], "band": ["critical"], "value": [12.0]})
    network = pl.DataFrame({"customer_id": ["唯一"], "n_ties": [0], "churn_exposure": [None]})
    return replace(
        minimal(scores, _listed(scores, 1)),
        network=network.with_columns(pl.col("churn_exposure").cast(pl.Float64)),
        attributes=pl.DataFrame({"customer_id": ["唯一"], "region": ["上海"]}),
    )


def nobody() -> ReportContent:
    """A base of none."""
    scores = pl.DataFrame(
        schema={"customer_id": pl.String, "risk": pl.Float64, "band": pl.String, "value": pl.Float64}
    )
    ties = {"customer_id": pl.String, "n_ties": pl.Int64, "churn_exposure": pl.Float64}
    return replace(
        minimal(scores, _listed(scores, 1)),
        network=pl.DataFrame(schema=ties),
        attributes=pl.DataFrame(schema={"customer_id": pl.String, "region": pl.String}),
        reasons=pl.DataFrame(
            schema={
                "customer_id": pl.String,
                "position": pl.Int64,
                "feature": pl.String,
                "effect_pp": pl.Float64,
                "sentence": pl.String,
            }
        ),
    )


def minimal(scores: pl.DataFrame, at_risk: pl.DataFrame) -> ReportContent:
    """The fields without a default, and no others."""
    return ReportContent(
        as_of=AS_OF,
        zone="UTC",
        horizon_days=30,
        gap_days=14,
        run=RunDetails("0123456789abcdef", "1", "0.1.0"),
        scores=scores,
        at_risk=at_risk,
    )


def _listed(scores: pl.DataFrame, n: int, left_out: Sequence[str] = ()) -> pl.DataFrame:
    best = scores.sort(pl.col("risk") * pl.col("value"), descending=True).head(n + len(left_out))
    codes = pl.Series("left_out_for", [*[None] * (len(best) - len(left_out)), *left_out], dtype=pl.String)
    return best.with_columns(
        position=pl.int_range(1, pl.len() + 1),
        risk_low=pl.col("risk") * 0.8,
        risk_high=(pl.col("risk") * 1.25).clip(0, 1),
        left_out_for=codes,
        phone=pl.lit("+49 170 5550199"),
    )


def _reasons(at_risk: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    names = list(SENTENCES)
    rows = []
    for customer in at_risk["customer_id"]:
        chosen = rng.permutation(len(names))[:4]
        for position, number in enumerate(chosen, 1):
            feature = names[number]
            effect = 4.0 / position if position < 4 else -1.0
            rows.append((customer, position, feature, "", effect, SENTENCES[feature]))
    columns = ["customer_id", "position", "feature", "value", "effect_pp", "sentence"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def _sources() -> tuple[SourceLine, ...]:
    first, last = date(2025, 7, 1), date(2026, 6, 30)
    return (
        SourceLine("customers", 4000, 4000, 0, {}, date(2009, 3, 1), date(2026, 6, 29), 1.0),
        SourceLine(
            "calls",
            1_204_331,
            1_203_900,
            431,
            {"date_unreadable": 400, "call_to_oneself": 31},
            first,
            last,
            0.2,
            match_rates={"of callers are customers": 0.71},
        ),
        SourceLine(
            "surveys",
            6120,
            6098,
            22,
            {"score_out_of_range": 22},
            first,
            date(2026, 5, 2),
            59.0,
            is_stale=True,
        ),
    )
