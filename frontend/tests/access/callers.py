"""Every kind of caller: whose browser it is, and what is the matter with it."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.test import Client

from tests.access.world import OWNER, STAFF, World
from tests.fakes.backend import FakeBackend

# The columns of the matrices. `owner` owns the tenant and everything that is asked for, `member` is in the same tenant
# and `other` in another one, for whom the backend has none of it. `staff` came with a second factor, `unproved` is
# staff without one. `stale` is the owner whose last proof of identity is too old, `ended` the owner with a token that
# the backend does not know any more, `closed` the owner with a deactivated account. `forged` is a request in the
# owner's browser that another site has made: without the CSRF token.
CALLERS: Final = (
    *("anonymous", "other", "member", "owner", "staff", "unproved"),
    *("stale", "ended", "closed", "forged"),
)


def _become_member(fake: FakeBackend) -> None:
    fake.is_owner = False
    fake.users[OWNER]["role"] = fake.profiles[OWNER]["role"] = "member"


def _become_other(fake: FakeBackend) -> None:
    fake.factors[OWNER]["security_keys"].clear()
    for things in (fake.entries, fake.versions, fake.jobs, fake.reports, fake.members, fake.invitations, fake.grants):
        things.clear()
    for things in (fake.usage, fake.payments, fake.documents, fake.ledger):
        things.clear()
    for things in (fake.exports, fake.personal_tokens, fake.sessions):
        things.clear()


def _lose_factor(fake: FakeBackend) -> None:
    fake.has_no_factor = True


def _grow_stale(fake: FakeBackend) -> None:
    fake.is_stale = True


_CHANGES: Final[dict[str, Callable[[FakeBackend], object]]] = {
    "other": _become_other,
    "member": _become_member,
    "unproved": _lose_factor,
    "stale": _grow_stale,
    "ended": lambda fake: fake.tokens.clear(),
    "closed": lambda fake: fake.closed.add(OWNER),
}


def browser_of(caller: str, world: World) -> Client:
    """The caller's browser; what is the matter with the caller is so from now on."""
    if caller in _CHANGES:
        _CHANGES[caller](world.fake)
    browser = Client(enforce_csrf_checks=caller == "forged")
    if caller != "anonymous":
        person = STAFF if caller in {"staff", "unproved"} else OWNER
        browser.cookies[settings.SESSION_COOKIE_NAME] = world.sessions[person]
    return browser
