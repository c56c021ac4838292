"""Signing in: from a name and a password to a person in a tenant with a token."""

from datetime import datetime

from apps.accounts.services import credentials, tokens
from apps.tenants.selectors import find_member
from apps.tenants.types import Member, SignedIn


def check_member_credentials(*, username: str, password: str) -> Member:
    """The person behind a name or e-mail and a password; raises BadCredentials."""
    member = find_member(user_id=credentials.check_credentials(username=username, password=password))
    if member is None:
        raise credentials.BadCredentials
    return member


def sign_in(*, username: str, password: str, token_name: str, now: datetime) -> SignedIn:
    """Issues a token to the person behind a name or e-mail and a password; raises BadCredentials."""
    member = check_member_credentials(username=username, password=password)
    token = tokens.issue_token(user_id=member.user_id, name=token_name, now=now)
    return SignedIn(member=member, token=token)
