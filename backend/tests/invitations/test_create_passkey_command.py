"""`manage.py create_passkey`."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.common import clock
from apps.invitations.models import InvitePasskey
from apps.invitations.services import digest_passkey

pytestmark = pytest.mark.django_db


def run(**options: Any) -> str:
    out = StringIO()
    call_command("create_passkey", stdout=out, **options)
    return out.getvalue()


def test_raw_prints_the_key_and_nothing_else() -> None:
    raw = run(raw=True).strip()
    assert InvitePasskey.objects.get().digest == digest_passkey(raw)


def test_the_terms_are_those_of_the_options() -> None:
    text = run(note="for Ada", promo_credit="5.00", expires_days=7, bound_email="ada@example.org")
    key = InvitePasskey.objects.get()
    assert (key.note, key.promo_credit_micros, key.bound_email) == ("for Ada", 5_000_000, "ada@example.org")
    assert key.expires_at is not None
    assert timedelta(days=6, hours=23) < key.expires_at - clock.now() <= timedelta(days=7)
    assert "Credit: $5.00; good until 2" in text


def test_without_options_a_key_has_no_credit_and_no_end() -> None:
    assert "Credit: $0.00; good until used or revoked" in run()


@pytest.mark.parametrize(
    "options",
    [
        {"promo_credit": "five"},
        {"promo_credit": "NaN"},
        {"promo_credit": "Infinity"},
        {"promo_credit": "0.0000001"},
        {"promo_credit": "-1"},
        {"expires_days": 0},
        {"expires_days": 10**9},
        {"bound_email": "nobody"},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(CommandError):
        run(**options)
    assert not InvitePasskey.objects.exists()
