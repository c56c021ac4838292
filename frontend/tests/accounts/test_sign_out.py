from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from apps.accounts import services
from apps.accounts.models import PendingRevocation
from apps.accounts.sealing import seal
from tests.fakes.backend import FakeBackend
from tests.fakes.server import Reply

pytestmark = pytest.mark.django_db
LOGOUT = "/api/auth/logout/"


def queue(token: str) -> None:
    PendingRevocation.objects.create(sealed_token=seal(token), queued_at=datetime.now(UTC))


def test_logging_out_asks_first_and_then_revokes(signed_in: Client, fake_backend: FakeBackend) -> None:
    assert b"Log out?" in signed_in.get("/accounts/logout/").content
    assert fake_backend.tokens
    response = signed_in.post("/accounts/logout/")
    assert (response["Location"], fake_backend.tokens) == ("/accounts/login/", {})
    assert signed_in.get("/profile/").status_code == 302


def test_the_browser_is_told_to_forget_what_it_was_shown(signed_in: Client) -> None:
    assert "Clear-Site-Data" not in signed_in.get("/accounts/logout/").headers
    assert signed_in.post("/accounts/logout/")["Clear-Site-Data"] == '"cache"'


def test_the_sign_in_page_confirms_the_log_out(signed_in: Client) -> None:
    assert b"You are logged out." in signed_in.post("/accounts/logout/", follow=True).content


def test_without_the_backend_the_session_ends_and_the_revocation_waits(
    signed_in: Client, fake_backend: FakeBackend
) -> None:
    token = signed_in.session["backend_token"]
    fake_backend.stop()
    assert signed_in.post("/accounts/logout/").status_code == 302
    assert signed_in.get("/profile/").status_code == 302
    assert token not in PendingRevocation.objects.get().sealed_token


def test_the_next_sign_in_sends_what_waits(signed_in: Client, fake_backend: FakeBackend) -> None:
    token = signed_in.session["backend_token"]
    fake_backend.stop()
    signed_in.post("/accounts/logout/")
    fake_backend.start()
    signed_in.post("/accounts/login/", {"login": "ada", "password": "correct horse"})
    assert token not in fake_backend.tokens
    assert not PendingRevocation.objects.exists()


def test_a_dead_token_needs_no_revocation(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.tokens.clear()
    signed_in.post("/accounts/logout/")
    assert not PendingRevocation.objects.exists()


def test_a_session_that_lost_its_token_can_be_left(signed_in: Client, fake_backend: FakeBackend) -> None:
    session = signed_in.session
    del session["backend_token"]
    session.save()
    assert signed_in.post("/accounts/logout/")["Location"] == "/accounts/login/"
    assert fake_backend.received == []


def test_the_command_sends_all_and_counts(fake_backend: FakeBackend) -> None:
    for _ in range(3):
        queue(fake_backend.issue_token())
    output = StringIO()
    call_command("revoke_pending", stdout=output)
    assert (output.getvalue(), fake_backend.tokens) == ("3 revoked, 0 still waiting\n", {})


def test_a_missing_backend_is_asked_once_and_counted(fake_backend: FakeBackend) -> None:
    queue("ar_one")
    queue("ar_two")
    fake_backend.stop()
    assert services.revoke_pending() == 0
    assert [pending.attempts for pending in PendingRevocation.objects.all()] == [1, 0]


def test_what_cannot_be_unsealed_is_dropped(fake_backend: FakeBackend) -> None:
    PendingRevocation.objects.create(sealed_token="sealed under another secret", queued_at=datetime.now(UTC))
    assert services.revoke_pending() == 1
    assert fake_backend.received == []


def test_a_refusal_leaves_the_revocation_for_later(fake_backend: FakeBackend) -> None:
    queue(fake_backend.issue_token())
    fake_backend.answer_with("POST", LOGOUT, Reply(status=503), times=1)
    services.revoke_pending()
    assert "Revocation queued" in str(PendingRevocation.objects.get())
