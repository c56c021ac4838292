"""Django admin for tests: a session that staff opened with password and second factor."""

from django.test import Client

from apps.accounts.models import User
from apps.api.authentication import SESSION_AUTHENTICATED_AT, SESSION_SECOND_FACTOR
from apps.common import clock
from apps.tenants.types import Actor
from tests.factories.mfa import add_app


def admin_session(actor: Actor) -> Client:
    """The actor, signed in to Django admin; they get an authenticator app for it."""
    add_app(actor)
    client = Client()
    client.force_login(User.objects.get(pk=actor.user_id))
    session = client.session
    session[SESSION_AUTHENTICATED_AT] = clock.now().isoformat()
    session[SESSION_SECOND_FACTOR] = True
    session.save()
    return client
