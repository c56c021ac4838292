"""Rules that PostgreSQL keeps, whatever the program does."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from apps.common import clock
from apps.mfa.models import Challenge, RecoveryCode, SecurityKey, TotpDevice
from apps.mfa.services.challenges import start_challenge
from apps.mfa.services.codes import check_code
from tests.factories.accounts import make_actor
from tests.factories.mfa import make_protected
from tests.mfa.authenticator import Authenticator
from tests.mfa.test_security_keys import register

pytestmark = pytest.mark.django_db


@contextmanager
def refused() -> Iterator[None]:
    with pytest.raises(DatabaseError, match=r"violates|pgtrigger: Cannot"), transaction.atomic():
        yield


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_spent_recovery_code_stays_spent() -> None:
    actor, app = make_protected()
    check_code(user_id=actor.user_id, code=app.recovery_codes[0], now=clock.now())
    with refused():
        run("UPDATE mfa_recoverycode SET used_at = NULL WHERE used_at IS NOT NULL")
    assert RecoveryCode.objects.exclude(used_at=None).count() == 1


def test_the_steps_of_an_app_go_forward() -> None:
    make_protected()
    with refused():
        run("UPDATE mfa_totpdevice SET last_used_step = last_used_step - 1")
    assert TotpDevice.objects.get().last_used_step > 0


@pytest.mark.parametrize(
    "change", ["secret = ''", "confirmed_at = NULL", "pending_secret = 'x'", "last_used_step = -1"]
)
def test_an_app_is_confirmed_or_not(change: str) -> None:
    make_protected()
    with refused():
        run(f"UPDATE mfa_totpdevice SET {change}")  # noqa: S608 - our own words


def test_a_person_has_one_app() -> None:
    actor, _ = make_protected()
    with refused():
        TotpDevice.objects.create(user_id=actor.user_id)


def test_the_counter_of_a_key_goes_forward() -> None:
    register(make_actor(), Authenticator(counter=5))
    with refused():
        run("UPDATE mfa_securitykey SET sign_count = 4")
    assert SecurityKey.objects.get().sign_count == 5


def test_a_key_is_registered_once() -> None:
    register(make_actor(), Authenticator())
    key = SecurityKey.objects.get()
    key.pk, key.user_id = make_actor().user_id, make_actor().user_id
    with refused():
        key.save(force_insert=True)


@pytest.mark.parametrize("change", ["attempts = 6", "attempts = 0", "purpose = 'x'", "expires_at = created_at"])
def test_a_challenge_gains_nothing(change: str) -> None:
    start_challenge(user_id=make_actor().user_id, now=clock.now())
    Challenge.objects.update(attempts=3)
    with refused():
        run(f"UPDATE mfa_challenge SET {change}")  # noqa: S608 - our own words


def test_an_answered_challenge_is_never_opened_again() -> None:
    start_challenge(user_id=make_actor().user_id, now=clock.now())
    Challenge.objects.update(used_at=clock.now())
    with refused():
        Challenge.objects.update(used_at=None)
    with refused():
        Challenge.objects.update(expires_at=clock.now() + timedelta(days=1))
