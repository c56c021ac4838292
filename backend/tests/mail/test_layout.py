"""How mails read: every kind, as text and as HTML."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.test import override_settings

from apps.mail.links import frontend_link
from apps.mail.registry import MailKind, list_kinds
from apps.mail.rendering import RenderedMail, UnresolvedVariable, render_mail, render_sample
from tests.mail.samples import KIND

ADDRESS = re.compile(r"https?://[^\s\"'<>]+")
# The test's own kind is registered by a fixture, later than this.
KINDS = [kind for kind in list_kinds() if kind.kind != KIND]


class Page(HTMLParser):
    """What a page refers to and shows."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in {"src", "srcset", "background", "action"}]

    def handle_data(self, data: str) -> None:
        self.text += data


def note(context: dict[str, object], *, subject: str = "{{ name }}") -> RenderedMail:
    return render_mail(MailKind(kind=KIND, subject=subject, template="mail/mail_check"), context)


each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)


@each_kind
def test_every_variable_of_a_kind_has_a_value(kind: MailKind) -> None:
    mail = render_sample(kind)
    assert mail.subject
    for part in (mail.subject, mail.text, mail.html):
        assert "{{" not in part
        assert "{%" not in part
        assert "None" not in Page(part).text.split()


@each_kind
def test_every_kind_has_text_of_its_own_that_fits_a_screen(kind: MailKind) -> None:
    lines = render_sample(kind).text.splitlines()
    assert len(lines) > 5
    assert [line for line in lines if len(line) >= 100 and not ADDRESS.fullmatch(line.strip())] == []


@each_kind
def test_every_address_lies_below_the_configured_host(kind: MailKind) -> None:
    mail = render_sample(kind)
    found = ADDRESS.findall(mail.text) + ADDRESS.findall(mail.html)
    assert found
    assert [address for address in found if not address.startswith(settings.FRONTEND_BASE_URL)] == []


@each_kind
def test_text_and_html_lead_to_the_same_places(kind: MailKind) -> None:
    mail = render_sample(kind)
    assert {link.rstrip("/") for link in ADDRESS.findall(mail.text)} == {
        link.rstrip("/") for link in ADDRESS.findall(mail.html)
    }


@each_kind
def test_no_mail_fetches_runs_or_asks_anything(kind: MailKind) -> None:
    page = Page(render_sample(kind).html)
    assert page.sources == []
    assert not {"script", "form", "iframe", "img", "link", "object"} & set(page.tags)


def test_a_hole_in_a_mail_stops_it() -> None:
    with pytest.raises(UnresolvedVariable):
        note({})


def test_a_sample_need_not_have_what_enrich_can_make() -> None:
    kind = MailKind(
        kind=KIND, subject="{{ name }}", template="mail/mail_check", enrich=lambda _: {"name": "Ada"}, sample={}
    )
    assert render_sample(kind).subject == "Ada"
    with pytest.raises(UnresolvedVariable):
        render_sample(replace(kind, enrich=None))


def test_what_people_write_is_text_in_text_and_escaped_in_html() -> None:
    mail = note({"name": "<b>R&D</b>"})
    assert mail.subject == "<b>R&D</b>"
    assert "&lt;b&gt;R&amp;D&lt;/b&gt;" in mail.html
    assert "<b>R&D" not in mail.html


def test_a_subject_cannot_bring_headers() -> None:
    assert note({"name": "a\r\nBcc: all@example.org"}).subject == "a Bcc: all@example.org"


def test_links_are_built_from_the_configured_address() -> None:
    with override_settings(FRONTEND_BASE_URL="https://app.example.org/"):
        assert frontend_link("accounts", "login") == "https://app.example.org/accounts/login/"
        assert frontend_link("a", "b/c?d") == "https://app.example.org/a/b%2Fc%3Fd/"
        assert "https://app.example.org/\n" in note({"name": "Ada"}).text
