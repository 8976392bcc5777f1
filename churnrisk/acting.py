"""Whether what is to be done to customers can be done as it is written: channels and purposes by name, expressions.

It decides what is told before anything is scored, and refuses to know who is contacted. A channel that nobody knows is
never used, a cap on a purpose that nobody has never bites, and an expression that cannot be read stops a night: all are
better told at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import polars as pl

from features.catalogue import Catalogue
from features.network import tells_of_others
from scoring.offers.eligibility import eligible

from .config import CONFIG_NAME, Cap, Config
from .errors import ConfigError, ContractError, Fault, did_you_mean
from .ledger.rules.standing import CALL, nearly, purposes_of
from .store.audits import FRAME_TYPES
from .tables.lake import LakeTables
from .tables.published import RULES

LATEST = "latest"
"""In the channels of a proactive rule: the one through which the customer made contact last."""

OF_TYPES = ("comparisons that fit the columns' types", "true or false for every customer")
"""What is expected where an expression can be read and its types do not fit: not told of columns whose type the data
decide."""

OF_CASES: Mapping[str, pl.DataType] = {"root_cause": pl.String(), "days_since_case": pl.Int64()}
"""What expressions may name beside published columns: the root cause that staff recorded last, and the days since they
recorded what came of a case (`nightly.cases`)."""

_WORD = re.compile(r"\w+")


def refuse_unactable(config: Config, tables: LakeTables, catalogue: Catalogue) -> None:
    """Raise ConfigError for what the settings name wrongly, ContractError for what the catalogue of offers does."""
    faults = setting_faults(config, tables, catalogue)
    if faults:
        raise ConfigError(faults)
    faults = offer_faults(config, tables, catalogue)
    if faults:
        raise ContractError(faults)


def setting_faults(config: Config, tables: LakeTables, catalogue: Catalogue) -> list[Fault]:
    """Return a fault for each channel nobody knows, purpose nearly one of ours, and rule that cannot be read."""
    known = _known(config)
    unknown = [
        _channel_fault("channel_unknown", f"{CONFIG_NAME} {where}", name, known)
        for where, name in _named(config)
        if name not in known
    ]
    when = {rule.name: rule.when for rule in config.proactive.rules}
    return [
        *unknown,
        *_misspelled_purposes(config),
        *(as_rule(fault) for fault in _expression_faults(when, tables, catalogue)),
    ]


def offer_faults(config: Config, tables: LakeTables, catalogue: Catalogue) -> list[Fault]:
    """Return a fault for each channel of an offer that nobody knows, and for each expression that cannot be read."""
    if not tables.has("offers"):
        return []
    offers = pl.read_parquet(tables.paths["offers"], columns=["offer_id", "channel", "eligible"])
    known = _known(config)
    named = offers.select("offer_id", pl.col("channel").str.split(";")).explode("channel", empty_as_null=True)
    told = named.with_columns(pl.col("channel").str.strip_chars()).filter(
        pl.col("channel").is_not_null() & (pl.col("channel") != "") & ~pl.col("channel").is_in(known)
    )
    channels = [
        _channel_fault("offer_channel", f"offers, offer {offer}, channel", name, known)
        for offer, name in told.sort("offer_id", "channel").iter_rows()
    ]
    rules = dict(offers.select("offer_id", "eligible").sort("offer_id").iter_rows())
    return [*channels, *_expression_faults(rules, tables, catalogue)]


def as_rule(fault: Fault) -> Fault:
    """Place the fault of an expression where the rules of proactive contacts are written."""
    where = fault.where.replace("offers, offer ", f"{CONFIG_NAME} [[proactive.rules]] ").replace(
        ", eligible", ", when"
    )
    return replace(fault, code="proactive_when", where=where)


def _known(config: Config) -> tuple[str, ...]:
    """Return the channels that there are: the team's calls are one, whatever else there is."""
    return tuple(dict.fromkeys((*config.contacts.channels, CALL)))


def _named(config: Config) -> Iterator[tuple[str, str]]:
    """Yield where settings name a channel, and which."""
    for name in config.contacts.capacity:
        yield "[contacts] capacity", name
    if "cost" in config.surveys.model_fields_set:
        for name in config.surveys.cost:
            yield "[surveys] cost", name
    for table in ("contacts", "surveys", "offers", "promoters"):
        caps: tuple[Cap, ...] = getattr(config, table).caps
        for cap in caps:
            if cap.channel is not None:
                yield f"[{table}] caps", cap.channel
    for rule in config.proactive.rules:
        for name in rule.channels:
            if name != LATEST:
                yield f"[[proactive.rules]] {rule.name}, channels", name


def _misspelled_purposes(config: Config) -> Iterator[Fault]:
    """Yield a fault for each purpose that settings write nearly as one of ours: their cap or exemption never bites.

    Others may be purposes of contacts that other systems record. Where both are named, both are meant.
    """
    ours = purposes_of(config)
    named = {
        "[contacts] caps": [cap.purpose for cap in config.contacts.caps if cap.purpose is not None],
        "[contacts] transactional": list(config.contacts.transactional),
    }
    for where, names in named.items():
        left = [name for name in ours if name not in names]
        for name in names:
            meant = "" if name in ours else nearly(name, left)
            if meant:
                yield Fault(
                    code="purpose_misspelled",
                    where=f"{CONFIG_NAME} {where}",
                    expected="a purpose spelled as it is elsewhere, or one unlike any of ours",
                    found=repr(name),
                    remedy=f"{meant} Write both alike.",
                    available=ours,
                )


def _channel_fault(code: str, where: str, name: str, known: tuple[str, ...]) -> Fault:
    return Fault(
        code=code,
        where=where,
        expected="one of [contacts] channels",
        found=repr(name),
        remedy=did_you_mean(name, known) or "Correct or remove it, or add it to [contacts] channels.",
        available=known,
    )


def _is_published(name: str, catalogue: Catalogue) -> bool:
    """Say whether there is a feature of that name which is published: none is that tells of others."""
    found = catalogue.find(name)
    return found is not None and not tells_of_others(name, found.group)


def _expression_faults(
    expressions: Mapping[str, str | None], tables: LakeTables, catalogue: Catalogue
) -> Iterator[Fault]:
    """Yield what is wrong with expressions, over no rows: columns of scores and network, and features that they name.

    Which features a model has seen, and so are published, is known by the night alone.
    """
    published = {
        column.name: FRAME_TYPES[column.kind]
        for name in ("network", "scores")
        for column in RULES[name].columns
    } | dict(OF_CASES)
    attributes = {each.column for each in tables.attributes}
    for name, text in expressions.items():
        words = set(_WORD.findall(text or "")) - published.keys()
        features = {word for word in words if word in attributes or _is_published(word, catalogue)}
        nobody = pl.DataFrame(schema=published | dict.fromkeys(sorted(features), pl.Float64()))
        try:
            eligible(nobody, {name: text})
        except ContractError as error:
            # the type of a feature comes with the data
            yield from (each for each in error.faults if not features or each.expected not in OF_TYPES)
