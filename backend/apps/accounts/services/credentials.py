"""Checking who somebody is."""

from uuid import UUID

from django.contrib.auth import authenticate

from apps.common.errors import Invalid


class BadCredentials(Invalid):
    """The same for an unknown name, a wrong password and a closed account: nobody learns which names exist."""

    code = "bad_credentials"
    message = "The username or password is not right."


def check_credentials(*, username: str, password: str) -> UUID:
    """The person with this name or e-mail and password; raises BadCredentials."""
    user = authenticate(username=username, password=password)
    if user is None:
        raise BadCredentials
    return UUID(str(user.pk))
