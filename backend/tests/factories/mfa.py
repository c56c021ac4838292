"""People with second factors, and an authenticator app."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pyotp

from apps.common import clock
from apps.mfa.services.totp import begin_totp, confirm_totp
from apps.tenants.types import Actor
from tests.factories.accounts import make_actor

STEP = timedelta(seconds=30)


@dataclass(frozen=True)
class App:
    """An authenticator app that is set up, and the recovery codes that came with it."""

    user_id: UUID
    secret: str
    recovery_codes: Sequence[str]

    def code(self, now: datetime | None = None) -> str:
        """The code that the app shows at `now`."""
        return pyotp.TOTP(self.secret).at(now or clock.now())


def add_app(actor: Actor, *, now: datetime | None = None) -> App:
    """An authenticator app for the person. The codes of `now` and of the next half minute are still good."""
    moment = now or clock.now()
    setup = begin_totp(user_id=actor.user_id, now=moment)
    codes = confirm_totp(user_id=actor.user_id, code=pyotp.TOTP(setup.secret).at(moment - STEP), now=moment)
    return App(user_id=actor.user_id, secret=setup.secret, recovery_codes=codes)


def make_protected(*, username: str = "", is_staff: bool = False) -> tuple[Actor, App]:
    """A person who signs in with an authenticator app."""
    actor = make_actor(username=username, is_staff=is_staff)
    return actor, add_app(actor)
