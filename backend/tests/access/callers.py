"""Every kind of caller, and two tenants for them to meet in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from rest_framework.test import APIClient

from apps.accounts.models import ApiToken, User
from apps.accounts.types import READ, TokenKind
from apps.common import clock
from apps.tenants.types import Actor, Role
from tests.api_client import anonymous, client_for
from tests.factories.accounts import make_actor, make_staff

# The columns of the matrix. `author` owns the tenant and everything that is asked for, and came with a second factor;
# `member` is in the same tenant, `other` owns another one. `reader` is the author's personal token that may read only.
# `staff` came with a second factor, `unproved` is staff without one. `expired` is the author's token after its time,
# `closed` a deactivated author.
CALLERS: Final = ("anonymous", "other", "member", "author", "reader", "staff", "unproved", "expired", "closed")


@dataclass(frozen=True)
class People:
    """Who there is."""

    author: Actor
    member: Actor
    other: Actor
    staff: Actor

    def call(self, caller: str) -> APIClient:
        """The client of a kind of caller, with a token that is made now."""
        makers: dict[str, Callable[[], APIClient]] = {
            "anonymous": anonymous,
            "other": lambda: client_for(self.other),
            "member": lambda: client_for(self.member),
            "author": lambda: client_for(self.author, has_second_factor=True),
            "reader": lambda: client_for(self.author, kind=TokenKind.PERSONAL, scopes=(READ,)),
            "staff": lambda: client_for(self.staff),
            "unproved": lambda: client_for(self.staff, has_second_factor=False),
            "expired": self._expired,
            "closed": self._closed,
        }
        return makers[caller]()

    def _expired(self) -> APIClient:
        client = client_for(self.author)
        ApiToken.objects.filter(user_id=self.author.user_id).update(expiry=clock.now() - timedelta(seconds=1))
        return client

    def _closed(self) -> APIClient:
        # Past the service, which would end the token: the flag alone must be enough.
        client = client_for(self.author)
        User.objects.filter(id=self.author.user_id).update(is_active=False)
        return client


def make_people() -> People:
    author = make_actor(username="author")
    return People(
        author=author,
        member=make_actor(username="member", tenant=author.tenant, role=Role.MEMBER),
        other=make_actor(username="other"),
        staff=make_staff(username="staffer"),
    )
