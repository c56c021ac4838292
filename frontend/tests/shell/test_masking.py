"""Links from mails carry secrets; the log must not."""

import logging

import pytest
from django.test import Client

from apps.shell.masking import mask_addresses


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("GET /accounts/password/reset/MjQ/abc-secret/", "GET /accounts/password/reset/..."),
        ("GET /accounts/email/verify/key-secret/?x=1", "GET /accounts/email/verify/...?x=1"),
        ("GET /erasure-certificates/abc-secret/certificate.json", "GET /erasure-certificates/...certificate.json"),
        ("GET /accounts/password/reset/sent/", "GET /accounts/password/reset/sent/"),
        ("GET /worklog/", "GET /worklog/"),
    ],
)
def test_the_secret_part_becomes_dots(text: str, masked: str) -> None:
    assert mask_addresses(None, "info", {"request": text, "number": 1}) == {"request": masked, "number": 1}


@pytest.mark.failure("A17")
@pytest.mark.parametrize(
    "path", ["/accounts/password/reset/good-uid/abc-secret/", "/accounts/email/verify/abc-secret/"]
)
def test_opening_a_link_writes_its_secret_to_no_log(
    path: str, client: Client, caplog: pytest.LogCaptureFixture, db: None
) -> None:
    caplog.set_level(logging.DEBUG)
    client.get(path)
    assert "request_started" in caplog.text
    assert "abc-secret" not in caplog.text
