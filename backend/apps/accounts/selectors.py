"""Reading people."""

from uuid import UUID

from apps.accounts.models import User
from apps.accounts.services.users import view_user
from apps.accounts.types import UserView
from apps.common.errors import NotFound


def find_user(*, username: str) -> UserView | None:
    """The person with this user name, whatever its case, or None."""
    user = User.objects.filter(username__iexact=username).first()
    return None if user is None else view_user(user)


def get_user(*, user_id: UUID) -> UserView:
    """The person with this id; raises NotFound."""
    user = User.objects.filter(id=user_id).first()
    if user is None:
        raise NotFound
    return view_user(user)


def is_active(*, user_id: UUID) -> bool:
    """Whether this is a person whose account is open."""
    return User.objects.filter(id=user_id, is_active=True).exists()
