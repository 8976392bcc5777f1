"""Does churn spread along ties, or do similar people merely leave alike? The estimate, its controls and the verdict.

It decides what is adjusted for and when an answer may be given, and refuses to know tables and files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp

import numpy as np

from churnrisk.metrics import Interval
from churnrisk.metrics.contagion import CONTROL_WORDS, LARGEST_CONTROL_Z, LARGEST_SHUFFLE_P, Contagion

from .conditional import Estimate, cluster_sums, conditional_logit
from .own import own_scores
from .panel import (
    CLOSE,
    FADED_DAYS,
    FRESH_DAYS,
    MIDDLE,
    MOST_FRIENDS,
    NEVER,
    RECENT_DAYS,
    WEAK,
    Departures,
    Draw,
    Floats,
    Ints,
    Sets,
    Sighting,
    Tally,
    departures,
    first_look_sets,
    first_study_day,
    friend_sets,
    leaving_around,
    matched_sets,
)
from .strangers import strangers_who_left

N_CONTROLS = 20
N_CONTROLS_SHUFFLED = 8
MOST_CASES_SHUFFLED = 5_000
MOST_CASES = 50_000
"""Leavers studied at most, so that a million customers cost no more than some hundred thousand."""

N_SHUFFLES = 49
"""Smallest p: 1 / 50."""

Z95 = 1.959964

LARGEST_HIDDEN_VARIANCE = 4.0
"""Variance of the hidden proneness to leave (mean 1) that the interval allows for, at most: a standard deviation of
twice the mean. A judgement; the hidden causes of the reference worlds have about 3. It only widens, see `_widened`."""

MEAN_AGE_DAYS = (FRESH_DAYS + RECENT_DAYS) / 2
"""Days since a friend left, on average over the window of the estimate."""

FEWEST_EXPOSED = 20
"""Leavers with a recently churned close friend, below which nothing is said (a judgement)."""

INFORMATIVE_SE = math.log(1.5) / Z95
"""An interval that covers 1 says "no evidence" only when a ratio of 1.5 would have been seen."""

MONTH_DAYS = 30

LARGEST_LOG = 20.0
"""Log ratios beyond come from columns without contrast: undefined."""


@dataclass(frozen=True)
class StudySettings:
    """What the study needs from outside: days between look and first leaving, length of an outcome window, seed."""

    gap_days: int = 14
    horizon_days: int = 30
    seed: int = 0
    n_shuffles: int = N_SHUFFLES


def unidentified(reason: str, n_needed: int | None = None) -> Contagion:
    """Return the verdict "not identified" without figures."""
    return Contagion("not_identified", reason, n_needed=n_needed)


def contagion_study(sightings: Sequence[Sighting], left_day: Ints, settings: StudySettings) -> Contagion:
    r"""Estimate how much more likely a person leaves once a close friend has lately left.

    Parameters
    ----------
    sightings
        Looks in order of time, see `Sighting`; people are numbered from 0.
    left_day
        int, one per person: day of leaving from the first look, `NEVER` for those who did not.
    settings
        Windows and seed.

    Returns
    -------
    Contagion
        The verdict with every figure that could be computed.

    Notes
    -----
    Each leaver is compared with up to 20 people of the same community at risk on the same day (nested case-control
    sampling of Cox's partial likelihood: Thomas 1977; Goldstein & Langholz 1992). Community and calendar, and whatever
    is constant in them, cancel. The log hazard is linear in

    * close friends who left 21 to 91 days ago, at most three: the estimate;
    * friends by middle and weak ties who left then; all who left in the last 21 days, and 91 to 112 days ago;
    * close and all friends who left longer ago: who is alike leaves alike at any time, so that these proxies of
      latent homophily leave only the *timing* to identify (Shalizi & Thomas 2011 on why nothing else does);
    * number of ties, and the person's own risk without network and calls, as of a look before.

    Ties are those of the last look a gap before the friend left. Standard errors are robust to dependence within
    communities. O(cases x (controls x columns^2 + size of a community)).
    """
    if len(sightings) < 2:  # noqa: PLR2004 - one look has nothing before it
        return unidentified("there is too little history before the outcomes.")
    seen = departures(sightings, left_day, settings.gap_days)
    case_days = [
        _leaving_in(look, number, sightings, left_day, settings) for number, look in enumerate(sightings)
    ]
    draw = Draw(N_CONTROLS, MOST_CASES, settings.seed)
    sets = matched_sets(sightings, case_days, left_day, draw)
    if not sets.n_sets:
        return unidentified(
            f"nobody left who had been seen with ties for {FADED_DAYS} days: more months, or more looks, are needed."
        )
    before = friend_sets(
        sightings, seen, closeness=CLOSE, gap_days=settings.gap_days, n_people=len(left_day), draw=draw
    )
    own, own_before = own_scores(sightings, sets, before, settings.seed)
    panel = _Panel(sightings, sets, seen, own, left_day)
    is_exposed = (panel.close(seen) > 0) & sets.is_case
    n_exposed = int(is_exposed.sum())
    if n_exposed < FEWEST_EXPOSED:
        return _too_few(sets, n_exposed)
    leaving = leaving_around(sightings, case_days, sets, is_exposed) / settings.horizon_days
    return _judged(panel, _risk_before(sightings, before, own_before), n_exposed, leaving, settings)


def _leaving_in(
    look: Sighting, number: int, sightings: Sequence[Sighting], left_day: Ints, settings: StudySettings
) -> Ints:
    """Day of leaving of those who leave in the period of a look, NEVER for the others and in looks too early."""
    begins, ends = look.day + settings.gap_days, look.day + settings.gap_days + settings.horizon_days
    if number + 1 < len(sightings):
        ends = min(ends, sightings[number + 1].day + settings.gap_days)
    day = left_day[look.person]
    is_case = (day >= begins) & (day < ends) & (look.day >= first_study_day(sightings))
    return np.where(is_case, day, NEVER)


class _Panel:
    """The rows of the study and the columns that do not change from one refit to the next."""

    def __init__(
        self, sightings: Sequence[Sighting], sets: Sets, seen: Departures, own: Floats, left_day: Ints
    ) -> None:
        self.sightings, self.sets, self.seen, self.left_day = sightings, sets, seen, left_day
        n_ties = np.zeros(len(sets.person))
        for number, look in enumerate(sightings):
            chosen = sets.look == number
            n_ties[chosen] = look.n_ties[np.searchsorted(look.person, sets.person[chosen])]
        self.constant = np.column_stack([np.log1p(n_ties), own])

    def _count(self, seen: Departures, kind: int | None, begins: int, ends: int) -> Ints:
        chosen = np.ones(len(seen.ego), np.bool_) if kind is None else seen.closeness == kind
        tally = Tally(seen.ego[chosen], seen.day[chosen])
        day = self.sets.day
        counted = tally.between(self.sets.person, day - begins, day - ends)
        return np.minimum(counted, MOST_FRIENDS)

    def close(self, seen: Departures) -> Ints:
        """Close friends who left 21 to 91 days before, at most three."""
        return self._count(seen, CLOSE, RECENT_DAYS, FRESH_DAYS)

    def columns(self, seen: Departures) -> Floats:
        """All columns; the first is the exposure."""
        return np.column_stack(
            [
                self.close(seen),
                self._count(seen, MIDDLE, RECENT_DAYS, FRESH_DAYS),
                self._count(seen, WEAK, RECENT_DAYS, FRESH_DAYS),
                self._count(seen, None, FRESH_DAYS, 0),
                self._count(seen, None, FADED_DAYS, RECENT_DAYS),
                self._count(seen, CLOSE, 1 << 17, FADED_DAYS),
                self._count(seen, None, 1 << 17, FADED_DAYS),
                self.constant,
            ]
        ).astype(np.float64)

    def future(self) -> Floats:
        """Close friends who leave in the month after; who has left by then is no longer asked, as a case."""
        return self._count(self.seen, CLOSE, -1, -1 - MONTH_DAYS).astype(np.float64)

    def fitted(self, columns: Floats) -> Estimate:
        """Fit the rows of the study."""
        return conditional_logit(columns, self.sets.is_case, self.sets.n_in_set, self.sets.cluster)


def _judged(
    panel: _Panel, risk_before: float | None, n_exposed: int, leaving_per_day: float, settings: StudySettings
) -> Contagion:
    sets, seen = panel.sets, panel.seen
    columns = panel.columns(seen)
    found = panel.fitted(columns)
    value, se = float(found.value[0]), float(found.se[0])
    placebo = strangers_who_left(panel.sightings, seen, sets, len(panel.left_day))
    strangers = panel.fitted(np.column_stack([columns, placebo]))
    future = panel.fitted(np.column_stack([columns, panel.future()]))
    shuffled = _shuffled(panel, settings)
    controls = {"own_risk_before": risk_before, "strangers": _z(strangers, -1)}
    low, high = value - Z95 * se, value + Z95 * se
    verdict, reason, n_needed = _verdict(value, se, controls, shuffled, sets.n_sets)
    return Contagion(
        verdict,  # type: ignore[arg-type]
        reason,
        ratio=_interval(value, *_widened(low, high, leaving_per_day)),
        measured=_interval(value, low, high),
        naive=_naive(panel, settings),
        weaker={"middle": _ratio(found, 1), "weak": _ratio(found, 2)},
        controls=controls,
        future=_ratio(future, -1),
        shuffle_p=shuffled[0],
        shuffled=shuffled[1],
        shuffle_observed=shuffled[2],
        n_leavers=sets.n_sets,
        n_exposed=n_exposed,
        n_compared=len(sets.person),
        n_needed=n_needed,
    )


def _verdict(
    value: float,
    se: float,
    controls: Mapping[str, float | None],
    shuffled: tuple[float, float, float],
    n_leavers: int,
) -> tuple[str, str, int | None]:
    why_not = _why_unidentified(value, se, controls)
    if why_not is not None:
        return "not_identified", why_not, None
    if value - Z95 * se > 0:
        return *_tested(controls, shuffled[0]), None
    if se > INFORMATIVE_SE:
        needed = math.ceil(n_leavers * (se / INFORMATIVE_SE) ** 2)
        why = f"{n_leavers:,} leavers are too few to tell a ratio of 1.5 from none; about {needed:,} are needed."
        return "not_identified", why, needed
    if value + Z95 * se < 0:
        why = "people leave less after a close friend's leaving, which is not what spreading does."
    else:
        why = "the interval holds 1 (no effect) and would have shown a ratio of 1.5."
    return "no_evidence", why, None


def _why_unidentified(value: float, se: float, controls: Mapping[str, float | None]) -> str | None:
    if not (math.isfinite(value) and math.isfinite(se)):
        return "the figures hold too little contrast for an estimate."
    failed = [name for name, z in controls.items() if z is not None and abs(z) >= LARGEST_CONTROL_Z]
    if not failed:
        return None
    what = {
        "own_risk_before": "people whose friend is about to leave were already more, or less, at risk before",
        "strangers": "the leaving of people who are not even tied goes with one's own leaving, or against it",
    }
    said = ", and ".join(what[name] for name in failed)
    return f"a control fails ({said}), so likeness, a common cause or a bias of the method is in the figure."


def _tested(controls: Mapping[str, float | None], shuffle_p: float) -> tuple[str, str]:
    """The verdict on an effect beyond chance: a control that could not be computed is not passed."""
    missing = [CONTROL_WORDS[name] for name, z in controls.items() if z is None or not math.isfinite(z)]
    if missing:
        why = f"a control could not be computed ({' and '.join(missing)}), and without it likeness may pass."
        return "not_identified", why
    if shuffle_p > LARGEST_SHUFFLE_P:
        why = "shuffling the dates of the friends' leaving gives as large an effect: its timing does not matter."
        return "not_identified", why
    return "spreads", "the effect is beyond chance, and the controls and the shuffle test pass."


def _too_few(sets: Sets, n_exposed: int) -> Contagion:
    needed = math.ceil(sets.n_sets * FEWEST_EXPOSED / max(n_exposed, 1))
    reason = (
        f"of {sets.n_sets:,} leavers only {n_exposed} had a close friend who had lately left, {FEWEST_EXPOSED} are "
        f"the least: about {needed:,} leavers are needed."
    )
    return Contagion(
        "not_identified",
        reason,
        n_leavers=sets.n_sets,
        n_exposed=n_exposed,
        n_compared=len(sets.person),
        n_needed=needed,
    )


def _naive(panel: _Panel, settings: StudySettings) -> Interval:
    """Exposure alone, against people from anywhere: only the calendar is held equal."""
    sightings, left_day = panel.sightings, panel.left_day
    days = [_leaving_in(look, number, sightings, left_day, settings) for number, look in enumerate(sightings)]
    draw = Draw(N_CONTROLS, MOST_CASES, settings.seed, by_community=False)
    sets = matched_sets(sightings, days, left_day, draw)
    seen = panel.seen
    is_strong = seen.closeness >= CLOSE
    tally = Tally(seen.ego[is_strong], seen.day[is_strong])
    counted = np.minimum(tally.between(sets.person, sets.day - RECENT_DAYS, sets.day), MOST_FRIENDS)
    return _ratio(
        conditional_logit(counted[:, None].astype(np.float64), sets.is_case, sets.n_in_set, sets.cluster), 0
    )


def _risk_before(sightings: Sequence[Sighting], before: Sets, own: Floats) -> float | None:
    """Z of the own risk, as of a look, of those of whom a close friend leaves in the period after it.

    Within sets of one community and look, by least squares, the number of ties held equal.
    """
    if not before.n_sets or not own.any():
        return None
    n_ties = np.zeros(len(before.person))
    for number, look in enumerate(sightings):
        chosen = before.look == number
        n_ties[chosen] = look.n_ties[np.searchsorted(look.person, before.person[chosen])]
    columns = np.column_stack([before.is_case.astype(np.float64), np.log1p(n_ties)])
    x, y = _within(columns, before), _within(own[:, None], before)[:, 0]
    bread = np.linalg.inv(x.T @ x + 1e-9 * np.eye(2))
    value = bread @ (x.T @ y)
    cluster = np.repeat(before.cluster, before.n_in_set)
    summed = cluster_sums(x * (y - x @ value)[:, None], cluster)
    se = float(np.sqrt((bread @ (summed.T @ summed) @ bread)[0, 0]))
    return float(value[0]) / se if se > 0 else None


def _within(columns: Floats, sets: Sets) -> Floats:
    starts = np.cumsum(sets.n_in_set) - sets.n_in_set
    means = np.add.reduceat(columns, starts, axis=0) / sets.n_in_set[:, None]
    centred: Floats = columns - np.repeat(means, sets.n_in_set, axis=0)
    return centred


def _shuffled(panel: _Panel, settings: StudySettings) -> tuple[float, float, float]:
    """P of the shuffle test, the mean ratio among the shuffles, and that of the real dates.

    Anagnostopoulos, Kumar & Mahdian 2008.

    Among those seen at the first look, the dates of leaving are dealt anew to those who left: who leaves, and who is
    whose friend, stays, so that likeness stays; only who came first is lost. The estimate of the real dates is made the
    same way, without own history.
    """
    first = panel.sightings[0]
    fits = np.zeros(len(panel.left_day), np.bool_)
    fits[first.person] = True
    leavers = np.flatnonzero(fits & (panel.left_day < NEVER))
    rng = np.random.default_rng([settings.seed, 1])
    observed = _of_first_look(panel, panel.left_day, settings)
    values = []
    for _ in range(settings.n_shuffles):
        dealt = panel.left_day.copy()
        dealt[leavers] = rng.permutation(panel.left_day[leavers])
        values.append(_of_first_look(panel, dealt, settings))
    n_as_large = sum(value >= observed for value in values)
    mean = exp(float(np.mean(values))) if values else math.nan
    return (1 + n_as_large) / (1 + len(values)), mean, exp(observed)


def _of_first_look(panel: _Panel, left_day: Ints, settings: StudySettings) -> float:
    """The estimate along the ties of the first look, for given dates of leaving."""
    first = panel.sightings[0]
    day = left_day[first.friend]
    chosen = np.isin(first.friend, first.person) & (day < NEVER)
    look = np.zeros(int(chosen.sum()), np.int64)
    seen = Departures(first.ego[chosen], first.friend[chosen], day[chosen], first.closeness[chosen], look)
    draw = Draw(N_CONTROLS_SHUFFLED, MOST_CASES_SHUFFLED, settings.seed)
    sets = first_look_sets(first, left_day, first.day + settings.gap_days + RECENT_DAYS, draw)
    if not sets.n_sets:
        return 0.0
    made = _Panel(panel.sightings, sets, seen, np.zeros(len(sets.person)), left_day)
    return float(made.fitted(made.columns(seen)).value[0])


def _widened(low: float, high: float, leaving_per_day: float) -> tuple[float, float]:
    r"""The interval of what may lie behind it when those most prone to leave left first.

    Under exposure the prone go sooner, so that the exposed who are still there are less prone than the others, and the
    ratio seen is smaller than the cause. With proneness of variance v (gamma: Vaupel, Manton & Stallard 1979,
    *Demography* 16) those exposed for a days are less prone by 1 + v rate (ratio - 1) a, the rate being that of
    the communities in which the exposed live: where more leave, selection is stronger. The end of the interval away
    from 1 is moved out by the logarithm of that, the other end stays.
    """
    worst = LARGEST_HIDDEN_VARIANCE * leaving_per_day * MEAN_AGE_DAYS
    up = math.log1p(worst * math.expm1(min(high, LARGEST_LOG))) if high > 0 else 0.0
    down = math.log1p(worst * -math.expm1(low)) if low < 0 else 0.0
    return low - down, high + up


def _interval(value: float, low: float, high: float) -> Interval:
    return Interval(*(exp(end) if abs(end) < LARGEST_LOG else math.nan for end in (value, low, high)))


def _ratio(found: Estimate, column: int) -> Interval:
    value, se = float(found.value[column]), float(found.se[column])
    return _interval(value, value - Z95 * se, value + Z95 * se)


def _z(found: Estimate, column: int) -> float | None:
    value, se = float(found.value[column]), float(found.se[column])
    return value / se if se > 0 and math.isfinite(value) else None
