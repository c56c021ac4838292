"""From a kind and its context to subject, text and HTML."""

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from django.conf import settings
from django.template import Context, Engine, TemplateSyntaxError
from django.template.backends.django import get_installed_libraries

from apps.mail.registry import MailKind

PRODUCT_NAME: Final = "AfterResume"
# RFC 5322 asks for at most 78 characters a line. An address stays whole, or it could not be clicked.
LINE_WIDTH: Final = 78


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """What a person gets to read."""

    subject: str
    text: str
    html: str


class UnresolvedVariable(TemplateSyntaxError):
    """A template names what its context does not have: no mail at all is better than one with a hole."""


class _Refusal(str):
    """Django formats `string_if_invalid` with the name of the variable that it could not resolve."""

    __slots__ = ()

    def __mod__(self, name: object) -> str:
        raise UnresolvedVariable(str(name))


def render_mail(kind: MailKind, context: Mapping[str, Any]) -> RenderedMail:
    """Raises UnresolvedVariable, and whatever else a template can raise."""
    values = {**context, "product_name": PRODUCT_NAME, "site_url": settings.FRONTEND_BASE_URL.rstrip("/")}
    text_engine = _make_engine(is_html=False)
    subject = " ".join(text_engine.from_string(kind.subject).render(_as_context(text_engine, values)).split())
    values["subject"] = subject
    html_engine = _make_engine(is_html=True)
    return RenderedMail(
        subject=subject,
        text=_tidy(text_engine.get_template(f"{kind.template}.txt").render(_as_context(text_engine, values))),
        html=html_engine.get_template(f"{kind.template}.html").render(_as_context(html_engine, values)),
    )


def render_sample(kind: MailKind) -> RenderedMail:
    """The kind filled with its sample. Its `enrich` is asked only for what the sample lacks."""
    try:
        return render_mail(kind, kind.sample)
    except UnresolvedVariable:
        if kind.enrich is None:
            raise
    return render_mail(kind, {**kind.sample, **kind.enrich(kind.sample)})


def _as_context(engine: Engine, values: Mapping[str, Any]) -> Context:
    return Context(dict(values), autoescape=engine.autoescape)


@cache
def _make_engine(*, is_html: bool) -> Engine:
    return Engine(
        app_dirs=True,
        autoescape=is_html,
        string_if_invalid=_Refusal("%s"),
        libraries=get_installed_libraries(),
    )


def _tidy(text: str) -> str:
    """At most one empty line in a row, and no line longer than mail programs like."""
    lines = [part for line in text.splitlines() for part in _fold(line.rstrip())]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def _fold(line: str) -> list[str]:
    return textwrap.wrap(line, LINE_WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
