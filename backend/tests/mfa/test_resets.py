"""Taking factors away from somebody who has lost them."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import ApiToken
from apps.accounts.services.tokens import issue_token
from apps.common import clock
from apps.common.errors import NotFound
from apps.common.ids import uuid7
from apps.mail.models import OutgoingMail
from apps.mfa.models import Challenge, RecoveryCode, TotpDevice
from apps.mfa.selectors import get_factors, has_second_factor
from apps.mfa.services.challenges import start_challenge
from apps.mfa.services.resets import reset_factors
from apps.observability.models import AuditEvent
from tests.factories.accounts import make_actor, make_staff
from tests.factories.mfa import make_protected

pytestmark = pytest.mark.django_db


def test_a_reset_takes_everything_away_and_ends_every_session() -> None:
    boss, (actor, _) = make_staff(), make_protected()
    issue_token(user_id=actor.user_id, name="phone", now=clock.now())
    start_challenge(user_id=actor.user_id, now=clock.now())
    assert reset_factors(actor=boss.user_id, user_id=actor.user_id, reason="Lost phone", now=clock.now())
    assert not has_second_factor(user_id=actor.user_id)
    for model in (TotpDevice, RecoveryCode, Challenge):
        assert not model.objects.exists()
    assert not ApiToken.objects.filter(user_id=actor.user_id).exists()


def test_a_reset_is_written_down_and_told() -> None:
    boss, (actor, _) = make_staff(), make_protected()
    reset_factors(actor=boss.user_id, user_id=actor.user_id, reason="Lost phone", now=clock.now())
    row = AuditEvent.objects.get(action="second_factor.reset")
    assert (row.actor_id, row.target_id, row.reason) == (boss.user_id, str(actor.user_id), "Lost phone")
    assert row.before == {"totp": True, "security_keys": 0, "recovery_codes_left": 10}
    assert OutgoingMail.objects.get(kind="second_factor_removed").context["is_reset"] is True


def test_staff_can_lose_their_last_factor_to_a_reset() -> None:
    actor, _ = make_protected(is_staff=True)
    assert reset_factors(actor=None, user_id=actor.user_id, reason="Lost phone", now=clock.now())
    assert not get_factors(user_id=actor.user_id).is_on


def test_where_there_is_nothing_nothing_is_written_down() -> None:
    actor = make_actor()
    assert not reset_factors(actor=None, user_id=actor.user_id, reason="", now=clock.now())
    assert not AuditEvent.objects.filter(action="second_factor.reset").exists()
    with pytest.raises(NotFound):
        reset_factors(actor=None, user_id=uuid7(), reason="", now=clock.now())


def test_a_locked_out_admin_is_helped_from_the_command_line(capsys: Any) -> None:
    actor, _ = make_protected(username="boss", is_staff=True)
    call_command("reset_second_factor", "BOSS", reason="Lost phone")
    assert "boss has no second factor any more" in capsys.readouterr().out
    assert not has_second_factor(user_id=actor.user_id)
    row = AuditEvent.objects.get(action="second_factor.reset")
    assert (row.actor_id, row.origin) == (None, "command")
    call_command("reset_second_factor", "boss", reason="Lost phone")
    assert "nothing changed" in capsys.readouterr().out


@pytest.mark.parametrize(("username", "reason"), [("nobody", "Lost phone"), ("boss", "  ")])
def test_the_command_wants_a_person_and_a_reason(username: str, reason: str) -> None:
    make_protected(username="boss")
    with pytest.raises(CommandError):
        call_command("reset_second_factor", username, reason=reason)
