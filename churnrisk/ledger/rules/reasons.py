"""Why somebody is not contacted: a closed list of codes, in the order in which they are looked at.

It decides names and order only; the sentences stand in ``churnrisk.messages``.
"""

from __future__ import annotations

CHOSEN = "chosen"

WITH_OFFER = "with_offer"
"""A call of the team that makes an offer too: one contact, that of the offer."""

GIVEN = (
    "left", "in_notice", "not_eligible", "effect_unknown", "effect_not_shown", "not_worth_it", "trial_full",
    "other_turn", "called_instead", "offered_instead", "drawn_none", "not_drawn",
)  # fmt: skip
"""What whoever proposes a candidate knows of it, and the walk does not."""

RESTING = ("quiet_period", "waiting_for_answer", "cap_reached", "quiet_days")
"""What was done before says that it is too early."""

FULL = ("already_today", "capacity_full", "budget_spent", "programme_full")
"""What the more valuable ones before have used up; of promoters no money, but places."""

FORBIDDEN = ("no_consent", "do_not_contact", "suppressed")
"""Looked at last of all refusals, and again when messages and files are made."""

LEFT_ALONE = ("campaign_hold_out", "trial_hold_out")
"""Of an offer that somebody is left without; nothing else reaches them that night either."""

HELD_OUT = ("permanent_hold_out", *LEFT_ALONE, "survey_hold_out")
"""Who would have been contacted, had the lot not held them out: so that they can be compared with who was."""

DREW_NONE = "drawn_none"
"""The lot among offers fell on none of them: left alone like those of ``LEFT_ALONE``."""

REASONS = (CHOSEN, WITH_OFFER, *GIVEN, *RESTING, *FULL, *FORBIDDEN, *HELD_OUT)

ASK, OFFER, APPROACH, CALLED, HOLD_OUT, CONTROL, REFUSED, NONE = DECISIONS = (
    "ask",
    "offer",
    "approach",
    "call",
    "hold-out",
    "control",
    "refused",
    "none",
)

CHOSEN_AS = {"survey": ASK, "promoter": APPROACH, "proactive": APPROACH, "call": CALLED}
"""What a chosen candidate of a kind is; all others are offered something."""

_DECIDED = {
    WITH_OFFER: CALLED,
    **dict.fromkeys(GIVEN, NONE),
    **dict.fromkeys((*RESTING, *FULL, *FORBIDDEN), REFUSED),
    "permanent_hold_out": HOLD_OUT,
    "survey_hold_out": HOLD_OUT,
    **dict.fromkeys((*LEFT_ALONE, DREW_NONE), CONTROL),
}


def decision_of(reason_code: str, kind: str) -> str:
    """Return the decision that a reason stands for, of a candidate of this kind."""
    return CHOSEN_AS.get(kind, OFFER) if reason_code == CHOSEN else _DECIDED[reason_code]
