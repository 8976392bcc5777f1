"""What to do now: whom to call, who is left out and why, what to send, and where to record what came of it.

Everything it counts is what the files of the night hold. What there is nothing of is not told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .content import Handed, ReportContent
from .summaries import Headline, headline, left_out
from .wording import count, counted, listing, money

_MEASURE = "risk times value, the value around each customer included"

RESTING: Mapping[str, str] = {
    "quiet_days": "contacted a few days ago",
    "cap_reached": "contacted as often as the rules allow",
    "quiet_period": "a time of the year without contacts",
    "already_today": "contacted on this day already",
}
MEASURED: Mapping[str, str] = {
    "permanent_hold_out": "never contacted",
    "campaign_hold_out": "controls of the campaign",
    "trial_hold_out": "controls of an offer on trial",
    "drawn_none": "the lot fell on no offer",
}
ASKED: Mapping[str, str] = {"asked_first": ""}
OFFERED: Mapping[str, str] = {"offered_instead": ""}
FULL: Mapping[str, str] = {"capacity_full": ""}
FORBIDDEN: Mapping[str, str] = {
    "no_consent": "no consent",
    "do_not_contact": "not to be contacted at all",
    "suppressed": "not to be called",
}
LEFT_OUT: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("who may not be contacted", FORBIDDEN),
    ("to rest, by your contact rules", RESTING),
    ("left alone to measure by", MEASURED),
    ("asked a question first, so that the call waits for the answer", ASKED),
    ("who are made an offer that needs no call", OFFERED),
    ("for whom no call is left", FULL),
)
"""Why somebody of the same rank is not on the list: in words, with the codes of it."""

RECORD_CALLS = "`churnrisk record outcomes FILE`"
RECORD_OFFERS = "`churnrisk record treatments FILE`"
RECORD_ANSWERS = "`churnrisk record answers FILE`"


def actions(content: ReportContent) -> Iterator[str]:
    """Yield what to do now, a sentence or two each; commands stand in backticks."""
    night = headline(content.scores, content.at_risk)
    if not night.n_scored:
        yield "Nothing: there was no customer to score on this date. See the sources below."
        return
    yield from _calls(content, night)
    yield from _left_out(content)
    yield from _questions(content)
    yield from _offers(content)
    yield from _proactive(content)
    yield from _promoters(content)
    yield from _stopped(content)
    if content.sends_messages and any(_rows(content, name) for name in MESSAGES):
        yield (
            "Your webhook gets these questions, offers and other contacts as messages too: go by the messages or "
            "by the files, so that nobody is contacted twice."
        )
    if content.n_alerts:
        yield (
            f"See to {counted(content.n_alerts, 'open alert')} of the last 7 days: customers who answered that they "
            "would not recommend you. They stand in the table alerts."
        )


MESSAGES = ("survey_requests", "offers", "proactive", "promoters")


def _calls(content: ReportContent, night: Headline) -> Iterator[str]:
    if not night.n_listed:
        yield "Nobody to call: the list is empty tonight."
        return
    yield _whom_to_call(night)
    if night.stake_listed is not None and night.stake is not None and night.n_listed > 1:
        here, everywhere = money(night.stake_listed, content.currency), money(night.stake, content.currency)
        yield f"The list holds {here} of the {everywhere} expected to be lost over all customers."
    where = _where(content, "at_risk")
    if where:
        yield f"The list, with what your team needs to call, is {where}. Record what came of the calls: {RECORD_CALLS}."
    n_offers = _n_offers(content)
    if n_offers:
        who = f"{count(n_offers)} of the {count(night.n_listed)}"
        if n_offers == night.n_listed:
            who = "All of them" if night.n_listed > 1 else "They"
        verb = "gets" if n_offers == 1 < night.n_listed else "get"
        yield (
            f"{who} {verb} an offer, which stands in the list. Record under its treatment_id whether it was taken: "
            f"{RECORD_OFFERS}."
        )


def _whom_to_call(night: Headline) -> str:
    if night.n_listed == 1:
        return "Contact the one customer on the list."
    measure = "risk alone, as no value is known" if night.stake_listed is None else _MEASURE
    return (
        f"Contact the {count(night.n_listed)} customers on the list, from the top: it is ranked by {measure}, and "
        "holds only customers who may be contacted tonight."
    )


def _n_offers(content: ReportContent) -> int:
    return 0 if content.offered is None else content.offered["offer_name"].count()


def _left_out(content: ReportContent) -> Iterator[str]:
    """Yield who would rank among them and is not called, by what keeps them off, largest groups first."""
    by_code = left_out(content.at_risk)
    if not by_code:
        return
    groups = [
        (words, {code: by_code[code] for code in by_code if code in codes}, codes)
        for words, codes in LEFT_OUT
    ]
    told = sorted(
        ((sum(found.values()), words, found, codes) for words, found, codes in groups if found),
        key=lambda group: -group[0],
    )
    parts = [f"{count(n)} {words}{_details(found, codes)}" for n, words, found, codes in told]
    refused = sum(n for code, n in by_code.items() if code in {*FORBIDDEN, *RESTING, "permanent_hold_out"})
    is_cut = content.capacity is not None and refused >= content.capacity
    most = " There may be more: no further are counted." if is_cut else ""
    yield f"Left out of the list, though they would rank in it: {'; '.join(parts)}.{most}"


def _details(found: Mapping[str, int], codes: Mapping[str, str]) -> str:
    named = [(codes[code], n) for code, n in found.items() if codes[code]]
    if not named:
        return ""
    if len(named) == 1:
        return f" ({named[0][0]})"
    return f" ({', '.join(f'{words} {count(n)}' for words, n in named)})"


def _questions(content: ReportContent) -> Iterator[str]:
    name = "survey_requests"
    n = _rows(content, name)
    if n:
        yield (
            f"Send {counted(n, 'question')}{_through(content, name)}: {_where(content, name)} "
            "say whom to ask what, in which language, and why. Record the answers under their invitation_id: "
            f"{RECORD_ANSWERS}."
        )


def _offers(content: ReportContent) -> Iterator[str]:
    n = _rows(content, "offers")
    if n:
        beside = " beside those of the list" if _n_offers(content) else ""
        yield (
            f"Make {counted(n, 'offer')}{_through(content, 'offers')}{beside}: {_where(content, 'offers')}. Record "
            f"under its treatment_id which was taken: {RECORD_OFFERS}."
        )


def _proactive(content: ReportContent) -> Iterator[str]:
    n = _rows(content, "proactive")
    if n:
        yield (
            f"Pass on {counted(n, 'message')} of your own rules{_through(content, 'proactive')}: "
            f"{_where(content, 'proactive')}."
        )


def _promoters(content: ReportContent) -> Iterator[str]:
    n = _rows(content, "promoters")
    if not n:
        return
    handed = content.handed["promoters"]
    n_long = handed.n_long_tenured
    long_with_us = f", {count(n_long)} of them customers for long" if n_long else ""
    where = _where(content, "promoters")
    yield (
        f"Ask {counted(n, 'promoter')}{_through(content, 'promoters')} {_programmes(handed)}, the most influential "
        f"first{long_with_us}{f': {where}' if where else ''}."
    )


def _programmes(handed: Handed) -> str:
    """Say what promoters are asked for: one programme by its name, several with how many each."""
    if not handed.programmes:
        return "for a referral or a public word"
    if len(handed.programmes) == 1:
        return f"for your programme {next(iter(handed.programmes))}"
    return f"for your programmes ({', '.join(f'{name} {count(n)}' for name, n in handed.programmes.items())})"


STOPPED: Mapping[str, tuple[str, str]] = {
    "at_risk": ("call", "calls"),
    "survey_requests": ("question", "questions"),
    "offers": ("offer", "offers"),
    "proactive": ("message of your own rules", "messages of your own rules"),
    "promoters": ("promoter", "promoters"),
}
"""What each list holds, of one and of several."""


def _stopped(content: ReportContent) -> Iterator[str]:
    """Yield what was decided and stopped since, because the customers may not be contacted any more."""
    told = [
        counted(content.handed[name].n_stopped, *words)
        for name, words in STOPPED.items()
        if name in content.handed and content.handed[name].n_stopped
    ]
    if told:
        yield (
            f"Decided, and stopped since, as these customers may not be contacted any more: {listing(told)}. "
            "They are counted under what was decided, and are in no file."
        )


def _rows(content: ReportContent, name: str) -> int:
    return content.handed.get(name, Handed(0)).n


def _where(content: ReportContent, name: str) -> str:
    files = content.handed.get(name, Handed(0)).files
    return listing(list(files)) if files else ""


def _through(content: ReportContent, name: str) -> str:
    """Say through which channels: one by its name, several with how many each."""
    channels = content.handed.get(name, Handed(0)).channels
    if len(channels) == 1:
        return f" by {next(iter(channels))}"
    told = sorted(channels.items(), key=lambda item: (-item[1], item[0]))
    return f" ({', '.join(f'{channel} {count(n)}' for channel, n in told)})" if told else ""
