"""What people, files and models write is shown as it is written, and never runs."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from django.http import HttpResponse

from tests.access.callers import browser_of
from tests.access.crawl import crawl, get_with, post_all
from tests.access.disguises import every_text
from tests.access.markup import body_of, faults_in, is_page
from tests.access.requests import send
from tests.access.world import World, undone
from tests.fakes.server import Received, Reply

pytestmark = [pytest.mark.django_db, pytest.mark.failure("D08")]

MARK: Final = "zqx"
# What does not hinder each other stands in one text: each text is a crawl over every page. A name takes 150.
HOSTILE: Final = {
    "markup": f"{MARK}\"'></textarea></title></script><script>evil()</script><img src=x onerror=evil()>"
    " {{ 77777777|add:3 }} [a](javascript:evil()) <svg onload=evil()>",
    "links": f"javascript:evil()//{MARK}",
    "letters": f"{MARK}\x00\u202egnp.exe\u2066\x1b[31m\u2028\u2029\ufeff\\u003cscript> <%= 77777777*3 %>"
    " \" onfocus=\"evil()\" ' onfocus='evil()'",
}
# The two sums are long enough to stand in no random id by chance.
RAW: Final = ("<script>evil", "<img src=x", "<svg onload", "</textarea></title>", "233333331", "77777780")


def said(name: str) -> Callable[[Received], str]:
    """The text by its name. A NUL cannot stand in a database, neither in the backend's nor in the copy of `me` here."""
    return lambda received: HOSTILE[name].replace("\x00", "" if received.path == "/api/me/" else "\x00")


def faults_of(response: Any) -> list[str]:
    if not is_page(response):
        return []
    body = body_of(response)
    return faults_in(response) + [raw for raw in RAW if raw in body]


@pytest.mark.parametrize("name", HOSTILE)
def test_what_the_backend_says_is_shown_and_does_not_run(name: str, world: World) -> None:
    found: dict[str, list[str]] = {}
    answers: dict[str, int] = {}
    shown = set()
    with every_text(world.fake, said(name)):
        for operation, response in crawl(world):
            found[operation] = faults_of(response)
            answers.setdefault(operation, response.status_code)
            if is_page(response) and MARK in body_of(response):
                shown.add(operation)
    assert {operation: faults for operation, faults in found.items() if faults} == {}
    # Pages that broke would show nothing, and prove nothing.
    assert {code for code in answers.values() if code >= 500} == set()
    assert len(shown) > 40, sorted(set(found) - shown)


@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_form_brings_is_shown_again_and_does_not_run(name: str, world: World) -> None:
    found = {operation: faults_of(answer) for operation, answer in post_all(world, lambda _: HOSTILE[name])}
    assert {operation: faults for operation, faults in found.items() if faults} == {}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_an_address_brings_is_shown_and_does_not_run(name: str, world: World) -> None:
    names = ("q", "cursor", "next", "from", "to", "period", "tag", "employer", "actor", "action", "tenant", "saved")
    query = dict.fromkeys((*names, "deleted", "state", "title", "entry", "open", "missed", "form"), HOSTILE[name])
    found = {operation: faults_of(answer) for operation, answer in get_with(world, query)}
    assert {operation: faults for operation, faults in found.items() if faults} == {}


@pytest.mark.parametrize("operation", ["GET reporting:download", "GET tenant:data-download", "GET tenant:audit-export"])
def test_a_file_is_saved_under_a_plain_name_and_never_shown(operation: str, world: World) -> None:
    evil = 'attachment; filename="../x.html\\"><script>evil()</script>.pdf"; filename*=UTF-8\'\'%0d%0aSet-Cookie:x.html'
    headers = {"Content-Type": "text/html", "Content-Disposition": evil}
    with undone(world.fake):
        plain = world.fake.disguise
        world.fake.disguise = lambda received, reply: (
            Reply(body=b"<script>evil()</script>", headers=headers) if is_file(received) else reply
        )
        answer = send(browser_of("staff", world), operation, world)
        world.fake.disguise = plain
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert not set("/\\\r\n<>") & set(answer.headers["Content-Disposition"])
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def is_file(received: Received) -> bool:
    return received.path.endswith(("/export/", "/download/", "export.csv"))


@pytest.mark.parametrize(
    "html",
    [
        "<script>evil()</script>",
        "<p onclick=evil()>",
        "<a href=' java\tscript:evil()'>",
        "<img src=x onerror=evil()>",
        "<p hx-on:click=evil()>",
        "<iframe src=/>",
        "<button hx-get=javascript:evil()>",
        "77777780",
    ],
)
def test_a_page_that_runs_what_it_shows_is_noticed(html: str) -> None:
    assert faults_of(HttpResponse(html)) != []
