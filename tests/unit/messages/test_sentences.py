"""Every feature has an honest sentence in every language, with the customer's own number and nobody's name."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files

import pytest

from churnrisk import messages
from churnrisk.errors import ConfigError
from churnrisk.messages import LANGUAGES, Sentences, kind_of_unit
from churnrisk.messages.sentences import PLACEHOLDERS
from churnrisk.tables.published import BANDS
from features.catalogue import catalogue
from features.entry import GROUPS, Feature


def members() -> list[Feature]:
    """Return every feature of the catalogue, a family by one member of it."""
    return [feature.of_kind("data_mb") if feature.kind_name else feature for feature in catalogue()]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("feature", members(), ids=lambda feature: feature.name)
def test_every_feature_has_a_sentence_known_and_unknown(language: str, feature: Feature) -> None:
    sentences = Sentences.of(language)
    value = 0.5 if kind_of_unit(feature.unit) == "share" else 4
    known = sentences.reason(feature.name, value, unit=feature.unit, label=feature.label)
    unknown = sentences.reason(feature.name, None, unit=feature.unit, label=feature.label)
    written = sentences.numbers.written(value, feature.unit)
    assert written in known
    assert known != unknown
    assert not re.search(r"[{}]|  ", known + unknown)
    assert known.endswith((".", "。"))
    assert "4" not in unknown.replace(feature.label.replace("_", " "), "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_hold_known_placeholders_only_and_those_of_their_key(language: str) -> None:
    for name, section in Sentences.of(language).sections.items():
        for key, text in section:
            held = set(re.findall(r"\{(\w+)\}", text))
            own = set(re.findall(r"\{(\w+)\}", key))
            assert held <= set(PLACEHOLDERS), (key, text)
            assert held - {"value", "signed"} <= own, (key, text)
            assert held.isdisjoint({"value", "signed"}) == (name != "sentences"), (key, text)


@pytest.mark.parametrize("language", ["ru", "zh"])
def test_every_feature_has_a_name_in_the_language(language: str) -> None:
    missing = [
        feature.name for feature in members() if Sentences.of(language).label(feature.name, "?") == "?"
    ]
    assert missing == []


def test_no_language_file_names_a_feature_that_does_not_exist() -> None:
    names = [feature.name for feature in members()]
    for language in LANGUAGES:
        for section in Sentences.of(language).sections.values():
            for key, _ in section:
                pattern = re.sub(
                    r"\\\{(\w+)\\\}", lambda part: r"\d+" if part[1] == "days" else ".+", re.escape(key)
                )
                assert any(re.fullmatch(pattern, name) for name in names), (language, key)


@pytest.mark.parametrize(
    ("language", "feature", "value", "unit", "sentence"),
    [
        ("en", "n_contacts_90d", 5, "service contacts", "Service contacts in the last 90 days: 5."),
        ("en", "wait_mean_s_90d", 754.2, "seconds", "Waited 13 minutes for service on average in the last 90 days."),
        ("en", "usage_data_mb_trend", 0.42, "ratio", "Data mb of the last three periods is at 42% of the three before."),  # noqa: E501
        ("en", "churn_exposure_share_out_30d", 0.0625, "share of ties",
         "6.2% of the customers they called or wrote to left in the last 30 days."),
        ("en", "attribute_契约", "按月", "", "契约: 按月."),
        ("en", "monthly_value_change_90d", -5.5, "the customer's currency, a month",
         "The monthly value changed by -5.50 in 90 days."),
        ("ru", "tenure_days", 61.0, "days", "Срок обслуживания: 61 день."),
        ("ru", "tenure_days", 1000, "days", "Срок обслуживания: 2,7 года."),
        ("ru", "monthly_value", 1204.5, "the customer's currency, a month", "Ежемесячный платёж: 1\u00a0204,50."),
        ("zh", "days_since_contact", 12, "days", "上次通话或消息：12 天前。"),
    ],
)  # fmt: skip
def test_sentences_read_as_people_would_write_them(
    language: str, feature: str, value: float | str, unit: str, sentence: str
) -> None:
    assert Sentences.of(language).reason(feature, value, unit=unit) == sentence


def test_an_unheard_of_feature_gets_the_general_sentence() -> None:
    assert (
        Sentences.of("en").reason("moon_phase", 0.25, unit="share", label="phase of the moon")
        == "Phase of the moon: 25%."
    )
    assert Sentences.of("en").reason("moon_phase", None) == "Not known: moon phase."


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "feature",
    [each.of_kind("form_abandoned") for each in catalogue() if each.kind_name],
    ids=lambda each: each.name,
)
def test_the_users_own_names_are_shown_with_spaces(language: str, feature: Feature) -> None:
    sentences = Sentences.of(language)
    for value in (3, None):
        said = sentences.reason(feature.name, value, unit=feature.unit, label=feature.label)
        assert "form abandoned" in said.lower()
        assert "_" not in said
    assert "form abandoned" in sentences.label(feature.name, feature.label)


def test_braces_in_a_customers_own_text_stay_text() -> None:
    assert Sentences.of("en").reason("attribute_plan", "{value} {label}") == "Plan: {value} {label}."


@pytest.mark.parametrize(
    ("number", "form"),
    [
        (1, "день"),
        (2, "дня"),
        (5, "дней"),
        (11, "дней"),
        (12, "дней"),
        (21, "день"),
        (24, "дня"),
        (0, "дней"),
    ],
)
def test_russian_days_take_the_right_form(number: int, form: str) -> None:
    assert Sentences.of("ru").numbers.days(number) == f"{number} {form}"


def test_a_rounded_nothing_has_no_sign() -> None:
    assert Sentences.of("en").numbers.money(-0.001) == "0.00"


def test_a_language_without_sentences_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="Available: en, ru, zh"):
        Sentences.of("tlh")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_group_and_band_has_a_word(language: str) -> None:
    sentences = Sentences.of(language)
    groups = [sentences.group(name) for name in GROUPS]
    bands = [sentences.band(name) for name in BANDS]
    assert len({*groups, *bands}) == len(groups) + len(bands)
    assert sentences.group("my_own") == "my own"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_lines_with_the_same_words_in_braces(language: str) -> None:
    for section in ("lines", "groups", "bands", "decided", "explain"):
        english, other = (_section(each, section) for each in ("en", language))
        assert list(english) == list(other)
        for key, text in other.items():
            assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", english[key])), key


def _section(language: str, name: str) -> dict[str, str]:
    found: dict[str, str] = tomllib.loads((files(messages) / f"{language}.toml").read_text("utf-8"))[name]
    return found


@pytest.mark.parametrize(
    ("points", "written"),
    [(2.34, "+2.3"), (-2.35, "-2.4"), (0.04, "+0.04"), (-0.004, "0.00"), (0.0, "0.00"), (1204.0, "+1,204.0")],
)
def test_points_carry_their_sign_and_small_ones_two_decimals(points: float, written: str) -> None:
    assert Sentences.of("en").numbers.points(points) == written
