"""Recovery codes: ten, each good once, for whoever has lost the rest."""

import pytest

from apps.common import clock
from apps.mail.models import OutgoingMail
from apps.mfa.models import RecoveryCode
from apps.mfa.refusals import SecondFactorOff
from apps.mfa.selectors import count_recovery_codes
from apps.mfa.services.codes import check_code
from apps.mfa.services.recovery_codes import digest_code, make_code, renew_codes
from apps.observability.models import AuditEvent
from tests.factories.accounts import make_actor
from tests.factories.mfa import make_protected

pytestmark = pytest.mark.django_db


def test_a_code_has_120_bits_in_six_groups() -> None:
    code = make_code()
    assert [len(group) for group in code.split("-")] == [4] * 6
    assert set(code) <= set("0123456789abcdefghjkmnpqrstvwxyz-")
    assert make_code() != code


def test_each_code_is_good_once() -> None:
    actor, app = make_protected()
    for code in app.recovery_codes:
        assert check_code(user_id=actor.user_id, code=code, now=clock.now())
        assert not check_code(user_id=actor.user_id, code=code, now=clock.now())
    assert count_recovery_codes(user_id=actor.user_id) == 0


def test_a_code_can_be_typed_as_it_was_read() -> None:
    actor, app = make_protected()
    typed = app.recovery_codes[0].upper().replace("-", " ").replace("0", "O").replace("1", "l")
    assert check_code(user_id=actor.user_id, code=f"  {typed} ", now=clock.now())


@pytest.mark.parametrize("code", ["", "-", "0000-0000-0000-0000", "x" * 65, "codé", "\uff11" * 6])
def test_anything_else_is_refused(code: str) -> None:
    actor, _ = make_protected()
    assert not check_code(user_id=actor.user_id, code=code, now=clock.now())


def test_the_code_of_another_person_is_none() -> None:
    actor, _ = make_protected()
    _, other = make_protected()
    assert not check_code(user_id=actor.user_id, code=other.recovery_codes[0], now=clock.now())


def test_its_use_is_written_down_and_told_with_the_number_left() -> None:
    actor, app = make_protected()
    check_code(user_id=actor.user_id, code=app.recovery_codes[0], now=clock.now())
    assert AuditEvent.objects.get(action="second_factor.recovery_code_used").after == {"left": 9}
    mail = OutgoingMail.objects.get(kind="recovery_code_used")
    assert (mail.user_id, mail.context["left"]) == (actor.user_id, 9)


def test_new_codes_end_the_old_ones() -> None:
    actor, app = make_protected()
    fresh = renew_codes(user_id=actor.user_id, now=clock.now())
    assert not set(fresh) & set(app.recovery_codes)
    assert not check_code(user_id=actor.user_id, code=app.recovery_codes[0], now=clock.now())
    assert check_code(user_id=actor.user_id, code=fresh[0], now=clock.now())


def test_without_a_factor_there_are_no_codes() -> None:
    with pytest.raises(SecondFactorOff):
        renew_codes(user_id=make_actor().user_id, now=clock.now())


@pytest.mark.failure("A07")
def test_only_digests_are_stored() -> None:
    actor, app = make_protected()
    rows = set(RecoveryCode.objects.values_list("digest", flat=True))
    assert rows == {digest_code(code, user_id=actor.user_id) for code in app.recovery_codes}
