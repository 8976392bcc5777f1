"""The page of a night: what it says, what it must never show, and what it says when there is nothing."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from datetime import date
from functools import cache
from html import unescape
from html.parser import HTMLParser

import polars as pl
import pytest

from churnrisk.metrics import Contagion, Interval
from churnrisk.report import ReportContent, SourceLine, report_html
from churnrisk.report.around import around_section
from churnrisk.report.doing import actions
from churnrisk.report.listed import list_section
from churnrisk.report.page import SECTIONS
from churnrisk.report.sections import data_section, network_section
from churnrisk.report.spreading import spreading_section
from churnrisk.report.tonight import lead, warnings
from churnrisk.report.trust import trust_section
from churnrisk.report.wording import DASH
from tests.drawn_models import drawn_contagion
from tests.unit.report import samples

ABSENT = {
    "bare": samples.bare,
    "one_customer": samples.one_customer,
    "nobody": samples.nobody,
}


@cache
def believable() -> ReportContent:
    return samples.believable(600)


@cache
def page() -> str:
    return report_html(believable())


def words(html: str) -> str:
    """Give what a reader sees, on one line."""
    without_style = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", without_style)).replace("\u2060", "").split())


class Tags(HTMLParser):
    """The start tags of a page, and whether every one is closed in turn."""

    VOID = frozenset({"meta", "link", "img", "br", "wbr"})

    def __init__(self) -> None:
        super().__init__()
        self.starts: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.starts.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.starts.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tags(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(html)
    assert parser.open == []
    return parser.starts


def test_the_same_content_gives_the_same_bytes_and_the_order_of_rows_changes_none() -> None:
    content = believable()
    assert content.reasons is not None
    assert content.network is not None
    turned = replace(
        content,
        scores=content.scores.reverse(),
        at_risk=content.at_risk.reverse(),
        reasons=content.reasons.reverse(),
        network=content.network.reverse(),
    )
    assert report_html(content) == page()
    assert report_html(turned) == page()


def test_the_page_is_small_and_loads_nothing() -> None:
    found = tags(page())
    names = {name for name, _ in found}
    addresses = [
        value
        for _, attributes in found
        for key, value in attributes.items()
        if key in {"src", "href", "srcset", "action", "data", "poster"}
    ]
    assert len(page().encode()) < 200_000
    assert not names & {"script", "img", "iframe", "object", "embed", "form", "base", "audio", "video"}
    assert all(address == "data:," or str(address).startswith("#") for address in addresses)
    assert "url(" not in re.sub(r"url\(#[a-z0-9-]+\)", "", page())
    assert "default-src 'none'" in page()


def test_headings_tables_and_pictures_are_there_for_those_who_do_not_see() -> None:
    found = tags(page())
    levels = [int(name[1]) for name, _ in found if re.fullmatch("h[1-6]", name)]
    ids = [attributes["id"] for _, attributes in found if "id" in attributes]
    assert next(attributes["lang"] for name, attributes in found if name == "html") == "en"
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert all(attributes.get("scope") in {"col", "row"} for name, attributes in found if name == "th")
    assert sum(name == "caption" for name, _ in found) == sum(name == "table" for name, _ in found) > 3
    assert len(ids) == len(set(ids))
    for name, attributes in found:
        for reference in str(attributes.get("aria-labelledby") or "").split():
            assert reference in ids, name


def test_every_section_has_a_heading_and_a_link_to_it() -> None:
    keys = [section(believable()).key for section in SECTIONS]
    assert keys == [
        "list",
        "decided",
        "risk",
        "trust",
        "lifetime",
        "watch",
        "reasons",
        "segments",
        "silence",
        "asking",
        "network",
        "around",
        "spreading",
        "data",
        "run",
    ]
    assert all(f'<a href="#{key}">' in page() and f'<section id="{key}"' in page() for key in keys)


def test_the_head_says_how_many_what_is_at_stake_and_what_to_do() -> None:
    content = believable()
    said = words(page())
    n_at_risk = content.scores.filter(pl.col("band").is_in(["high", "critical"])).height
    assert "from 2026-07-15 to 2026-08-13, if nobody does anything" in said  # 14 days' gap, then 30 days
    assert f"Customers scored {len(content.scores)} " in said
    assert f"At risk {n_at_risk} " in said
    assert "Contact the 50 customers on the list, from the top" in said


def test_the_list_shows_ten_with_their_reasons_and_no_column_that_users_carry() -> None:
    content = believable()
    said = words(page())
    assert "The first 10 of 50" in said
    assert content.at_risk["customer_id"][9] in said
    assert content.at_risk["customer_id"][10] not in said
    assert "The bill rose by 18 % over three months" in said
    assert "phone" in content.at_risk.columns
    assert "555" not in said


def test_reasons_without_a_table_of_their_own_are_taken_from_the_list() -> None:
    content = replace(believable(), reasons=None)
    listed = content.at_risk.with_columns(reasons=pl.lit("Жалоба не решена"))
    (part,) = list_section(replace(content, at_risk=listed)).parts
    assert part.table is not None
    assert [row[-1] for row in part.table.rows] == [("Жалоба не решена",)] * 10


def test_trust_says_what_was_learned_and_tested_and_what_the_network_adds() -> None:
    said = words(page())
    assert "Trained on 3,000 rows" in said
    assert "2025-11-17 to 2026-04-16" in said
    assert "tested out of time on 600 rows" in said
    assert "it adds 0.014, 95 % interval 0.006 to 0.022" in said
    assert "Lift in the top tenth" in said


#    interval of the gain            what is said
@pytest.mark.parametrize(
    ("gain", "said"),
    [
        (Interval(0.014, 0.006, 0.022), "it adds 0.014"),
        (Interval(0.002, -0.004, 0.008), "adds nothing measurable here"),
        (Interval(-0.01, -0.02, -0.001), "the network adds nothing here, it does harm"),
        (None, "without it 0."),
        (Interval(0.01, float("nan"), float("nan")), "without it 0."),
    ],
)
def test_what_the_network_adds_is_claimed_only_as_far_as_the_interval_goes(
    gain: Interval | None, said: str
) -> None:
    content = believable()
    assert content.evidence is not None
    shown = trust_section(replace(content, evidence=replace(content.evidence, network_gain=gain))).lines[-1]
    assert said in shown
    assert ("it adds" in shown) == (said == "it adds 0.014")


def test_a_cross_validated_model_is_never_called_out_of_time() -> None:
    content = believable()
    assert content.evidence is not None
    evidence = replace(content.evidence, protocol="cross_validated", trained_from=None, trained_until=None)
    said = words(report_html(replace(content, evidence=evidence)))
    assert "cross-validated by customer, not tested out of time" in said
    assert "Test figures, cross-validated, not out of time" in said
    assert "those of a twin" not in said


#    change of the content                                     warning
@pytest.mark.parametrize(
    ("changed", "warning"),
    [
        ({"uses_current_attributes": True}, "Attributes as they are today were used for past dates"),
        ({"as_of": date(2026, 3, 1)}, "later than this date: these scores are for looking back"),
        ({"as_of": date(2027, 3, 1)}, "days old: train again"),
        ({"evidence": None}, "nothing says how far its risks can be trusted"),
        ({"warnings": ("12 % unmatched", "12 % unmatched")}, "12 % unmatched"),
        ({}, "Older than your settings allow: surveys."),
    ],
)
def test_what_must_be_known_before_believing_a_figure_is_said_once(
    changed: dict[str, object], warning: str
) -> None:
    content = replace(believable(), **changed)  # type: ignore[arg-type]
    assert sum(warning in line for line in warnings(content)) == 1


@pytest.mark.parametrize("name", ABSENT)
def test_what_is_absent_is_said_in_a_sentence_and_never_drawn_empty(name: str) -> None:
    html = report_html(ABSENT[name]())
    tags(html)
    for section in re.findall(r"<section id=.*?</section>", html, flags=re.DOTALL):
        assert re.search(r"<(p|svg|li|dd|td)[ >]", section)
    assert "nan" not in words(html).lower().split()
    assert "None" not in words(html)


def test_who_is_around_is_drawn_without_a_name_and_told_in_words_where_they_are_too_few() -> None:
    content = believable()
    section = around_section(content)
    first, second = content.circles
    assert [part.picture is not None for part in section.parts] == [True, False]
    table = section.parts[1].table
    assert table is not None
    assert table.rows[0] == ("1", "low", "under 0.01", "100", "under 0.01")
    assert table.rows[5] == ("6", "low", "0.024", "600", "0.144")
    assert any(second.customer_id in line and "too few friends" in line for line in section.lines)
    assert "only predicts" in section.lines[0]
    assert f"Around customer {first.customer_id}" in page()


def test_without_ties_nobody_is_said_to_be_around() -> None:
    assert around_section(samples.bare()).lines == (
        "There are no ties, so there is nothing to say about those around.",
    )


def test_the_list_shows_what_is_at_stake_and_what_is_around_it() -> None:
    content = believable()
    listed = content.at_risk.with_columns(spillover_value=pl.lit(10.0))
    table = list_section(replace(content, at_risk=listed)).parts[0].table
    assert table is not None
    assert [head.text for head in table.heads][4:7] == ["Value", "At stake", "Around"]
    assert "Around" not in [
        head.text for part in list_section(content).parts if part.table for head in part.table.heads
    ]


def test_promoters_to_ask_are_counted_with_those_long_with_us() -> None:
    said = words(page())
    assert "Ask 40 promoters for a referral" in said
    assert "12 of them customers for long: promoters.csv" in said
    assert "referral" not in words(report_html(samples.bare()))


def test_without_calls_the_network_says_so() -> None:
    without_calls, without_ties = network_section(samples.bare()), network_section(samples.one_customer())
    assert "There is no calls source, so there is no network" in without_calls.lines[0]
    assert "no scored customer has a tie" in without_ties.lines[0]
    assert without_calls.parts == without_ties.parts == ()


def test_without_values_the_stake_is_not_known_and_the_list_is_said_to_be_by_risk() -> None:
    said = words(report_html(samples.bare()))
    assert "Value at stake not known" in said
    assert "ranked by risk alone, as no value is known" in said


def test_nobody_to_score_and_nobody_to_call_are_said() -> None:
    assert "there was no customer to score on this date" in " ".join(actions(samples.nobody()))
    content = replace(believable(), at_risk=believable().at_risk.head(0))
    assert "Nobody to call: the list is empty tonight." in " ".join(actions(content))


#    kind        days          what leaving means
@pytest.mark.parametrize(
    ("kind", "days", "said"),
    [
        ("cancelled", None, "a customer cancels from 2026-07-15 to 2026-08-13"),
        ("inactive", 60, "shows no activity in the 60 days from 2026-07-15 to 2026-09-12"),
        ("label", None, "as the labelled extract defines leaving"),
    ],
)
def test_the_page_says_what_the_risk_is_the_probability_of(kind: str, days: int | None, said: str) -> None:
    content = replace(samples.bare(), churn_kind=kind, inactive_days=days)  # type: ignore[arg-type]
    assert said in lead(content)


def test_text_of_the_data_is_escaped_everywhere() -> None:
    html = report_html(samples.nasty())
    names = {name for name, _ in tags(html)}
    assert not names & {"script", "img", "b", "i"}
    assert "taken = true" in words(html)
    assert "{{ 7 * 7 }}" in words(html)


def test_the_sentences_carry_their_language() -> None:
    (part,) = list_section(replace(believable(), sentence_language="ru")).parts
    assert part.table is not None
    assert part.table.language == "ru"
    assert '<ul class="said" lang="en">' in page()


def test_sources_show_rejected_rows_with_their_reasons_and_matches() -> None:
    said = words(page())
    assert "431 (0.04 %)" in said
    assert "date unreadable: 400" in said
    assert "71 % of callers are customers" in said
    assert "stale: 59 days old" in said
    assert "No source of events: what it would say is not in the risks." in said


#    AUC with the network minus without, no interval     what is said
@pytest.mark.parametrize(
    ("gain", "said"), [(-0.02, "the network adds nothing here."), (0.02, "without it 0.")]
)
def test_a_network_that_makes_the_test_no_better_is_said_to_add_nothing(gain: float, said: str) -> None:
    content = believable()
    evidence = content.evidence
    assert evidence is not None
    without = Interval(evidence.figures["auc"].value - gain, float("nan"), float("nan"))
    changed = replace(evidence, figures_without_network={"auc": without}, network_gain=None)
    shown = trust_section(replace(content, evidence=changed)).lines[-1]
    assert said in shown
    assert ("adds nothing" in shown) == (gain < 0)


def test_the_name_of_the_learner_begins_its_sentence_with_a_capital() -> None:
    content = believable()
    assert content.evidence is not None
    evidence = replace(content.evidence, learner="boosted trees: 510 leavers")
    assert (
        trust_section(replace(content, evidence=evidence)).lines[0].startswith("Boosted trees: 510 leavers.")
    )


def test_ranks_of_the_list_have_no_gaps_where_somebody_refuses() -> None:
    content = believable()
    refused = pl.when(pl.col("position").is_in([2, 3])).then(pl.lit("no_consent"))
    changed = replace(content, at_risk=content.at_risk.with_columns(left_out_for=refused))
    table = list_section(changed).parts[0].table
    assert table is not None
    assert [row[0] for row in table.rows] == [str(rank) for rank in range(1, 11)]


def test_the_list_tells_what_is_known_and_raises_the_risk() -> None:
    content = believable()
    customer = content.at_risk["customer_id"][0]
    reasons = pl.DataFrame(
        {
            "customer_id": [customer] * 3,
            "position": [1, 2, 3],
            "feature": ["a", "b", "c"],
            "value": [None, "2", "3"],
            "effect_pp": [3.0, 2.0, -1.0],
            "sentence": ["Not known: a.", "B: 2.", "C: 3."],
        }
    )
    table = list_section(replace(content, reasons=reasons)).parts[0].table
    assert table is not None
    assert table.rows[0][-1] == ("B: 2.",)


def test_attributes_are_named_without_underscores() -> None:
    content = believable()
    assert content.attributes is not None
    changed = replace(content, attributes=content.attributes.rename({"region": "home_region"}))
    assert "Risk by home region" in words(report_html(changed))


def test_a_labelled_extract_is_never_missed() -> None:
    changed = replace(believable(), absent_sources=("treatments", "labelled"))
    assert data_section(changed).lines == ("No source of treatments: what it would say is not in the risks.",)
    assert data_section(replace(changed, absent_sources=("labelled",))).lines == ()


@pytest.mark.parametrize(
    ("match", "said"),
    [
        ("callers that are customers", "41 % of callers are customers"),
        ("of callers are customers", "41 % of callers are customers"),
        ("calls with a customer on both sides", "41 % of calls with a customer on both sides"),
    ],
)
def test_a_match_is_a_share_of_something(match: str, said: str) -> None:
    source = SourceLine("calls", 10, 10, 0, match_rates={match: 0.41})
    table = data_section(replace(believable(), sources=(source,))).parts[0].table
    assert table is not None
    assert [text.replace("\N{NO-BREAK SPACE}", " ") for text in table.rows[0][-1]] == [said]


def with_contagion(found: Contagion | None) -> ReportContent:
    content = believable()
    assert content.evidence is not None
    return replace(content, evidence=replace(content.evidence, contagion=found))


def test_the_page_says_whether_churn_spreads_with_the_naive_figure_and_the_controls_beside() -> None:
    section = spreading_section(with_contagion(drawn_contagion()))
    assert section.lines[0].startswith("Churn spreads here: ")
    assert "causal_effect = 0.90 and causal_interval = [0.50, 1.90]" in section.lines[-1]
    estimates, controls = (part.table for part in section.parts)
    assert estimates is not None
    assert controls is not None
    assert [row[:3] for row in estimates.rows[:3]] == [
        ("Close friends, everything else held equal", "1.90", "1.50 to 2.90"),
        ("The same, interval by chance alone", "1.90", "1.50 to 2.40"),
        ("Naive: nothing held equal", "2.60", "2.20 to 3.10"),
    ]
    assert [row[1:] for row in controls.rows] == [
        ("z = 0.4", "yes"),
        (DASH, "not computed"),
        ("p = 0.02", "yes"),
    ]
    assert "Does churn spread between customers?" in words(report_html(with_contagion(drawn_contagion())))


def test_an_answer_that_cannot_be_given_gives_its_reason_and_no_number_for_money() -> None:
    found = Contagion("not_identified", "12 leavers are too few.")
    section = spreading_section(with_contagion(found))
    assert section.lines[0] == "Not identified: 12 leavers are too few."
    assert not section.parts
    assert "causal_effect" not in " ".join(section.lines)
    assert spreading_section(with_contagion(None)).lines == (
        "This was not studied when the model was trained.",
    )


def test_the_list_says_what_moved_each_risk_since_the_night_before() -> None:
    content = believable()
    first, second = content.at_risk.sort("position")["customer_id"][:2]
    changed = pl.DataFrame(
        {"customer_id": [first], "change_pp": [-2.34], "sentences": [["Service contacts: 3. Before: 1."]]}
    )
    page = report_html(replace(content, changed=changed))
    assert "Since the night before" in page
    assert "\N{MINUS SIGN}2.3 points" in page
    assert "Service contacts: 3. Before: 1." in page
    assert page.count("not scored before") >= 1
    assert second in page
    assert "Since the night before" not in report_html(content)
