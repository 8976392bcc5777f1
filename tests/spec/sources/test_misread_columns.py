"""Columns that nobody mapped and that look like ours: a consent that is misspelt must not let anybody be contacted."""

from __future__ import annotations

from pathlib import Path
from string import ascii_lowercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnrisk.config import CONSENTS, parsed_config
from churnrisk.sources.misread import nearest_consent, sounds_like_consent
from churnrisk.sources.opening import Opener
from tests.spec.sources.drawn import HEAD, drawn, faults_of, rows

DATA = Path(__file__).parents[2] / "data"
SOURCE = '[sources.customers]\npath = "p.csv"\nextracted_on = 2026-01-01\n'
WITHOUT = HEAD.replace("missing_consent = true", "")


def people(column: str) -> dict[str, str | bytes]:
    """Draw ann, who refuses in the column, and bob, who does not."""
    return {"p.csv": f"customer_id,joined_on,{column}\nann,2020-01-01,no\nbob,2020-01-01,yes\n"}


@pytest.mark.parametrize(
    "column",
    ["may_contct", "mayContact", "May_Contact", "may-contact", "may contact", "MAY_CONTACT", "maycontact",
     "may_kontact", "my_contact", "may_contact_flag", "customer.mayContact", "may_contacted"],
)  # fmt: skip
@pytest.mark.parametrize("head", [HEAD, WITHOUT])
def test_a_misspelt_consent_stops_the_file_and_both_ways_on_are_told(
    column: str, head: str, tmp_path: Path
) -> None:
    (fault,) = faults_of(tmp_path, SOURCE, people(column), head)
    assert (fault.code, fault.where, fault.found) == ("column_unknown", "p.csv", repr(column))
    assert f'columns = {{ may_contact = "{column}" }} in [sources.customers]' in fault.remedy
    assert f'exclude = ["{column}"]' in fault.remedy
    assert fault.available == CONSENTS


def test_what_the_remedies_say_is_what_happens(tmp_path: Path) -> None:
    mapped = drawn(
        tmp_path / "a", SOURCE + 'columns = { may_contact = "mayContact" }\n', people("mayContact")
    )
    assert rows(mapped, "customers", "may_contact") == [(False,), (True,)]
    assert mapped.reports["customers"].attributes == ()
    for key in ("exclude", "constant", "text"):
        said = drawn(tmp_path / key, SOURCE + f'{key} = ["mayContact"]\n', people("mayContact"))
        assert said.warnings == ()
        assert said.reports["customers"].attributes == (() if key == "exclude" else ("mayContact",))


@pytest.mark.parametrize("passed_over", ['exclude = ["*"]\n', '[lists]\ncarry = ["mayContact"]\n'])
def test_columns_left_out_in_one_go_or_carried_are_not_said_to_be_no_consents(
    passed_over: str, tmp_path: Path
) -> None:
    assert [fault.code for fault in faults_of(tmp_path, SOURCE + passed_over, people("mayContact"))] == [
        "column_unknown"
    ]


def test_a_column_like_a_consent_that_the_file_has_is_somebodys_own(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"p.csv": "customer_id,may_contact,May Contact 2\nann,no,1\n"}
    assert drawn(tmp_path, SOURCE, files).reports["customers"].attributes == ("May Contact 2",)


@given(
    ours=st.sampled_from(CONSENTS),
    position=st.integers(0, 10),
    letter=st.sampled_from(ascii_lowercase),
    edit=st.sampled_from(["drop", "change", "add", "swap"]),
)
def test_a_consent_with_one_letter_wrong_is_always_found(
    ours: str, position: int, letter: str, edit: str
) -> None:
    at = position % (len(ours) - 1)
    wrong = {
        "drop": ours[:at] + ours[at + 1 :],
        "change": ours[:at] + letter + ours[at + 1 :],
        "add": ours[:at] + letter + ours[at:],
        "swap": ours[:at] + ours[at + 1] + ours[at] + ours[at + 2 :],
    }[edit]
    assert nearest_consent(wrong, CONSENTS) == ours


@pytest.mark.parametrize(
    "column",
    [
        "consent_contact",
        "marketingConsent",
        "opt-in",
        "email_optout",
        "Opted Out",
        "unsubscribed",
        "DO_NOT_CALL",
    ],
)
def test_a_column_that_sounds_like_a_consent_is_told_while_consents_are_filled(
    column: str, tmp_path: Path
) -> None:
    loaded = drawn(tmp_path / "a", SOURCE, people(column))
    (warning,) = loaded.warnings
    assert warning.startswith(f"p.csv: not read as a consent: {column!r}; missing_consent fills may_survey, ")
    assert f'columns = {{ <consent> = "{column}" }}' in warning
    assert drawn(tmp_path / "b", SOURCE + f'exclude = ["{column}"]\n', people(column)).warnings == ()
    full = ",".join((*CONSENTS, column))
    files: dict[str, str | bytes] = {"p.csv": f"customer_id,{full}\nann,no,no,no,no,1\n"}
    assert drawn(tmp_path / "c", SOURCE, files).warnings == ()


@pytest.mark.parametrize(
    ("source", "columns", "wrong", "meant"),
    [
        ("customers", "customer_id,{}", "left on", "left_on"),
        ("customers", "customer_id,{}", "Joined-On", "joined_on"),
        ("surveys", "customer_id,invitation_id,metric,invited_at,{}", "Score", "score"),
        ("calls", "caller_id,callee_id,started_at,{}", "durationS", "duration_s"),
    ],
)
def test_a_column_of_ours_that_is_spelt_otherwise_stops_the_file(
    source: str, columns: str, wrong: str, meant: str, tmp_path: Path
) -> None:
    settings = f'[sources.{source}]\npath = "f.csv"\n'
    (fault,) = faults_of(
        tmp_path, settings, {"f.csv": columns.format(wrong) + "\n" + "," * columns.count(",") + "\n"}
    )
    assert (fault.code, fault.found) == ("column_unknown", repr(wrong))
    assert f'columns = {{ {meant} = "{wrong}" }} in [sources.{source}]' in fault.remedy


SURVEYS = "customer_id,invitation_id,metric,answered_at,{},score_2\nann,1,nps,2026-01-01,,\n"


@pytest.mark.parametrize(
    ("wrong", "meant"), [("scoore", "score"), ("coment", "comment"), ("sendr", "sender")]
)
def test_a_column_nearly_ours_is_told_once_for_the_files_of_a_source_with_what_is_meant(
    wrong: str, meant: str, tmp_path: Path
) -> None:
    text = SURVEYS.format(wrong)
    files: dict[str, str | bytes] = {"s/a.csv": text, "s/b.csv": text.replace(",1,", ",2,")}
    loaded = drawn(tmp_path / "a", '[sources.surveys]\npath = "s/*.csv"\n', files)
    (warning,) = loaded.warnings
    assert warning.startswith("s/a.csv: not read as columns of surveys: ")
    assert f"{wrong!r} (did you mean {meant!r}?)" in warning
    settings = f'[sources.surveys]\npath = "s/*.csv"\nexclude = ["{wrong}", "score_2"]\n'
    assert drawn(tmp_path / "b", settings, files).warnings == ()


def test_consents_of_an_extract_that_customers_are_made_from_are_told_to_be_lost(tmp_path: Path) -> None:
    settings = '[sources.customers]\nfrom = "labelled"\n[sources.labelled]\npath = "l.csv"\n'
    files: dict[str, str | bytes] = {"l.csv": "customer_id,churned,may_contact\nann,yes,no\nbob,no,yes\n"}
    (warning,) = drawn(tmp_path / "a", settings, files).warnings
    assert warning.startswith(
        "l.csv: not read as a consent: 'may_contact'. Customers made from labelled have none"
    )
    assert drawn(tmp_path / "b", settings + 'exclude = ["may_contact"]\n', files).warnings == ()


def test_a_first_row_that_may_be_somebodys_is_told_by_position(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"p.csv": "customer_id,plan,no consent\nann,gold,no consent\n"}
    (warning,) = drawn(tmp_path, SOURCE, files).warnings
    assert "not read as a consent: column 3;" in warning
    assert "columns = { <consent> = 3 }" in warning


def test_ordinary_names_are_like_no_consent() -> None:
    ordinary = (
        "contract contact contacts survey surveys contact_name plan options option_in_use donation calls answers mayor "
        "cooptional may_revenue total_day_calls last_contact_at consultant constant noted doing_not"
    )
    assert [name for name in ordinary.split() if nearest_consent(name, CONSENTS)] == []
    assert [name for name in ordinary.split() if sounds_like_consent(name)] == []


@pytest.mark.parametrize("folder", sorted(path.parent.name for path in DATA.glob("*/churnrisk.toml")))
def test_public_data_raise_no_false_alarm(folder: str, tmp_path: Path) -> None:
    root = DATA / folder
    config = parsed_config((root / "churnrisk.toml").read_text(encoding="utf-8"))
    opener = Opener(root, config, {}, {}, tmp_path)
    for name in config.sources:
        source = opener.opened(name)
        assert "column_unknown" not in {fault.code for fault in source.faults}
        assert source.on_consents == []
        assert [warning for part in source.parts for raw, _ in part.files for warning in raw.warnings] == []


@pytest.mark.parametrize("beside", ["revenue_2024", "", "60+_days", "x" * 61])
def test_a_misspelt_consent_is_found_whatever_the_columns_beside_it(beside: str, tmp_path: Path) -> None:
    """Such names make a first row look like data: what may not be told is placed, and nothing is let through."""
    text = f"customer_id,mayContact,{beside}\nC1,no,5\nC2,yes,6\n"
    found = faults_of(tmp_path, SOURCE, {"p.csv": text})
    assert "column_unknown" in {fault.code for fault in found} or "header_missing" in {f.code for f in found}
