"""Settings are read whole or refused with every fault at once."""

from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from churnrisk.config import Config, InfluenceSettings, load_config, parsed_config, resolved_secret
from churnrisk.errors import ConfigError


def faults_of(text: str) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        parsed_config(text)
    return {fault.where.removeprefix("churnrisk.toml "): fault.code for fault in caught.value.faults}


def test_an_empty_file_gives_every_default() -> None:
    assert parsed_config("") == Config()


def test_the_template_that_init_writes_is_valid() -> None:
    config = parsed_config((files("churnrisk") / "template.toml").read_text("utf-8"))
    assert list(config.sources) == ["customers", "calls", "surveys"]


def test_all_faults_are_named_at_once() -> None:
    assert faults_of('[time]\nzon = "UTC"\n[team]\ndaily_capacity = 0\n[sources.custmers]\npath = "x"') == {
        "[time] zon": "setting_unknown",
        "[team] daily_capacity": "setting_invalid",
        "[sources] custmers": "setting_unknown",
    }


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ('[time]\nzon = "UTC"', "zone"),
        ('[sources.custmers]\npath = "x"', "customers"),
        ('[sources.calls]\npth = "x"', "path"),
        ("[teem]\ndaily_capacity = 3", "team"),
    ],
)
def test_an_unknown_setting_is_answered_with_the_nearest_known_one(text: str, nearest: str) -> None:
    with pytest.raises(ConfigError, match=f"Did you mean {nearest}\\?"):
        parsed_config(text)


def test_a_source_is_one_table_or_several() -> None:
    config = parsed_config(
        '[[sources.calls]]\npath = "a"\n[[sources.calls]]\npath = ["b", "c"]\nvalues = { kind = "sms" }'
    )
    assert [source.paths for source in config.sources["calls"]] == [("a",), ("b", "c")]


def test_missing_values_may_differ_by_column() -> None:
    config = parsed_config('[sources.surveys]\npath = "s.csv"\nmissing = { NETPRO = ["", 11], LANG = "?" }')
    assert config.sources["surveys"][0].missing == {"NETPRO": ("", "11"), "LANG": ("?",)}


def test_a_source_cannot_be_in_two_places() -> None:
    assert faults_of('[sources.customers]\npath = "a"\nfrom = "calls"') == {
        "[sources.customers]": "setting_invalid"
    }


@pytest.mark.parametrize(
    "text",
    ['[sources.customers]\ndatabase = "sqlite:///x"\nquery = "select 1"', '[privacy]\nhash_key = "plain"'],
)
def test_a_secret_written_out_is_refused(text: str) -> None:
    assert set(faults_of(text).values()) == {"setting_invalid"}


def test_a_secret_comes_from_the_environment() -> None:
    assert resolved_secret("env:KEY", {"KEY": "k"}, "[privacy] hash_key") == "k"
    with pytest.raises(ConfigError, match="environment variable KEY"):
        resolved_secret("env:KEY", {}, "[privacy] hash_key")


def test_broken_toml_names_the_line() -> None:
    with pytest.raises(ConfigError, match="line 2"):
        parsed_config("[time]\nzone = \n")


def test_a_missing_workspace_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="churnrisk init"):
        load_config(tmp_path)


def test_a_byte_order_mark_in_the_file_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "churnrisk.toml").write_bytes(b"\xef\xbb\xbf[team]\ndaily_capacity = 7\n")
    assert load_config(tmp_path).team.daily_capacity == 7


def test_the_fingerprint_changes_with_what_changes_results_and_not_with_the_tracking_server() -> None:
    plain = Config().fingerprint()
    assert parsed_config('[mlflow]\ntracking_uri = "x"').fingerprint() == plain
    assert parsed_config("[churn]\nhorizon_days = 60").fingerprint() != plain


def test_days_in_settings_are_days() -> None:
    config = parsed_config('[sources.customers]\npath = "a"\nextracted_on = 2026-06-30')
    assert config.sources["customers"][0].extracted_on == date(2026, 6, 30)


@pytest.mark.parametrize(("missing", "meaning"), [("true", True), ("{ may_contact = false }", False)])
def test_what_missing_consent_means_is_a_setting(missing: str, meaning: bool) -> None:
    config = parsed_config(f"[privacy]\nmissing_consent = {missing}")
    assert config.privacy.meaning_of_missing("may_contact") is meaning
    assert Config().privacy.meaning_of_missing("may_contact") is None


def test_a_fault_of_a_source_names_its_key_and_its_table_only_when_there_are_several() -> None:
    wrong = 'database = "sqlite:///secret.db"\nquery = "select 1"\n'
    assert faults_of(f"[sources.customers]\n{wrong}") == {"[sources.customers] database": "setting_invalid"}
    assert faults_of(f'[[sources.calls]]\npath = "a"\n[[sources.calls]]\n{wrong}') == {
        "[sources.calls 2] database": "setting_invalid"
    }
    assert faults_of('[sources.calls]\npath = "a"\ndecimal = ";"\n') == {
        "[sources.calls] decimal": "setting_invalid"
    }


def test_a_database_address_that_should_be_a_secret_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as raised:
        parsed_config('[sources.customers]\ndatabase = "sqlite:///secret.db"\nquery = "select 1"\n')
    assert "secret.db" not in str(raised.value)


@pytest.mark.parametrize(
    "line",
    [
        "causal_effect = 0.1",
        "multiplier = 1.1",
        'effect_source = "estimate"\nmultiplier = 1.1',
        'effect_source = "experiment"\nmultiplier = 1.3',
        "causal_interval = [0.1, 0.2]",
        'effect_source = "experiment"\nmultiplier = 1.1\nmultiplier_interval = [1.12, 1.2]',
    ],
)
def test_a_causal_effect_of_ones_own_needs_its_source_and_its_interval(line: str) -> None:
    with pytest.raises(ConfigError, match="influence"):
        parsed_config(f"[influence]\n{line}")


def test_a_measured_multiplier_stands_for_the_effect_with_its_interval() -> None:
    plain = Config().influence
    assert (plain.effect, plain.excess) == ((0.03, 0.0, 0.28), None)
    own = {"effect_source": "experiment", "multiplier": 1.25}
    assert InfluenceSettings.model_validate(own).excess == pytest.approx((0.25, 0.0, 0.28))
    measured = InfluenceSettings.model_validate({**own, "multiplier_interval": (1.125, 1.28)})
    assert measured.excess == pytest.approx((0.25, 0.125, 0.28))
    estimated = InfluenceSettings.model_validate({"effect_source": "estimate", "causal_effect": 0.25})
    assert estimated.effect == (0.25, 0.0, 0.28)


def test_neighbours_are_not_named_and_promoters_are_approached_unless_told_otherwise() -> None:
    config = Config()
    assert config.privacy.name_neighbours is False
    assert (config.team.promoter_capacity, config.lists.long_tenure_days) == (50, 1095)


def test_the_alarms_that_stop_a_night_are_named_or_refused_with_those_there_are() -> None:
    assert Config().monitoring.refuse_on == ("source_missing",)
    strict = parsed_config('[monitoring]\nrefuse_on = ["miscalibrated", "input_drift"]')
    assert strict.monitoring.refuse_on == ("miscalibrated", "input_drift")
    with pytest.raises(ConfigError, match="source_missing"):
        parsed_config('[monitoring]\nrefuse_on = ["drift"]')


def test_a_fault_in_a_list_is_placed_as_users_count_and_the_nearest_word_is_said() -> None:
    text = '[monitoring]\nrefuse_on = ["source_missing", "scoredrift"]'
    assert faults_of(text) == {"[monitoring] refuse_on, item 2": "setting_invalid"}
    with pytest.raises(ConfigError, match="Did you mean 'score_drift'"):
        parsed_config(text)
    assert faults_of('[sources.customers]\npath = "a"\nexclude = ["b", 3]') == {
        "[sources.customers] exclude, item 2": "setting_invalid"
    }


def test_the_meaning_of_a_missing_consent_is_given_for_consents_only() -> None:
    with pytest.raises(
        ConfigError, match="a table of may_survey, may_contact, may_use_calls, may_use_answers"
    ):
        parsed_config("[privacy]\nmissing_consent = { may_use_call = true }")


def test_a_strong_drift_is_not_weaker_than_a_drift() -> None:
    with pytest.raises(ConfigError, match="strong_drift_from that is not below drift_from"):
        parsed_config("[monitoring]\ndrift_from = 0.3\n strong_drift_from = 0.2")


def test_a_fault_of_two_settings_together_names_their_table_and_what_stands_there() -> None:
    with pytest.raises(ConfigError) as raised:
        parsed_config("[monitoring]\ndrift_from = 0.3\nstrong_drift_from = 0.2\nfalse_discoveries = 0.01")
    assert [(fault.where, fault.found) for fault in raised.value.faults] == [
        ("churnrisk.toml [monitoring]", "drift_from = 0.3, strong_drift_from = 0.2")
    ]
    with pytest.raises(ConfigError) as raised:
        parsed_config('[sources.calls]\ndatabase = "env:CRM"\nquery = "select 1"\npath = "calls.csv"')
    assert [fault.found for fault in raised.value.faults] == ["database, path"], "an address is never told"


def test_text_where_a_list_is_meant_is_told_how_a_list_is_written() -> None:
    with pytest.raises(ConfigError, match=r'a list, as \["one", "two"\]'):
        parsed_config('[training]\nleave_out = "gender"')


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("[contacts]\ncaps = [{ dayz = 3, most = 1 }]", "caps.0", "Did you mean days?"),
        (
            '[contacts]\nquiet_periods = [{ form = "12-24", to = "12-26" }]',
            "quiet_periods.0",
            "Did you mean from?",
        ),
    ],
)
def test_an_unknown_key_of_a_table_in_a_list_is_answered_with_the_nearest_known_one(
    text: str, place: str, hint: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed_config(text)
    said = {fault.where: fault.remedy for fault in caught.value.faults if fault.code == "setting_unknown"}
    assert [remedy for where, remedy in said.items() if place in where] == [hint]


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("contacts", 'quiet_periods = [{ from = "24.12.", to = "12-26" }]'),
        ("contacts", 'quiet_periods = [{ from = "02-30", to = "12-26" }]'),
        ("contacts", "capacity = { call = -1 }"),
        ("contacts", "channels = []"),
        ("surveys", "alert_window = [6, 0]"),
        ("surveys", "alert_window = [-4, 20]"),
        ("surveys", "alert_window = [0, 11]"),
        ("surveys", "cost = { call = -1 }"),
        ("surveys", "random_share = 2"),
        ("surveys", "holdout_share = 1"),
        ("offers", 'unit = "household"'),
        ("offers", "budget = -1"),
        ("offers", "margin = -1"),
        ("offers", 'campaign = ""'),
        ("offers", "control_share = 1"),
        ("offers", "exploration_share = -1"),
        ("offers", "treat_quantile = 0"),
        ("holdout", "share = 1"),
        ("holdout", 'salt = ""'),
        ("operations", 'url = "postgresql://user:password@host/name"'),
        ("webhooks", 'secret = "whsec_plain"'),
        ("webhooks", "endpoint = 3"),
    ],
)
def test_settings_of_contacting_that_cannot_be_are_refused(table: str, line: str) -> None:
    (code,) = set(faults_of(f"[{table}]\n{line}").values())
    assert code == "setting_invalid"


def test_where_ledger_and_webhooks_are_changes_no_result() -> None:
    here = parsed_config('[operations]\nurl = "env:A"\n[webhooks]\nendpoint = "https://a.example"')
    assert here.fingerprint() == parsed_config("").fingerprint()
    assert parsed_config("[surveys]\nbudget = 3").fingerprint() != parsed_config("").fingerprint()
