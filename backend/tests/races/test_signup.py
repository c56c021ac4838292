"""Ten people, one invite passkey."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.billing.models import ReserveLedgerEntry
from apps.common import clock
from apps.invitations.services import create_passkey
from tests.api_client import anonymous
from tests.factories.accounts import PASSWORD

CONTENDERS = 10


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.failure("A18")
def test_of_ten_who_sign_up_with_one_key_one_comes_in() -> None:
    _, raw = create_passkey(actor=None, promo_credit_micros=1_000_000, now=clock.now())
    barrier = Barrier(CONTENDERS)

    def sign_up(number: int) -> tuple[int, str]:
        body = {
            "username": f"racer{number}",
            "email": f"racer{number}@example.org",
            "password": PASSWORD,
            "passkey": raw,
        }
        try:
            barrier.wait(timeout=20)
            response = anonymous().post("/api/auth/signup/", body)
            return response.status_code, response.json().get("code", "")
        finally:
            connection.close()

    with ThreadPoolExecutor(CONTENDERS) as pool:
        answers = Counter(pool.map(sign_up, range(CONTENDERS)))
    assert answers == {(201, ""): 1, (400, "passkey_used"): CONTENDERS - 1}
    assert User.objects.count() == 1
    assert ReserveLedgerEntry.objects.count() == 1
