"""Errors carry every fault, a stable code and an exit code."""

import pytest

from churnrisk.errors import EXIT_CODES, ChurnriskError, ConfigError, ContractError, Fault

BAD_DATE = Fault(
    "date_unparsable", "calls.csv row 3 column started_at", "a date", "'x'", "Correct it.", ("a", "b")
)


def test_a_fault_reads_as_one_sentence_with_what_is_available() -> None:
    assert BAD_DATE.sentence() == (
        "calls.csv row 3 column started_at: expected a date, found 'x'. Correct it. Available: a, b."
    )


def test_an_error_lists_all_its_faults_and_codes_once() -> None:
    error = ContractError([BAD_DATE, BAD_DATE])
    assert str(error).count("\n") == 1
    assert error.codes == ("date_unparsable",)
    assert error.as_dict()["exit_code"] == 11


def test_an_error_without_a_fault_is_a_bug() -> None:
    with pytest.raises(ValueError, match="at least one fault"):
        ConfigError([])


def test_every_error_class_has_its_own_documented_exit_code() -> None:
    kinds = [kind for kind in ChurnriskError.__subclasses__() if kind.exit_code != 1]
    assert len({kind.exit_code for kind in kinds}) == len(kinds)
    assert {kind.exit_code for kind in kinds} <= set(EXIT_CODES)
