"""What a mailed link opens must not be open to readers of the log."""

import logging

import pytest
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db


@pytest.mark.failure("T16")
def test_the_secret_of_a_certificate_is_written_to_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    APIClient().get("/api/erasure-certificates/abc-secret/")
    assert "/api/erasure-certificates/..." in caplog.text
    assert "abc-secret" not in caplog.text
