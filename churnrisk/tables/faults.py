"""What can be wrong with a row or a source: stable codes, each with its sentence, and which of them are harmless.

It refuses to know how a fault is found.
"""

from __future__ import annotations

from typing import NamedTuple


class RowFault(NamedTuple):
    """Why a row was rejected: a sentence that may name ``{column}`` and ``{limits}``."""

    sentence: str
    is_harmless: bool = False
    """Harmless rows say nothing new: they count as quarantined, and not towards max_bad_share."""


ROW_FAULTS: dict[str, RowFault] = {
    # reading the file
    "malformed_line": RowFault(
        "The line has more or fewer fields than the header, or a text in quotes holds lines like rows of the file: a "
        "quote may not be closed."
    ),
    "bad_characters": RowFault("{column} holds bytes that are no text in the encoding of the file."),
    # reading a value
    "date_unreadable": RowFault("{column} is no date or time in the declared or ISO 8601 format."),
    "time_nonexistent": RowFault("{column} names a local time that the clocks skipped that day."),
    "number_unreadable": RowFault("{column} is no number."),
    "not_whole": RowFault("{column} must be a whole number."),
    "boolean_unreadable": RowFault("{column} is neither yes nor no."),
    "id_unreadable": RowFault(
        "{column} is a number with decimals, or too large to be exact, where an id is expected."
    ),
    # limits of one column
    "required_missing": RowFault("{column} must not be empty."),
    "out_of_range": RowFault("{column} must lie within its limits: {limits}."),
    "time_out_of_range": RowFault("{column} must lie in the years {limits}."),
    "unknown_metric": RowFault("{column} must be one of {limits}."),
    "unknown_kind": RowFault("{column} must be one of {limits}."),
    "unknown_consent": RowFault("{column} must be one of {limits}."),
    "negative_duration": RowFault(
        "{column} is negative and is no declared code for a missed call (missed_codes)."
    ),
    # columns against each other
    "score_off_scale": RowFault(
        "score lies off the scale of its metric: nps 0-10, csat 1-5, ces 1-7, or as in scales."
    ),
    "score_not_whole": RowFault("An nps score must be a whole number from 0 to 10."),
    "nothing_said": RowFault("Neither a score nor a comment is given."),
    "score_without_answer_date": RowFault(
        "score or comment is given, but answered_at and known_at are empty."
    ),
    "asked_at_missing": RowFault("invited_at and answered_at are both empty: nothing says when."),
    "answer_before_invitation": RowFault("answered_at lies before invited_at."),
    "call_to_oneself": RowFault("caller_id and callee_id are the same."),
    "left_before_joined": RowFault("left_on lies before joined_on."),
    "ends_before_it_begins": RowFault("until does not lie after since."),
    "known_before_happened": RowFault("known_at lies before the fact itself happened."),
    "instead_of_no_control": RowFault(
        "instead_of names an offer, but offer_id is not control; or it names control, which is no offer."
    ),
    "control_accepted": RowFault(
        "accepted says yes of a control, who was offered nothing: leave it empty, or record what was offered under an "
        "id of its own."
    ),
    "offer_called_control": RowFault(
        "offer_id is control, the word for customers left without an offer: give the offer another id."
    ),
    # rows against each other, tables against each other
    "duplicate_row": RowFault("The same row was read before.", is_harmless=True),
    "superseded": RowFault("The same invitation stands in another row with its answer.", is_harmless=True),
    "duplicate_key": RowFault(
        "Another row has the same key and other content; the earliest known is kept, of equally early ones the one "
        "whose content sorts first."
    ),
    "unknown_customer": RowFault(
        "customer_id is not in customers: look for other spellings, such as lost zeros in front."
    ),
    "unknown_offer": RowFault("offer_id is neither in offers nor control."),
    "unknown_instead_of": RowFault("instead_of is not in offers."),
    # what is recorded against what is on record
    "metric_not_asked": RowFault("metric is not what the invitation asked: correct it, or leave it empty."),
    "nothing_filled_in": RowFault(
        "The row says nothing yet, as rows of a list that comes back do.", is_harmless=True
    ),
    "invitation_of_another_customer": RowFault(
        "invitation_id was sent to another customer than customer_id: correct one of them, look for lost zeros in "
        "front, or leave customer_id out."
    ),
    "id_taken": RowFault(
        "{column}, given or made from the row, is on record with other content: correct the row, or give it an id of "
        "its own."
    ),
    "comment_came_later": RowFault(
        "The answer is on record without this comment, and stays so: record the comment as an answer of its own, with "
        "the instant at which it came as answered_at, no score, and no answer_id or a new one."
    ),
    "answer_in_the_future": RowFault("answered_at has not come yet: correct it, or its offset from UTC."),
    "outcome_in_the_future": RowFault("at has not come yet: correct it, or its offset from UTC."),
    "treatment_in_the_future": RowFault(
        "at has not come yet: correct it, or its offset from UTC; record an offer once it has been made."
    ),
    "contact_in_the_future": RowFault(
        "at has not come yet: correct it, or its offset from UTC; record a contact once it has been made."
    ),
    "consent_in_the_future": RowFault("at has not come yet: correct it, or its offset from UTC."),
    "lifting_in_the_future": RowFault(
        "at has not come yet: correct it, or its offset from UTC; a suppression that is to end later has an until."
    ),
    "nothing_to_lift": RowFault(
        "No suppression of this customer and channel that began before at holds still: look for lost zeros in front of "
        "the id, for a later beginning, or leave channel empty where it is one through all channels."
    ),
    "no_offer_made": RowFault(
        "accepted or root_cause is given, but neither treatment_id nor offer_id: the call made no offer. Record what "
        "came of it with `churnrisk record outcomes` (customer_id, at, outcome, root_cause)."
    ),
    "treatment_not_on_record": RowFault(
        "treatment_id is not in the ledger: correct it, or give customer_id, offer_id and at."
    ),
    "treatment_before_record": RowFault(
        "at lies on a day before that of the treatment on record: correct at or treatment_id, or leave at out."
    ),
    "treatment_of_another_customer": RowFault(
        "treatment_id is on record for another customer: correct customer_id or treatment_id."
    ),
    "treatment_of_another_offer": RowFault(
        "treatment_id is on record with another offer_id: correct it, or record what was done besides under an id of "
        "its own."
    ),
    "treatment_withdrawn": RowFault(
        "The treatment was withdrawn before it went out, as the customer may not be contacted: record what was done "
        "all the same under an id of its own."
    ),
    "unknown_channel": RowFault(
        "channel is none of [contacts] channels: nothing would be held back by it, and no cap would count it."
    ),
    "unknown_treatment": RowFault(
        "treatment_id is neither in the ledger nor in treatments: correct it, leave it empty, or record the treatment "
        "first."
    ),
    "outcome_before_treatment": RowFault(
        "at lies on a day before the treatment was made: correct at or treatment_id."
    ),
}
"""Every reason a row can be in quarantine, worst first; the first that applies is the row's code."""

CONTROL = "control"
"""The offer_id of customers who were deliberately left without an offer."""

FAULT_ORDER: dict[str, int] = {code: position for position, code in enumerate(ROW_FAULTS)}

SOURCE_FAULTS: dict[str, str] = {
    "file_missing": "No file fits the path.",
    "file_unreadable": "The file cannot be opened or is damaged.",
    "file_cut": "The file ends in the middle of a record, of a compressed block, or before its footer.",
    "quote_open": "A quote is not closed: all rows up to the next one, or to the end, would be one text.",
    "encoding_unknown": "The character set cannot be told, or is not known.",
    "header_missing": "The file has no first row, the row has no names, or it looks like data.",
    "header_duplicate": "Two columns of the file have the same name.",
    "column_missing": "A column named in the settings, or required by the contract, is not in the file.",
    "column_unknown": "A column that is not mapped is nearly called like a consent, or is one of ours spelt otherwise.",
    "mapping_unknown": "The settings map a column that the source does not have.",
    "table_empty": "The source has no rows.",
    "all_rows_bad": "Not one row fulfils the contract.",
    "too_many_bad_rows": "More rows were rejected than the settings allow.",
    "zone_undeclared": "Local times without an offset, and no zone is declared.",
    "consent_undeclared": "A consent is missing, and [privacy] missing_consent does not say what that means.",
    "extract_undated": "Attributes without a date from which they were known.",
    "no_positive": "None of the values that mean left occurs in the labelled extract.",
    "database_unreadable": "The database cannot be reached or refuses the query.",
    "frame_unreadable": "The frame given is no table that Polars can read.",
    "source_missing": "A source that another one needs is not there.",
    "stale": "The newest fact is older than the settings allow.",
}
"""Every reason a whole source is refused."""


def sentence_of(code: str, column: str, limits: str) -> str:
    """Return the sentence of a row fault for one column; the value itself is never part of it."""
    return ROW_FAULTS[code].sentence.format(column=column or "A column", limits=limits)


def is_harmless(code: str) -> bool:
    """Say whether a row rejected with ``code`` merely repeats what is known."""
    return ROW_FAULTS[code].is_harmless
