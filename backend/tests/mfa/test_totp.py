"""Authenticator apps: a secret that is sealed, and codes that are good once."""

from datetime import timedelta
from typing import Any

import pyotp
import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.common import clock
from apps.common.errors import NotFound
from apps.mfa.models import RecoveryCode, TotpDevice
from apps.mfa.refusals import BadCode, LastFactorOfStaff
from apps.mfa.selectors import get_factors, has_second_factor
from apps.mfa.services.codes import check_code, take_code
from apps.mfa.services.sealing import SealBroken, seal, unseal
from apps.mfa.services.totp import NothingToConfirm, begin_totp, confirm_totp, remove_totp
from apps.observability.models import AuditEvent
from tests.factories.accounts import make_actor
from tests.factories.mfa import STEP, add_app, make_protected

pytestmark = pytest.mark.django_db


def test_a_secret_counts_once_its_first_code_is_shown() -> None:
    actor, now = make_actor(), clock.now()
    setup = begin_totp(user_id=actor.user_id, now=now)
    assert not has_second_factor(user_id=actor.user_id)
    codes = confirm_totp(user_id=actor.user_id, code=pyotp.TOTP(setup.secret).at(now), now=now)
    assert has_second_factor(user_id=actor.user_id)
    assert len(set(codes)) == 10


def test_the_address_for_the_app_names_product_and_person() -> None:
    actor = make_actor(username="ada")
    setup = begin_totp(user_id=actor.user_id, now=clock.now())
    assert setup.uri == f"otpauth://totp/AfterResume:ada?secret={setup.secret}&issuer=AfterResume"
    assert len(setup.secret) == 32


def test_a_wrong_first_code_changes_nothing() -> None:
    actor, now = make_actor(), clock.now()
    begin_totp(user_id=actor.user_id, now=now)
    for code in ("000000", "", "\ud800", "1234567"):
        with pytest.raises(BadCode):
            confirm_totp(user_id=actor.user_id, code=code, now=now)
    assert not has_second_factor(user_id=actor.user_id)


def test_a_secret_does_not_wait_for_ever() -> None:
    actor, now = make_actor(), clock.now()
    setup = begin_totp(user_id=actor.user_id, now=now)
    later = now + timedelta(minutes=31)
    with pytest.raises(NothingToConfirm):
        confirm_totp(user_id=actor.user_id, code=pyotp.TOTP(setup.secret).at(later), now=later)


@pytest.mark.parametrize("steps", [-2, 2])
def test_codes_of_another_time_are_refused(steps: int) -> None:
    actor, app = make_protected()
    now = clock.now()
    assert not check_code(user_id=actor.user_id, code=app.code(now + steps * STEP), now=now)


@pytest.mark.failure("A26")
def test_a_code_is_good_once_and_so_are_those_before_it() -> None:
    actor, app = make_protected()
    now = clock.now()
    assert check_code(user_id=actor.user_id, code=f" {app.code(now)[:3]} {app.code(now)[3:]}", now=now)
    assert not check_code(user_id=actor.user_id, code=app.code(now), now=now)
    assert not check_code(user_id=actor.user_id, code=app.code(now - STEP), now=now)
    assert check_code(user_id=actor.user_id, code=app.code(now + STEP), now=now)


def test_another_persons_code_is_none() -> None:
    actor, _ = make_protected()
    _, other = make_protected()
    assert not check_code(user_id=actor.user_id, code=other.code(), now=clock.now())


def test_a_new_phone_takes_the_place_of_the_old_one() -> None:
    actor, old = make_protected()
    now = clock.now()
    setup = begin_totp(user_id=actor.user_id, now=now)
    assert check_code(user_id=actor.user_id, code=old.code(now), now=now)
    assert confirm_totp(user_id=actor.user_id, code=pyotp.TOTP(setup.secret).at(now - STEP), now=now) == ()
    assert not check_code(user_id=actor.user_id, code=old.code(now + STEP), now=now)
    assert check_code(user_id=actor.user_id, code=pyotp.TOTP(setup.secret).at(now), now=now)
    assert AuditEvent.objects.filter(action="second_factor.totp_replaced").count() == 1


def test_an_app_is_removed_with_its_recovery_codes() -> None:
    actor, _ = make_protected()
    remove_totp(user_id=actor.user_id, now=clock.now())
    assert not get_factors(user_id=actor.user_id).is_on
    assert not RecoveryCode.objects.exists()
    with pytest.raises(NotFound):
        remove_totp(user_id=actor.user_id, now=clock.now())


def test_staff_keep_their_last_factor() -> None:
    actor, _ = make_protected(is_staff=True)
    with pytest.raises(LastFactorOfStaff):
        remove_totp(user_id=actor.user_id, now=clock.now())
    assert get_factors(user_id=actor.user_id).is_on
    assert RecoveryCode.objects.count() == 10


@pytest.mark.failure("A07")
def test_the_secret_does_not_lie_in_the_database_in_clear() -> None:
    actor = make_actor()
    app = add_app(actor)
    row = TotpDevice.objects.values_list().get()
    assert app.secret not in repr(row)
    assert app.secret.encode() not in repr(row).encode()


def test_a_sealed_secret_belongs_to_one_person() -> None:
    ada, eve = make_actor(), make_actor()
    sealed = seal("secret", user_id=ada.user_id)
    assert unseal(sealed, user_id=ada.user_id) == "secret"
    with pytest.raises(SealBroken):
        unseal(sealed, user_id=eve.user_id)


def test_keys_are_changed_by_putting_a_new_one_in_front() -> None:
    actor = make_actor()
    by_the_service = seal("secret", user_id=actor.user_id)
    with override_settings(MFA_SEALING_KEYS=["first" * 12]):
        by_first = seal("secret", user_id=actor.user_id)
        assert unseal(by_the_service, user_id=actor.user_id) == "secret"
    with override_settings(MFA_SEALING_KEYS=["second" * 10, "first" * 12]):
        assert unseal(by_first, user_id=actor.user_id) == "secret"
    with override_settings(MFA_SEALING_KEYS=["second" * 10]), pytest.raises(SealBroken):
        unseal(by_first, user_id=actor.user_id)


def test_all_secrets_move_to_the_first_key(capsys: Any) -> None:
    actor, app = make_protected()
    begin_totp(user_id=make_actor().user_id, now=clock.now())
    with override_settings(MFA_SEALING_KEYS=["first" * 12]):
        call_command("reseal_second_factors")
    assert "2 authenticator apps" in capsys.readouterr().out
    with override_settings(MFA_SEALING_KEYS=["first" * 12], SECRET_KEY="another-key-of-the-service-" * 3):
        assert check_code(user_id=actor.user_id, code=app.code(), now=clock.now())
    with pytest.raises(CommandError, match="no longer in MFA_SEALING_KEYS"):
        call_command("reseal_second_factors")


@pytest.mark.failure("D15")
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(code=st.text(max_size=70) | st.text("0123456789- ²٣abcdefgh", max_size=14))
def test_no_text_but_the_code_is_one(code: str) -> None:
    actor, app = make_protected()
    genuine = {app.code(), app.code(clock.now() + STEP), *app.recovery_codes}
    assert not take_code(user_id=actor.user_id, code=code, now=clock.now()) or code in genuine
