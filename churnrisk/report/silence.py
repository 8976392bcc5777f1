"""What silent customers would answer: predicted shares beside measured ones, told apart, and what the test said."""

from __future__ import annotations

from collections.abc import Iterator

from ..bundle import NPS_CATEGORIES, NpsFindings
from .content import ReportContent, Silence
from .parts import Head, Part, Section, Table
from .wording import DASH, counted, figure, percent

NAME = "What would silent customers answer?"

UNTRAINED = "Nothing is predicted: the model in use was trained without survey answers."

APART = (
    "A prediction is no answer: it is kept in the table nps_predicted, and enters no measured NPS, no input of the "
    "risk and no list."
)


def silence_section(content: ReportContent) -> Section:
    """Return predicted and measured shares by category, and how the predictions were judged; or why there are none."""
    silence = content.silence
    if silence is None or silence.findings is None:
        return Section("silence", NAME, (UNTRAINED,))
    findings = silence.findings
    lines = [_verdict(silence, findings)]
    if findings.figures:
        lines.append(_judged(findings))
    parts = [*_shares(silence), *_test(findings)]
    return Section("silence", NAME, tuple(lines), tuple(parts))


def _verdict(silence: Silence, findings: NpsFindings) -> str:
    if findings.reason:
        return f"Nothing is predicted: {findings.reason}."
    if silence.note:
        return f"Nothing is predicted tonight: {silence.note}."
    return (
        f"{counted(silence.n_silent, 'customer')} gave no answer about the relationship in a year. Their answer to the "
        f"recommend question is predicted from what else is known of them. {APART}"
    )


def _judged(findings: NpsFindings) -> str:
    value, low, high = findings.figures["log_loss_gained"]
    gained = "undefined" if value is None else f"{_number(value, 3)} nats per answer"
    ends = "" if low is None or high is None else f" ({_number(low, 3)} to {_number(high, 3)})"
    return (
        f"Judged on {counted(findings.n_judged_answers, 'answer')} given after {_tested(findings)}, by a model that "
        f"had seen none of them: {gained}{ends} better than giving everybody the shares answered before; above 0 is "
        "better. Answers weigh by their chance of being given, so that those who answer stand for those who do not."
    )


def _tested(findings: NpsFindings) -> str:
    if findings.tested_from == findings.tested_until:
        return findings.tested_from
    return f"looks from {findings.tested_from} to {findings.tested_until}"


def _shares(silence: Silence) -> Iterator[Part]:
    if not silence.predicted and not silence.measured:
        return
    heads = [Head("Category")]
    if silence.predicted:
        heads.append(Head(f"Predicted, not asked ({counted(silence.n_silent, 'customer')})", "number"))
    heads.append(Head(f"Measured: answered in a year ({counted(silence.n_heard, 'customer')})", "number"))
    rows = tuple(
        (
            name,
            *([percent(silence.predicted[name])] if silence.predicted else []),
            percent(silence.measured.get(name)),
        )
        for name in NPS_CATEGORIES
    )
    yield Part(table=Table("Two groups of people, never added up", tuple(heads), rows, folds=True))


def _test(findings: NpsFindings) -> Iterator[Part]:
    if not findings.figures:
        return
    heads = (
        Head("Category"),
        Head("Answered in the test", "number"),
        Head("Predicted for the same", "number"),
        Head("Answered over predicted", "number"),
        Head("95 % interval", "number"),
        Head("AUC", "number"),
        Head("95 % interval", "number"),
    )
    rows = []
    for name in NPS_CATEGORIES:
        ratio, area = findings.figures[f"observed_over_expected_{name}"], findings.figures[f"auc_{name}"]
        rows.append(
            (
                name,
                percent(findings.figures[f"share_{name}"][0]),
                percent(findings.figures[f"expected_{name}"][0]),
                _number(ratio[0], 2),
                _range(ratio, 2),
                _number(area[0], 3),
                _range(area, 3),
            )
        )
    caption = "Were predicted categories right? Out of time; answered over predicted is 1 where they are"
    yield Part(table=Table(caption, heads, tuple(rows), folds=True), is_wide=True)


def _number(value: float | None, digits: int) -> str:
    return DASH if value is None else figure(value, f"plain{digits}")


def _range(ends: tuple[float | None, float | None, float | None], digits: int) -> str:
    _, low, high = ends
    return DASH if low is None or high is None else f"{_number(low, digits)} to {_number(high, digits)}"
