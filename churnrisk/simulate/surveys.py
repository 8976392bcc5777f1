"""Who is asked, who answers, what they say: relationship waves and questions after a contact.

Whether somebody answers depends on mood and age, so the answers are not the base. It reads moods, never changes them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from .clock import DAY_S, WEEK, Clock
from .contacts import CHANNELS, STORE, Contacts
from .course import Course, Week
from .draws import Bools, Floats, Ints, chosen, logistic, stream
from .population import LANGUAGES, OVERPAY_SD, People
from .settings import WorldSettings
from .words import COMMENTS, NEUTRAL, PRAISE, PRICE, SERVICE

if TYPE_CHECKING:
    import polars as pl

METRICS = ("nps", "csat", "ces")
NPS, CSAT, CES = range(3)
SCALES = ((0, 10), (1, 5), (1, 7))
"""Lowest and highest score per metric. CES: 7 = it was easy."""
OCCASIONS = ("relationship", *(f"{channel} contact" for channel in CHANNELS))
RELATIONSHIP = 0
SURVEY_CHANNELS = ("email", "sms", "app")
SURVEY_CHANNEL_SHARES = (0.4, 0.35, 0.25)
SENDERS = ("system", *(f"team {letter}" for letter in "ABCDEF"))
INCENTIVE = "100 free SMS"
INCENTIVE_SHARE = 0.5
CSAT_SHARE = 0.6
"""The other contacts are asked for effort (CES)."""
WAVE_EVERY_DAYS, WAVE_SHARE = 91, 0.4
TOUCHPOINT_SHARE = 0.4
REST_DAYS = 28
"""Nobody is asked again within so many days. This and the shares above are guesses."""
LONGEST_ANSWER_DAYS = 12
AGE_EFFECT = np.array([-0.5, -0.2, 0.0, 0.25, 0.35])
COMMENT_SHARE = 0.38
SORE, DEAR = 0.3, 0.8
"""Pain and dearness (in standard deviations) from which a disappointed customer writes about them."""
CONTENT, DISAPPOINTED = 0.85, 0.65
"""Places on the scale (0-1) above which comments praise and below which they complain. All guessed."""
ANGRY_BELOW = 6.0
"""Below it NPS answers spread twice as wide, down to 0, as the angry use the whole scale; who is a detractor stays."""
PROMOTER_FROM, DETRACTOR_TO = 9, 6
SCORE_MEAN, SCORE_PER_MOOD, SCORE_NOISE = 7.7, 1.35, 1.0
"""NPS answer = mean + slope x mood + noise, rounded and cut to 0-10: puts NPS between 0 and 30."""


@dataclass(frozen=True)
class Asked:
    """Invitations with their answers; every field an array over invitations, ``score`` NaN where there is none."""

    who: Ints
    invited_s: Ints
    answered_s: Ints
    metric: Ints
    occasion: Ints
    channel: Ints
    sender: Ints
    has_incentive: Bools
    score: Floats
    theme: Ints
    line: Ints

    def only(self, keep: Bools) -> Asked:
        """Return the invitations for which ``keep`` holds."""
        return Asked(**{item.name: getattr(self, item.name)[keep] for item in fields(self)})


@dataclass
class Tally:
    """Running counts over everything written."""

    invited: int = 0
    answered: int = 0
    asked_nps: int = 0
    answered_nps: int = 0
    promoters: int = 0
    detractors: int = 0

    @property
    def nps(self) -> float | None:
        """Net promoter score of the relationship answers; None when there are none."""
        return 100 * (self.promoters - self.detractors) / self.answered_nps if self.answered_nps else None


class Surveying:
    """Asks customers week by week; answers are held back until it is sure that they were given before leaving."""

    def __init__(self, settings: WorldSettings, clock: Clock, people: People) -> None:
        self._settings = settings
        self._rng = stream(settings.seed, "surveys")
        self._clock = clock
        self._people = people
        self._last_asked = np.full(len(people), -REST_DAYS, dtype=np.int64)
        self._level: float | None = None
        self._held: deque[tuple[int, Asked]] = deque()
        self._n = 0
        self.tally = Tally()

    def ask(self, course: Course, week: Week, contacts: Contacts) -> None:
        """Send the week's invitations and draw what comes of them."""
        for asked in (self._wave(course, week), self._touchpoints(course, week, contacts)):
            if asked is not None:
                self._held.append((week.day + WEEK + LONGEST_ANSWER_DAYS, asked))

    def asked(self, course: Course, who: Ints, at_s: Ints) -> Asked:
        """Return what comes of asking ``who`` for NPS at seconds ``at_s``, outside waves; leavers are silent."""
        is_here = course.left[who] * DAY_S > at_s
        level = self._level_of(course, who)
        size = who.size
        latent = SCORE_MEAN + SCORE_PER_MOOD * course.mood[who] + self._rng.normal(0, SCORE_NOISE, size)
        none = np.zeros(size, dtype=np.int64)
        plain = Asked(
            who=who,
            invited_s=at_s,
            answered_s=at_s,
            metric=np.full(size, NPS),
            occasion=np.full(size, RELATIONSHIP),
            channel=chosen(self._rng, SURVEY_CHANNEL_SHARES, size),
            sender=none,
            has_incentive=np.zeros(size, dtype=np.bool_),
            score=latent,
            theme=none,
            line=none,
        )
        found = self._answered(course, plain, level)
        return replace(found, score=np.where(is_here, found.score, np.nan))

    def settled(self, course: Course, day: int) -> Iterator[Asked]:
        """Yield the invitations whose answers were all due by ``day``, without those after leaving or the end."""
        while self._held and self._held[0][0] <= day:
            asked = self._held.popleft()[1]
            until_s = np.minimum(course.left[asked.who], self._clock.days) * DAY_S
            heard = replace(asked, score=np.where(asked.answered_s < until_s, asked.score, np.nan))
            yield heard.only(asked.invited_s < until_s)

    def _level_of(self, course: Course, who: Ints) -> float:
        """Return the log odds that make ``response_rate`` of these customers answer a plain invitation."""
        if self._level is None:
            tilt = self._tilt(course, who)
            low, high = -12.0, 12.0
            for _ in range(50):
                middle = (low + high) / 2
                too_few = logistic(middle + tilt).mean() < self._settings.response_rate
                low, high = (middle, high) if too_few else (low, middle)
            self._level = (low + high) / 2
        return self._level

    def _tilt(self, course: Course, who: Ints) -> Floats:
        mood = self._settings.mechanism.response_to_mood * course.mood[who]
        return np.asarray(mood + AGE_EFFECT[self._people.age[who]] + self._people.willingness[who])

    def _wave(self, course: Course, week: Week) -> Asked | None:
        rng = self._rng
        if (week.day + WAVE_EVERY_DAYS // 2) % WAVE_EVERY_DAYS >= WEEK or week.day < 0:
            return None
        who = week.customers[self._people.consents["may_survey"][week.customers]]
        if who.size == 0:
            return None
        level = self._level_of(course, who)
        picked = rng.random(who.size) < WAVE_SHARE
        who = who[picked & (week.day - self._last_asked[who] >= REST_DAYS)]
        invited_s = week.day * DAY_S + rng.integers(9 * 3_600, 4 * DAY_S, who.size)
        metric = np.full(who.size, NPS)
        # Every other wave thanks half of those asked, so that its effect on response can be read.
        thanks = (week.day // WAVE_EVERY_DAYS) % 2 == 0
        has_incentive = (rng.random(who.size) < INCENTIVE_SHARE) & thanks
        latent = SCORE_MEAN + SCORE_PER_MOOD * course.mood[who] + rng.normal(0, SCORE_NOISE, who.size)
        asked = Asked(
            who=who,
            invited_s=invited_s,
            answered_s=invited_s,
            metric=metric,
            occasion=np.full(who.size, RELATIONSHIP),
            channel=chosen(rng, SURVEY_CHANNEL_SHARES, who.size),
            sender=np.zeros(who.size, dtype=np.int64),
            has_incentive=has_incentive,
            score=latent,
            theme=np.zeros(who.size, dtype=np.int64),
            line=np.zeros(who.size, dtype=np.int64),
        )
        return self._answered(course, asked, level)

    def _touchpoints(self, course: Course, week: Week, contacts: Contacts) -> Asked | None:
        rng = self._rng
        who = contacts.who
        may = self._people.consents["may_survey"][who] & (rng.random(who.size) < TOUCHPOINT_SHARE)
        may &= (week.day - self._last_asked[who] >= REST_DAYS) & (contacts.at_s >= 0)
        # Only the first contact of a week is asked about.
        _, firsts = np.unique(who, return_index=True)
        first = np.zeros(who.size, dtype=np.bool_)
        first[firsts] = True
        picked = np.flatnonzero(may & first)
        if picked.size == 0:
            return None
        who = who[picked]
        level = self._level_of(course, week.customers)
        draw, at_store = rng.random(picked.size), contacts.channel[picked] == STORE
        # The stores ask the wrong question, as some do: would you recommend us, about one single visit.
        metric = np.where(draw < CSAT_SHARE, np.where(at_store, NPS, CSAT), CES)
        hardship = (
            contacts.wait_s[picked] / 400 + 0.6 * contacts.transfers[picked] + 1.0 * contacts.repeated[picked]
        )
        hardship = hardship + 1.6 * ~contacts.resolved[picked]
        satisfied = 4.6 + 0.35 * course.mood[who] - 0.5 * hardship + rng.normal(0, 0.7, picked.size)
        easy = 6.4 + 0.15 * course.mood[who] - 1.1 * hardship + rng.normal(0, 0.9, picked.size)
        asked = Asked(
            who=who,
            invited_s=contacts.at_s[picked] + rng.integers(3_600, 20 * 3_600, picked.size),
            answered_s=contacts.at_s[picked],
            metric=metric,
            occasion=1 + contacts.channel[picked],
            channel=chosen(rng, SURVEY_CHANNEL_SHARES, picked.size),
            sender=1 + contacts.number[picked] % (len(SENDERS) - 1),
            has_incentive=np.zeros(picked.size, dtype=np.bool_),
            score=np.select([metric == NPS, metric == CSAT], [2 * satisfied - 0.6, satisfied], easy),
            theme=np.zeros(picked.size, dtype=np.int64),
            line=np.zeros(picked.size, dtype=np.int64),
        )
        return self._answered(course, asked, level)

    def _answered(self, course: Course, asked: Asked, level: float) -> Asked:
        rng, who = self._rng, asked.who
        size = who.size
        self._last_asked[who] = asked.invited_s // DAY_S
        lift = self._settings.mechanism.response_to_incentive * asked.has_incentive
        answers = rng.random(size) < logistic(level + self._tilt(course, who) + lift)
        # Half of the answers come within some hours, the slow ones after a reminder.
        delay_s = np.minimum(300 + rng.exponential(0.9 * DAY_S, size), (LONGEST_ANSWER_DAYS - 2) * DAY_S)
        low, high = np.array(SCALES)[asked.metric].T
        anger = np.where(asked.metric == NPS, np.maximum(ANGRY_BELOW - asked.score, 0), 0)
        score = np.clip(np.rint(asked.score - anger), low, high)
        happy = (score - low) / (high - low)
        sore = course.pain[who] > SORE
        dear = course.prices.shock[who] + self._people.overpay[who] / OVERPAY_SD > DEAR
        grudge = np.where(sore, SERVICE, np.where(dear, PRICE, NEUTRAL))
        theme = np.where(happy > CONTENT, PRAISE, np.where(happy < DISAPPOINTED, grudge, NEUTRAL))
        writes = rng.random(size) < COMMENT_SHARE + 0.2 * (happy < DISAPPOINTED)
        return replace(
            asked,
            answered_s=asked.invited_s + delay_s.astype(np.int64),
            score=np.where(answers, score, np.nan),
            theme=np.where(writes, theme, -1),
            line=rng.integers(0, 60, size),
        )

    def rows(self, asked: Asked, ids: pl.Series) -> pl.DataFrame:
        """Return invitations and answers as rows of the source ``surveys``, in order of invitation."""
        import polars as pl

        order = np.lexsort((asked.metric, asked.who, asked.invited_s))
        asked = Asked(**{item.name: getattr(asked, item.name)[order] for item in fields(asked)})
        answered = ~np.isnan(asked.score)
        number = self._n + 1 + np.arange(order.size)
        self._n += order.size
        self._count(asked, answered)
        language = self._people.language[asked.who]
        frame = pl.DataFrame(
            {
                "invitation_id": "S" + pl.Series(number).cast(pl.String).str.zfill(9),
                "customer_id": ids.gather(asked.who),
                "metric": pl.Series(METRICS).gather(asked.metric),
                "occasion": pl.Series(OCCASIONS).gather(asked.occasion),
                "invited_at": self._clock.instants_of(asked.invited_s),
                "answered_at": self._clock.instants_of(asked.answered_s),
                "score": pl.Series(asked.score, nan_to_null=True).cast(pl.Int64),
                "comment": _comments(language, asked.theme, asked.line),
                "channel": pl.Series(SURVEY_CHANNELS).gather(asked.channel),
                "language": pl.Series(LANGUAGES).gather(language),
                "sender": pl.Series(SENDERS).gather(asked.sender),
                "incentive": pl.Series(["", INCENTIVE]).gather(asked.has_incentive.astype(np.int64)),
            }
        )
        given = pl.col("score").is_not_null()
        return frame.with_columns(
            answered_at=pl.when(given).then("answered_at"),
            comment=pl.when(given).then("comment"),
            incentive=pl.when(pl.col("incentive") != "").then("incentive"),
        )

    def _count(self, asked: Asked, answered: Bools) -> None:
        relationship = asked.occasion == RELATIONSHIP
        score = asked.score[relationship & answered]
        self.tally.invited += answered.size
        self.tally.answered += int(answered.sum())
        self.tally.asked_nps += int(relationship.sum())
        self.tally.answered_nps += score.size
        self.tally.promoters += int((score >= PROMOTER_FROM).sum())
        self.tally.detractors += int((score <= DETRACTOR_TO).sum())


def _comments(language: Ints, theme: Ints, line: Ints) -> pl.Series:
    import polars as pl

    texts: list[str | None] = [None]
    place = np.zeros(language.size, dtype=np.int64)
    for code, name in enumerate(LANGUAGES):
        for number, lines in enumerate(COMMENTS[name]):
            here = (language == code) & (theme == number)
            place[here] = len(texts) + line[here] % len(lines)
            texts.extend(lines)
    return pl.Series(texts, dtype=pl.String).gather(place)
