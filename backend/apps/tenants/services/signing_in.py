"""Signing in: from a name and a password, and a second factor if there is one, to a person in a tenant with a token."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from apps.accounts.services import credentials, tokens
from apps.accounts.services.devices import note_sign_in
from apps.mfa.refusals import BadCode, ChallengeExpired, SecondFactorRequired
from apps.mfa.selectors import has_second_factor
from apps.mfa.services.challenges import answer_challenge, start_challenge
from apps.mfa.services.codes import check_code
from apps.tenants.selectors import find_member
from apps.tenants.types import Member, SignedIn

# Between the id of a challenge and the stamp of the password that came before it.
_SEPARATOR: Final = "."


def check_member_credentials(*, username: str, password: str) -> tuple[Member, credentials.Proved]:
    """The person behind a name or e-mail and a password; raises BadCredentials. Half of a sign-in."""
    proved = credentials.prove_credentials(username=username, password=password)
    member = find_member(user_id=proved.user_id)
    if member is None:
        raise credentials.BadCredentials
    return member, proved


def sign_in(*, username: str, password: str, token_name: str, now: datetime) -> SignedIn:
    """Issues a token to the person behind a name or e-mail and a password; raises BadCredentials.

    Raises SecondFactorRequired with a challenge for those who have set up a second factor: `complete_sign_in` is next.
    The challenge is good for the password that it was asked after, and for no other.
    """
    member, proved = check_member_credentials(username=username, password=password)
    if has_second_factor(user_id=member.user_id):
        challenge = start_challenge(user_id=member.user_id, now=now)
        raise SecondFactorRequired(challenge=replace(challenge, id=f"{challenge.id}{_SEPARATOR}{proved.stamp}"))
    return _open_session(member, proved, token_name, now, has_second_factor=False)


def complete_sign_in(
    *, challenge_id: str, code: str | None, credential: Mapping[str, Any] | None, token_name: str, now: datetime
) -> SignedIn:
    """Issues a token to whoever answers the challenge.

    Raises BadCode, RateLimited, and ChallengeExpired, also when the password was changed meanwhile.
    """
    challenge_id, _, stamp = challenge_id.partition(_SEPARATOR)
    user_id = answer_challenge(challenge_id=challenge_id, code=code, credential=credential, now=now)
    member = find_member(user_id=user_id)
    if member is None:
        raise ChallengeExpired
    proved = credentials.Proved(user_id=user_id, stamp=stamp)
    try:
        return _open_session(member, proved, token_name, now, has_second_factor=True)
    except credentials.BadCredentials as error:
        raise ChallengeExpired from error


def check_sign_in(*, username: str, password: str, code: str, now: datetime) -> tuple[Member, bool]:
    """Password and code in one step, for sessions without a page between: the person, and whether a code was checked.

    Raises BadCredentials, SecondFactorRequired when the code is missing, BadCode and RateLimited.
    """
    member, _ = check_member_credentials(username=username, password=password)
    is_protected = has_second_factor(user_id=member.user_id)
    if is_protected and not code:
        raise SecondFactorRequired
    if is_protected and not check_code(user_id=member.user_id, code=code, now=now):
        raise BadCode
    note_sign_in(user_id=member.user_id, now=now)
    return member, is_protected


@transaction.atomic
def _open_session(
    member: Member, proved: credentials.Proved, token_name: str, now: datetime, *, has_second_factor: bool
) -> SignedIn:
    credentials.hold_credentials(proved=proved)
    token = tokens.issue_token(user_id=member.user_id, name=token_name, now=now, has_second_factor=has_second_factor)
    note_sign_in(user_id=member.user_id, now=now)
    return SignedIn(member=member, token=token)
