"""One night as one self-contained page: puts content, summaries and pictures into sections. It computes no figure.

The page needs no network and no script; a content security policy in it forbids both. The same content gives the same
bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from ..pictures import theme
from .around import around_section
from .breaking import breakable
from .content import ReportContent
from .deciding import asking_section, decided_section
from .doing import actions
from .lifetimes import lifetime_section
from .listed import list_section
from .parts import Page
from .sections import (
    data_section,
    network_section,
    reasons_section,
    risk_section,
    run_section,
    segments_section,
)
from .silence import silence_section
from .spreading import spreading_section
from .tonight import lead, stats, title, warnings
from .trust import trust_section
from .watch import watch_section
from .wording import signed

SECTIONS = (
    list_section,
    decided_section,
    risk_section,
    trust_section,
    lifetime_section,
    watch_section,
    reasons_section,
    segments_section,
    silence_section,
    asking_section,
    network_section,
    around_section,
    spreading_section,
    data_section,
    run_section,
)
"""The sections in the order of the page."""


def report_html(content: ReportContent) -> str:
    """Return the page of one night: HTML, self-contained, with neither network nor script."""
    page = Page(
        title=title(content),
        company=content.company,
        lead=lead(content),
        as_of=content.as_of.isoformat(),
        software_version=content.run.software_version,
        stats=tuple(stats(content)),
        lines=tuple(actions(content)),
        warnings=tuple(warnings(content)),
        sections=tuple(section(content) for section in SECTIONS),
    )
    return filled("night.html", page)


def filled(template: str, page: Page) -> str:
    """Return a template of the package filled with what it calls ``page``."""
    return _without_blank_lines(_templates().get_template(template).stream(page=page, theme=theme))


def _without_blank_lines(parts: Iterable[str]) -> str:
    return re.sub(r"\n\s*\n+", "\n", "".join(parts)).strip() + "\n"


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("churnrisk.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["breakable"] = breakable
    made.filters["commands"] = commands
    made.filters["signed"] = signed
    return made


_BACKTICKS = re.compile(r"`([^`]+)`")
_CODE = Markup("<code>{}</code>")


def commands(sentence: str) -> Markup:
    """Return a sentence escaped, what stands in backticks as code.

    >>> commands("run `churnrisk check` <now>")
    Markup('run <code>churnrisk check</code> &lt;now&gt;')
    """
    parts = _BACKTICKS.split(sentence)
    return Markup("").join(
        _CODE.format(part) if place % 2 else escape(part) for place, part in enumerate(parts)
    )
