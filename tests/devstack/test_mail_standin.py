"""The mail stand-in, reached by SMTP and by HTTP."""

import os
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest

from devstack.config import ROOT, load
from devstack.credentials import load_or_generate
from devstack.environment import backend_environment
from devstack.net import LOOPBACK, free_port
from devstack.standins.mail.mailbox import Mailbox
from devstack.standins.mail.pages import make_application
from devstack.standins.mail.smtp import make_smtp_server
from devstack.standins.web import serving


@dataclass
class MailServer:
    url: str
    smtp_port: int
    folder: Path

    def send(
        self, *, to: str = "ada@example.com", subject: str = "Hello", text: str = "Text with ü.\n", html: str = ""
    ) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "app@example.com", to, subject
        message.set_content(text)
        if html:
            message.add_alternative(html, subtype="html")
        with smtplib.SMTP(LOOPBACK, self.smtp_port, timeout=5) as connection:
            connection.send_message(message)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MailServer]:
    mailbox, port = Mailbox(tmp_path, max_mails=3), free_port()
    smtp = make_smtp_server(mailbox, port=port)
    smtp.start()
    with serving(make_application(mailbox)) as url:
        yield MailServer(url=url, smtp_port=port, folder=tmp_path)
    smtp.stop()


def messages(server: MailServer, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{server.url}/messages.json", params=query).json()["messages"]
    return found


def test_a_mail_is_listed_with_its_bodies(server: MailServer) -> None:
    server.send(subject="Grüße", html="<b>bold</b>")
    (mail,) = messages(server)
    assert (mail["subject"], mail["text"], mail["html"]) == ("Grüße", "Text with ü.\n", "<b>bold</b>\n")
    assert (mail["sender"], mail["recipients"]) == ("app@example.com", ["ada@example.com"])


def test_mails_are_found_by_recipient_newest_first(server: MailServer) -> None:
    for to, subject in (("a@x.org", "1"), ("b@x.org", "2"), ("a@x.org", "3")):
        server.send(to=to, subject=subject)
    assert [mail["subject"] for mail in messages(server, to="a@x.org")] == ["3", "1"]


def test_the_product_sends_to_it_with_the_settings_that_the_stack_gives(server: MailServer, tmp_path: Path) -> None:
    given = {
        "DATA_DIR": str(tmp_path / "data"),
        "MAIL_STANDIN_SMTP_PORT": str(server.smtp_port),
        "PATH": os.environ["PATH"],
    }
    config = load(environ=given, reads_dotenv=False)
    config.make_folders()
    environ = backend_environment(config, load_or_generate(config))
    command = [sys.executable, "-W", "ignore", "manage.py", "send_test_mail", "ada@example.com"]
    subprocess.run(command, cwd=ROOT / "backend", env=environ, check=True, timeout=60)
    (mail,) = messages(server)
    assert mail["recipients"] == ["ada@example.com"]
    assert f"{config.url('frontend')}/" in mail["text"]
    assert f"{config.url('frontend')}/" in mail["html"]


def test_a_restart_loses_nothing(server: MailServer) -> None:
    server.send(subject="kept")
    assert [mail.subject for mail in Mailbox(server.folder).list_mails()] == ["kept"]


def test_the_oldest_mail_makes_room(server: MailServer) -> None:
    for number in range(5):
        server.send(subject=str(number))
    assert [mail["subject"] for mail in messages(server)] == ["4", "3", "2"]
    assert len(list(server.folder.iterdir())) == 6


def test_the_pages_show_a_mail_without_trusting_it(server: MailServer) -> None:
    server.send(subject="<script>alert(1)</script>", html="<script>alert(2)</script>")
    mail_id = messages(server)[0]["id"]
    overview, page = httpx.get(server.url).text, httpx.get(f"{server.url}/messages/{mail_id}").text
    body = httpx.get(f"{server.url}/messages/{mail_id}/html")
    assert "<script>" not in overview + page
    assert "iframe sandbox" in page
    assert body.headers["content-security-policy"].startswith("sandbox allow-popups allow-popups-to-escape-sandbox; ")
    assert "allow-scripts" not in page + body.headers["content-security-policy"]


def test_links_of_a_mail_can_be_followed(server: MailServer) -> None:
    server.send(text="See https://app.example.org/a/?b=1&c=<2>.\n", html="<a href='https://app.example.org/'>See</a>")
    mail_id = messages(server)[0]["id"]
    page = httpx.get(f"{server.url}/messages/{mail_id}").text
    assert "<a href='https://app.example.org/a/?b=1&amp;c=' target='_blank' rel='noopener'>" in page
    assert "&lt;2&gt;." in page
    assert "<base target='_blank'>" in httpx.get(f"{server.url}/messages/{mail_id}/html").text


def test_the_first_word_of_a_page_stays_the_first(server: MailServer) -> None:
    server.send(html="<!doctype html><html><head><title>T</title></head></html>")
    body = httpx.get(f"{server.url}/messages/{messages(server)[0]['id']}/html").text
    assert body.startswith("<!doctype html><html><head><base target='_blank'>")


def test_a_mail_can_be_read_as_it_came(server: MailServer) -> None:
    server.send()
    mail_id = messages(server)[0]["id"]
    assert httpx.get(f"{server.url}/messages/{mail_id}/raw").text.startswith("From: app@example.com")
    assert httpx.get(f"{server.url}/messages/{mail_id}.json").json()["subject"] == "Hello"


def test_one_or_all_mails_can_be_deleted(server: MailServer) -> None:
    for _ in range(3):
        server.send()
    httpx.delete(f"{server.url}/messages/{messages(server)[0]['id']}")
    assert len(messages(server)) == 2
    httpx.delete(f"{server.url}/messages.json")
    assert messages(server) == []


@pytest.mark.parametrize("path", ["messages/nothing", "messages/..%2f..%2fetc%2fpasswd", "elsewhere"])
def test_what_is_not_there_is_404(server: MailServer, path: str) -> None:
    assert httpx.get(f"{server.url}/{path}").status_code == 404
