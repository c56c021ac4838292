"""Reading people."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from apps.accounts.models import ApiToken, User
from apps.accounts.services.devices import name_device
from apps.accounts.services.tokens import is_idle
from apps.accounts.services.users import view_user
from apps.accounts.types import PersonalTokenView, SessionView, TokenKind, UserView
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


def match_folded(*, field: str, value: str) -> Exact:
    """Compares without regard to case, by the same folding as the unique keys of the table, which can so be used."""
    return Exact(Lower(field), Lower(Value(value)))


def find_owner(*, email: str) -> User | None:
    """Whose address this is, whatever its case, or None. A pending address is nobody's yet."""
    return User.objects.filter(match_folded(field="email", value=email)).first()


def find_open_account(*, email: str) -> User | None:
    """The same for accounts that are not closed."""
    return User.objects.filter(match_folded(field="email", value=email.strip()), is_active=True).first()


def list_sessions(*, user_id: UUID, now: datetime) -> list[SessionView]:
    """Where the person is signed in, latest sign-in first."""
    return [
        SessionView(
            id=token.public_id,
            name=token.name,
            created_at=token.created,
            last_used_at=token.last_used_at,
            expires_at=token.expiry,
            address=token.address,
            device=name_device(token.user_agent),
            has_second_factor=token.second_factor_at is not None,
        )
        for token in _list_live(user_id, TokenKind.SESSION, now)
        if not is_idle(last_used_at=token.last_used_at, now=now)
    ]


def list_personal_tokens(*, user_id: UUID, now: datetime) -> list[PersonalTokenView]:
    """The tokens that the person made for their programs, newest first."""
    return [view_personal_token(token) for token in _list_live(user_id, TokenKind.PERSONAL, now)]


def _list_live(user_id: UUID, kind: TokenKind, now: datetime) -> QuerySet[ApiToken]:
    tokens: QuerySet[ApiToken] = ApiToken.objects.filter(user_id=user_id, kind=kind, expiry__gt=now)
    return tokens.order_by("-created", "public_id")


def view_personal_token(token: ApiToken) -> PersonalTokenView:
    """The token as its owner sees it."""
    return PersonalTokenView(
        id=token.public_id,
        name=token.name,
        prefix=token.token_key,
        scopes=tuple(token.scopes),
        created_at=token.created,
        expires_at=token.expiry,
        last_used_at=token.last_used_at,
    )
