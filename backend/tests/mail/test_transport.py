"""What the other side's answer means, and how mail settings are read."""

import smtplib
from typing import Any

import pytest
from anymail.exceptions import AnymailAPIError, AnymailInvalidAddress, AnymailRecipientsRefused
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import BadHeaderError
from django.db import transaction

from apps.common.ids import uuid7
from apps.mail.rendering import RenderedMail
from apps.mail.transport import NotSent, Refused, Transport, Unreachable, classify_error, describe_error
from config.mail import MailTransport, check_sender, read_transport

NAMES = ("EMAIL_URL", "EMAIL_HOST", "EMAIL_PORT", "EMAIL_PROVIDER", "EMAIL_PROVIDER_KEY", "EMAIL_PROVIDER_OPTIONS")
SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (smtplib.SMTPRecipientsRefused({"a@x.org": (550, b"no")}), Refused),
        (smtplib.SMTPRecipientsRefused({"a@x.org": (450, b"later")}), NotSent),
        (smtplib.SMTPDataError(554, b"spam"), Refused),
        (smtplib.SMTPDataError(451, b"later"), NotSent),
        (smtplib.SMTPSenderRefused(553, b"not yours", "b@x.org"), Refused),
        (smtplib.SMTPAuthenticationError(535, b"who?"), Unreachable),
        (smtplib.SMTPServerDisconnected("gone"), Unreachable),
        (ConnectionResetError(), Unreachable),
        (TimeoutError(), Unreachable),
        (AnymailRecipientsRefused(), Refused),
        (AnymailInvalidAddress(), Refused),
        (AnymailAPIError(status_code=422, response=None), Refused),
        (AnymailAPIError(status_code=401, response=None), Unreachable),
        (AnymailAPIError(status_code=429, response=None), NotSent),
        (AnymailAPIError(status_code=503, response=None), NotSent),
        (AnymailAPIError(), Unreachable),
        (BadHeaderError(), Refused),
        (ZeroDivisionError(), NotSent),
    ],
    ids=repr,
)
def test_only_a_mail_that_will_never_be_taken_is_given_up(error: Exception, meaning: type[NotSent]) -> None:
    assert classify_error(error) is meaning


@pytest.mark.parametrize(
    "error",
    [
        smtplib.SMTPRecipientsRefused({"ada@example.org": (550, b"<ada@example.org>: nobody; ask bob@example.org")}),
        smtplib.SMTPDataError(554, b"from ada@example.org\nto ADA@EXAMPLE.ORG"),
        AnymailAPIError("payload with ada@example.org", status_code=400),
        ValueError("ada@example.org"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_names_nobody(error: Exception) -> None:
    text = describe_error(error, to="ada@example.org")
    assert text.startswith(type(error).__name__)
    assert "@" not in text
    assert "\n" not in text


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_inside_a_transaction() -> None:
    with Transport() as transport, transaction.atomic(), pytest.raises(transaction.TransactionManagementError):
        transport.send(mail_id=uuid7(), to="a@example.org", mail=RenderedMail(subject="", text="", html=""))


def read(monkeypatch: pytest.MonkeyPatch, **values: str) -> MailTransport:
    for name in NAMES:
        monkeypatch.setenv(name, values.get(name, ""))
    return read_transport()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, {"is_configured": False}),
        ({"EMAIL_URL": "console://"}, {"is_configured": False}),
        ({"EMAIL_URL": "smtp://127.0.0.1:8125"}, {"backend": SMTP, "host": "127.0.0.1", "port": 8125, "user": ""}),
        (
            {"EMAIL_URL": "smtp+tls://a%40b:p%2Fw@mail.example.org"},
            {"user": "a@b", "password": "p/w", "port": 587, "starts_tls": True, "is_tls": False},
        ),
        ({"EMAIL_URL": "smtps://a:b@mail.example.org"}, {"port": 465, "starts_tls": False, "is_tls": True}),
        ({"EMAIL_HOST": "mail", "EMAIL_PORT": "26"}, {"backend": SMTP, "host": "mail", "port": 26}),
        (
            {
                "EMAIL_PROVIDER": "mailgun",
                "EMAIL_PROVIDER_KEY": "k",
                "EMAIL_PROVIDER_OPTIONS": "MAILGUN_SENDER_DOMAIN=mg.x",
            },
            {
                "backend": "anymail.backends.mailgun.EmailBackend",
                "anymail": {"REQUESTS_TIMEOUT": 10, "MAILGUN_API_KEY": "k", "MAILGUN_SENDER_DOMAIN": "mg.x"},
            },
        ),
        ({"EMAIL_PROVIDER": "amazon_ses"}, {"is_configured": True, "anymail": {"REQUESTS_TIMEOUT": 10}}),
    ],
)
def test_the_way_out_is_read_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], expected: dict[str, Any]
) -> None:
    found = read(monkeypatch, **values)
    assert {name: getattr(found, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("EMAIL_URL", {"EMAIL_URL": "https://hunter2"}),
        ("EMAIL_URL", {"EMAIL_URL": "smtp://"}),
        ("EMAIL_URL", {"EMAIL_URL": "smtp://host:hunter2"}),
        ("EMAIL_URL", {"EMAIL_URL": "smtp://user:hunter2@mail.example.org"}),
        ("EMAIL_PROVIDER", {"EMAIL_PROVIDER": "hunter2"}),
        ("EMAIL_PROVIDER_KEY", {"EMAIL_PROVIDER": "postmark"}),
        (
            "EMAIL_PROVIDER_OPTIONS",
            {"EMAIL_PROVIDER": "postmark", "EMAIL_PROVIDER_KEY": "hunter2", "EMAIL_PROVIDER_OPTIONS": "hunter2"},
        ),
    ],
)
def test_settings_that_cannot_work_are_named_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, values: dict[str, str]
) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^{name} ") as caught:
        read(monkeypatch, **values)
    assert "hunter2" not in str(caught.value)


def test_a_sender_needs_an_address() -> None:
    assert check_sender("AfterResume <a@example.org>") == "AfterResume <a@example.org>"
    with pytest.raises(ImproperlyConfigured, match="DEFAULT_FROM_EMAIL"):
        check_sender("AfterResume")


@pytest.mark.parametrize("provider", ["brevo", "mailersend", "mailgun", "mailjet", "mailtrap", "mandrill", "postal"])
def test_passwords_and_keys_are_not_shown_by_accident(monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    found = read(monkeypatch, EMAIL_PROVIDER=provider, EMAIL_PROVIDER_KEY="hunter2")
    assert "hunter2" not in repr(found)
