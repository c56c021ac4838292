"""The commands at the terminal."""

import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.mail.models import OutgoingMail
from apps.mail.registry import list_kinds
from devstack.net import free_port
from tests.mail.mailserver import mail_goes_to, serving_mail
from tests.mail.samples import KIND, queue

pytestmark = pytest.mark.django_db


def test_due_mails_can_be_sent_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    queue()
    with serving_mail() as server:
        call_command("send_mails")
    assert len(server.mails) == 1
    assert capsys.readouterr().out == "1 sent, 0 to be tried again, 0 failed, 0 dropped\n"


def test_a_test_mail_tells_what_the_server_said(capsys: pytest.CaptureFixture[str]) -> None:
    with serving_mail() as server:
        call_command("send_test_mail", "ada@example.org")
    assert str(server.mails[0]["Message-ID"]) in capsys.readouterr().out
    with mail_goes_to(free_port()), pytest.raises(CommandError, match="Connection refused"):
        call_command("send_test_mail", "ada@example.org")
    assert not OutgoingMail.objects.exists()


def test_designers_get_every_kind_as_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.mail.registry._kinds", {k.kind: k for k in list_kinds() if k.kind != KIND})
    call_command("preview_mails", str(tmp_path), verbosity=0)
    names = set(re.findall(r'href="([^"]+)"', (tmp_path / "index.html").read_text()))
    assert names == {f"{kind.kind}.{ending}" for kind in list_kinds() for ending in ("html", "txt")}
    assert all((tmp_path / name).stat().st_size > 150 for name in names)
