"""Says in words what the tables say, one list of sentences per table; it computes nothing but what a word needs.

Undefined is said, never left out silently: a reader must not take silence for "nothing found".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from churnrisk.bundle import Lifetime
from churnrisk.metrics import VERBRAKEN

from ..evaluate import OUT_OF_TIME
from .lead_time import LeadTime, lead_words
from .months import MONTH_FIGURES, unsteady
from .subject import Subject
from .surveys import CODED

UNSTEADY = 0.05
"""Chance below which looks are said to differ."""

FOUR_FIFTHS = 0.8
"""Ratio of selection rates below which a difference is named; a custom of courts, not a law of nature."""

JUDGED_WORDS: Mapping[str, str] = {
    "champion": "The champion itself is judged: it has seen no outcome of the tested dates",
    "twin": "A twin is judged, trained now with the settings of the workspace on earlier dates only",
    "folds": "Each customer is judged by a model that has not seen them (folds)",
}


@dataclass(frozen=True, eq=False)
class Said:
    """What sentences are made of."""

    kind: str
    judged: str
    subject: Subject
    tables: Mapping[str, pl.DataFrame]
    lead: LeadTime
    lifetime: Lifetime | None = None

    def figure(self, name: str) -> tuple[float | None, float | None, float | None]:
        """Return value and ends of a figure."""
        row = self.tables["figures"].filter(pl.col("figure") == name).row(0)
        return row[1], row[2], row[3]


def sentences(said: Said) -> dict[str, tuple[str, ...]]:
    """Return sentences by section, in the order of the page."""
    return {name: tuple(make(said)) for name, make in _MAKERS.items()}


def _lead(said: Said) -> list[str]:
    subject, looks = said.subject, said.subject.looks
    dated = [day for day in looks if day]
    when = f" at {len(dated)} dates, {dated[0]} to {dated[-1]}" if len(dated) > 1 else ""
    when = f" as of {dated[0]}" if len(dated) == 1 else when
    out = "" if said.kind == OUT_OF_TIME else f" Figures are {said.kind}."
    return [
        (
            f"{JUDGED_WORDS[said.judged]}. {len(subject.left):,} rows{when}, {subject.rows.n_leavers:,} customers "
            f"among them left.{out}"
        ),
        "Every interval is a 95 % interval over customers: who stands in several rows is drawn whole.",
    ]


def _ranking(said: Said) -> list[str]:
    value, low, high = said.figure("auc")
    if value is None:
        return ["Ranking means nothing here: nobody left, or nobody stayed."]
    lift = said.figure("top_decile_lift")
    found = [
        (
            f"A leaver had a higher risk than a stayer {_percent(value)} of the time "
            f"({_span(low, high, _percent)}); 50 % is chance."
        ),
        (
            f"The riskiest tenth holds {_times(lift[0])} as many leavers as a tenth taken at random "
            f"({_span(lift[1], lift[2], _times)})."
        ),
    ]
    if low is not None and low <= 0.5:  # noqa: PLR2004 - chance
        found.append("The interval holds chance: this model has not been shown to rank at all.")
    return found


def _calibration(said: Said) -> list[str]:
    ratio, low, high = said.figure("observed_over_expected")
    slope, slope_low, slope_high = said.figure("calibration_slope")
    error, mean, deviation = (said.figure(name)[0] for name in ("ece", "ece_null_mean", "ece_null_se"))
    found = [f"{_plain(ratio)} leavers came per leaver expected ({_span(low, high, _plain)}); 1 is right."]
    if slope is not None:
        found.append(
            f"The calibration slope is {_plain(slope)} ({_span(slope_low, slope_high, _plain)}); 1 is right."
        )
    if error is not None and mean is not None and deviation is not None:
        verdict = "no more than" if error <= mean + 2 * deviation else "more than"
        found.append(
            f"The calibration error is {100 * error:.2f} points, {verdict} chance gives a perfect model on rows like "
            f"these ({100 * mean:.2f}, standard error {100 * deviation:.2f})."
        )
    return found


def _profit(said: Said) -> list[str]:
    best, low, high = said.figure("empc")
    everybody = said.figure("empc_treat_all")
    over = said.figure("empc_over_treat_all")
    if best is None:
        return ["Profit means nothing here: nobody left, or nobody stayed."]
    found = [
        (
            f"Expected profit (EMPC): contacting the best share earns {_money(best)} per customer of the base "
            f"({_span(low, high, _money)}), averaged over how many leavers may accept the offer; contacting nobody "
            f"earns 0, everybody {_money(everybody[0])} ({_span(everybody[1], everybody[2], _money)})."
        ),
        (
            f"Maximum profit (MPC), the best of the curve: {_money(said.figure('mpc')[0])} if exactly "
            f"{VERBRAKEN.acceptance:.0%} accept. It is never above the expected one, which may choose another share "
            "for each acceptance."
        ),
        "Costs and acceptance are those of the literature (Verbraken et al. 2013), not measured here.",
    ]
    if over[1] is not None and over[1] <= 0:
        found.append("It is not shown that a list beats the better of nobody and everybody.")
    return found


def _bands(said: Said) -> list[str]:
    rows = said.tables["bands"].filter(pl.col("n") > 0)
    return [
        f"{row['band']}: {row['n_leavers']:,} of {row['n']:,} left, {_percent(row['realised_rate'])} "
        f"({_span(row['realised_low'], row['realised_high'], _percent)}), predicted {_percent(row['mean_risk'])}."
        for row in rows.iter_rows(named=True)
    ]


def _months(said: Said) -> list[str]:
    table = said.tables["months"]
    if table["as_of"].n_unique() < 2:  # noqa: PLR2004 - one date tells nothing of dates
        return ["One date was judged: nothing can be said of steadiness."]
    found = []
    words = {"auc": "AUC", "observed_over_expected": "leavers observed over expected"}
    for name in (each for each in MONTH_FIGURES if each in words):
        rows = table.filter((pl.col("figure") == name) & pl.col("value").is_not_null())
        if rows.is_empty():
            continue
        chance = unsteady(table, name)
        verdict = "too few to compare" if chance is None else "no more than chance would"
        if chance is not None and chance < UNSTEADY:
            verdict = "more than chance would"
        lowest, highest = float(rows["value"].min()), float(rows["value"].max())  # type: ignore[arg-type]
        p_value = "" if chance is None else f", p {chance:.2g}"
        found.append(
            f"Over the dates {words[name]} goes from {lowest:.2f} to {highest:.2f}: {verdict}{p_value}."
        )
    return found


def _blocks(said: Said) -> list[str]:
    table = said.tables.get("blocks")
    if table is None or table.is_empty():
        return ["Nothing was fitted anew for the blocks: there is no test out of time."]
    found = []
    for row in table.iter_rows(named=True):
        gain, low, high = row["auc_gained"], row["auc_gained_low"], row["auc_gained_high"]
        if gain is None:
            found.append(f"{row['block']} alone ({row['n_features']} features): AUC {row['auc']:.3f}.")
            continue
        is_sure = low is not None and (low > 0 or high < 0)
        verdict = ("adds" if gain > 0 else "costs") if is_sure else "adds nothing measurable:"
        told = _plain3(-gain) if is_sure and gain < 0 else _signed(gain)
        found.append(f"{row['block']} {verdict} {told} AUC ({_span(low, high, _signed)}).")
    return found


def _lifetime(said: Said) -> list[str]:
    if said.lifetime is None:
        return [
            "How long customers stay is not known: the extract does not say over which time its risk speaks."
        ]
    return list(said.lifetime.sentences())


def _segments(said: Said) -> list[str]:
    table = said.tables["segments"]
    if table.is_empty():
        return ["There is no attribute to look at segments by."]
    wrong = table.filter(pl.col("is_flagged").fill_null(value=False))
    if wrong.is_empty():
        return [f"In none of {table.height} segments do leavers differ from what was expected beyond chance."]
    return [
        f"{row['attribute']} {row['value']}: {_plain(row['oe'])} leavers per leaver expected "
        f"({_span(row['oe_low'], row['oe_high'], _plain)})."
        for row in wrong.iter_rows(named=True)
    ]


def _fairness(said: Said) -> list[str]:
    table = said.tables["fairness"]
    if table.is_empty():
        return ["No attribute was chosen: name some with --by or [evaluation] by."]
    found = []
    for attribute in table["attribute"].unique(maintain_order=True):
        rows = table.filter((pl.col("attribute") == attribute) & pl.col("ratio_to_highest").is_not_null())
        if rows.height < 2:  # noqa: PLR2004 - one group is treated like itself
            found.append(f"{attribute}: one group only.")
            continue
        row = rows.sort("ratio_to_highest", "value").row(0, named=True)
        found.append(
            f"{attribute}: {row['value']} is selected {row['ratio_to_highest']:.2f} times as often as the group that "
            "is selected most" + (", below four fifths." if row["ratio_to_highest"] < FOUR_FIFTHS else ".")
        )
    return [*found, "A difference may be one of need: look at leavers observed over expected beside it."]


def _lead_time(said: Said) -> list[str]:
    return list(lead_words(said.lead))


def _opinions(said: Said) -> list[str]:
    table = said.tables["opinions"]
    if table.is_empty():
        return ["There are no recommend scores: satisfied leavers cannot be told."]
    words = {("promoter", "left"): "satisfied left", ("detractor", "stayed"): "dissatisfied stayed"}
    found = []
    for (opinion, outcome), told in words.items():
        rows = table.filter((pl.col("opinion") == opinion) & (pl.col("outcome") == outcome))
        if not rows.is_empty():
            row = rows.row(0, named=True)
            found.append(
                f"{row['n']:,} {told}, {_percent(row['share'])} of the {opinion}s; their mean risk was "
                f"{_percent(row['mean_risk'])}."
            )
    return found or ["No promoter and no detractor is among those judged."]


def _surveys(said: Said) -> list[str]:
    plain = ~pl.col("predictor").is_in(list(CODED))
    table = said.tables["surveys"].filter(plain, pl.col("auc").is_not_null())
    if table.is_empty():
        return ["Too few who answered have left: no question can be said to foretell leaving."]
    found = [
        f"{row['predictor']} ({row['customers']}, {row['n_leavers']:,} leavers): AUC {row['auc']:.3f} "
        f"({_span(row['auc_low'], row['auc_high'], _plain3)})."
        for row in table.iter_rows(named=True)
    ]
    for row in said.tables["survey_pairs"].drop_nulls("low").iter_rows(named=True):
        is_sure = row["low"] > 0 or row["high"] < 0
        first, second = (row["question"], row["other"])
        better, worse = (first, second) if row["auc_gained"] > 0 else (second, first)
        verdict = (
            f"{better} foretells leaving better than {worse}"
            if is_sure
            else f"{first} and {second} do not differ"
        )
        found.append(f"Among who answered both, {verdict} ({_span(row['low'], row['high'], _signed)} AUC).")
    return found


def _types(said: Said) -> list[str]:
    table = said.tables["types"]
    if table.is_empty():
        return ["The sources do not tell any of the five types."]
    return [
        f"{row['type']} ({row['reading']}): {_percent(row['share'])} of the rows, "
        f"{_percent(row['realised_rate'])} left."
        for row in table.iter_rows(named=True)
    ]


def _leaver_kinds(said: Said) -> list[str]:
    table = said.tables["leaver_kinds"]
    if table.is_empty():
        return [
            "Nothing tells how customers leave: give left_reason, or left_known_at where notice is given."
        ]
    return [
        f"{row['kind'].replace('_', ' ')}: {row['n_leavers']:,} leavers, {_percent(row['share_flagged'])} of them "
        f"flagged ({_span(row['low'], row['high'], _percent)})."
        for row in table.iter_rows(named=True)
    ]


def _loyalty(said: Said) -> list[str]:
    table = said.tables["loyalty"]
    if table.is_empty():
        return ["Tenure is not known."]
    rows = table.filter((pl.col("tenure") == "over 3 years") & (pl.col("opinion") == "promoter"))
    if rows.is_empty():
        return ["Nobody of long tenure is a promoter among those judged."]
    row = rows.row(0, named=True)
    return [
        (
            f"Long with us and promoters: {row['n']:,} rows, {_percent(row['realised_rate'])} left "
            f"({_span(row['realised_low'], row['realised_high'], _percent)})."
        )
    ]


def _direction(said: Said) -> list[str]:
    table = said.tables.get("direction")
    if table is None or table.is_empty():
        return ["Nothing was fitted anew to look at directions."]
    against = table.filter(~pl.col("agrees").fill_null(value=True))
    known = int(table["agrees"].is_not_null().sum())
    if against.is_empty():
        return [f"Of {known} inputs with an expected and a clear learned direction, all work as expected."]
    return [
        f"Of {known} inputs with an expected and a clear learned direction, {against.height} work the other way here: "
        + ", ".join(against["feature"].to_list())
        + "."
    ]


def _unseen(said: Said) -> list[str]:
    table = said.tables.get("unseen")
    if table is None or table.is_empty():
        return ["There is no test out of time that people could be kept out of."]
    row = table.filter(pl.col("figure") == "auc").row(0, named=True)
    if row["seen"] is None or row["unseen"] is None:
        return ["Ranking means nothing here: nobody left, or nobody stayed."]
    is_remembered = row["low"] is not None and row["low"] > 0
    verdict = (
        "the model remembers people, and will do worse for newcomers"
        if is_remembered
        else "no sign of remembering"
    )
    return [
        (
            f"For people no earlier row of whom was learned from, AUC is {row['unseen']:.3f} instead of "
            f"{row['seen']:.3f} (lost {_signed(row['lost'])}, {_span(row['low'], row['high'], _signed)}): {verdict}."
        )
    ]


_MAKERS: Mapping[str, Callable[[Said], list[str]]] = {
    "lead": _lead,
    "ranking": _ranking,
    "calibration": _calibration,
    "profit": _profit,
    "bands": _bands,
    "months": _months,
    "lead_time": _lead_time,
    "leaver_kinds": _leaver_kinds,
    "blocks": _blocks,
    "unseen": _unseen,
    "lifetime": _lifetime,
    "segments": _segments,
    "fairness": _fairness,
    "opinions": _opinions,
    "surveys": _surveys,
    "types": _types,
    "loyalty": _loyalty,
    "direction": _direction,
}


def _percent(value: float | None) -> str:
    if value is None:
        return "unknown"
    share = 100 * value
    digits = 0 if share == 0 or share >= 10 else 1 if share >= 1 else 2  # noqa: PLR2004
    return f"{share:.{digits}f} %"


def _plain(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"


def _plain3(value: float) -> str:
    return f"{value:.3f}"


def _times(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f} times"


def _money(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.3f}"


def _signed(value: float) -> str:
    return f"{value:+.3f}"


def _span(low: float | None, high: float | None, told: Callable[[float], str]) -> str:
    return "no interval" if low is None or high is None else f"{told(low)} to {told(high)}"
