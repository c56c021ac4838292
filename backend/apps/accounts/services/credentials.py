"""Checking who somebody is."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth import authenticate
from django.utils.crypto import constant_time_compare, salted_hmac

from apps.accounts.models import User
from apps.common.db import require_transaction
from apps.common.errors import Invalid


class BadCredentials(Invalid):
    """The same for an unknown name, a wrong password and a closed account: nobody learns which names exist."""

    code = "bad_credentials"
    message = "The username or password is not right."


@dataclass(frozen=True, slots=True)
class Proved:
    """Who showed the right password. `stamp` stands for that password and says nothing about it."""

    user_id: UUID
    stamp: str


def prove_credentials(*, username: str, password: str) -> Proved:
    """The person with this name or e-mail and password; raises BadCredentials."""
    user = authenticate(username=username, password=password)
    if not isinstance(user, User):
        raise BadCredentials
    return Proved(user_id=user.id, stamp=_stamp(user))


def _stamp(user: User) -> str:
    return salted_hmac("apps.accounts.credentials", user.password, algorithm="sha256").hexdigest()[:32]


def check_credentials(*, username: str, password: str) -> UUID:
    """The same for those who need to know no more than who it is."""
    return prove_credentials(username=username, password=password).user_id


def hold_credentials(*, proved: Proved) -> None:
    """Makes sure, until the transaction ends, that what was proved still holds; raises BadCredentials.

    Between the password and the token lie a slow hash and perhaps a second factor. Whoever changes the password or
    closes the account meanwhile ends all tokens, and must not miss one that is about to be made.
    """
    require_transaction()
    user = User.objects.select_for_update(no_key=True).filter(id=proved.user_id, is_active=True).first()
    if user is None or not constant_time_compare(_stamp(user), proved.stamp):
        raise BadCredentials
