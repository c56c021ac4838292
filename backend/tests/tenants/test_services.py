"""Members: signing in and editing a profile."""

import pytest

from apps.accounts.services.credentials import BadCredentials
from apps.common import clock
from apps.common.errors import Invalid, NotFound
from apps.common.ids import uuid7
from apps.common.tenancy import TenantId
from apps.tenants import selectors, services
from tests.factories.accounts import PASSWORD, make_actor

pytestmark = pytest.mark.django_db


def test_signing_in_gives_the_member_and_a_token() -> None:
    actor = make_actor(username="ada")
    signed_in = services.sign_in(username="ada", password=PASSWORD, token_name="API", now=clock.now())
    assert signed_in.member.as_actor() == actor
    bearer = selectors.find_bearer(key=signed_in.token.key, now=clock.now())
    assert bearer is not None
    assert bearer.token_id == signed_in.token.public_id
