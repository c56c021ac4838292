"""Second factors: completing a sign-in, and setting up what completes it."""

from datetime import datetime
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.services import tokens
from apps.api.accounts.second_factor_serializers import (
    AddedKeySerializer,
    AnswerSerializer,
    CodeSerializer,
    KeyNameSerializer,
    KeySetupSerializer,
    NewKeySerializer,
    RecoveryCodesSerializer,
    SecondFactorSerializer,
    SecurityKeySerializer,
    TotpSetupSerializer,
)
from apps.api.accounts.serializers import TokenSerializer
from apps.api.anonymous import OpenView
from apps.api.authentication import SESSION_SECOND_FACTOR, get_member, get_proof
from apps.api.limits import CODE_GUESSES
from apps.api.permissions import IsFreshToChange
from apps.common import clock
from apps.mfa import selectors as factors
from apps.mfa.refusals import SecondFactorRequired
from apps.mfa.services import recovery_codes, security_keys, totp
from apps.tenants import services as tenants
from apps.tenants.types import Bearer


class TokenSecondFactorView(OpenView):
    """For those who have shown their password."""

    limits = CODE_GUESSES

    @extend_schema(request=AnswerSerializer, responses=TokenSerializer, tags=["auth"], auth=[])
    def post(self, request: Request) -> Response:
        """Answer the challenge of a sign-in, and get the token."""
        wish = AnswerSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        answer = wish.validated_data
        signed_in = tenants.complete_sign_in(
            challenge_id=answer["challenge"],
            code=answer.get("code"),
            credential=answer.get("credential"),
            token_name=answer["name"],
            now=clock.now(),
        )
        return Response(TokenSerializer(signed_in).data)


class HoldsFactor(BasePermission):
    """Who has a second factor changes it only in a session that was opened with one.

    A session from before would otherwise, with the password, be a way round the factor.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method in SAFE_METHODS or get_proof(request).has_second_factor:
            return True
        if factors.has_second_factor(user_id=_user_id(request)):
            raise SecondFactorRequired
        return True


class FactorView(APIView):
    """One's own second factors: read in any session, changed after a fresh proof of who is there."""

    permission_classes = (IsFreshToChange, HoldsFactor)


class SecondFactorView(FactorView):
    @extend_schema(responses=SecondFactorSerializer, tags=["second factor"])
    def get(self, request: Request) -> Response:
        """What the person has set up."""
        return Response(SecondFactorSerializer(factors.get_factors(user_id=_user_id(request))).data)


class TotpView(FactorView):
    @extend_schema(request=None, responses=TotpSetupSerializer, tags=["second factor"])
    def post(self, request: Request) -> Response:
        """Begin to set up an authenticator app. It counts once its first code has been confirmed."""
        return Response(TotpSetupSerializer(totp.begin_totp(user_id=_user_id(request), now=clock.now())).data)

    @extend_schema(responses={204: None}, tags=["second factor"])
    def delete(self, request: Request) -> Response:
        """Remove the authenticator app."""
        totp.remove_totp(user_id=_user_id(request), now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class TotpConfirmView(FactorView):
    @extend_schema(request=CodeSerializer, responses=RecoveryCodesSerializer, tags=["second factor"])
    def post(self, request: Request) -> Response:
        """Confirm the authenticator app. Recovery codes come with a first factor only."""
        wish = CodeSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        now = clock.now()
        codes = totp.confirm_totp(user_id=_user_id(request), code=wish.validated_data["code"], now=now)
        _upgrade_session(request, now)
        return Response(RecoveryCodesSerializer({"recovery_codes": codes}).data)


class RecoveryCodesView(FactorView):
    @extend_schema(request=None, responses=RecoveryCodesSerializer, tags=["second factor"])
    def post(self, request: Request) -> Response:
        """Make ten new recovery codes; the old ones end."""
        codes = recovery_codes.renew_codes(user_id=_user_id(request), now=clock.now())
        return Response(RecoveryCodesSerializer({"recovery_codes": codes}).data)


class KeyOptionsView(FactorView):
    @extend_schema(request=None, responses=KeySetupSerializer, tags=["second factor"])
    def post(self, request: Request) -> Response:
        """Begin to register a security key."""
        return Response(KeySetupSerializer(security_keys.begin_key(user_id=_user_id(request), now=clock.now())).data)


class KeysView(FactorView):
    @extend_schema(request=NewKeySerializer, responses={201: AddedKeySerializer}, tags=["second factor"])
    def post(self, request: Request) -> Response:
        """Register the security key that the browser has made."""
        wish = NewKeySerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        fields, now = wish.validated_data, clock.now()
        added = security_keys.add_key(
            user_id=_user_id(request),
            challenge_id=fields["challenge"],
            name=fields["name"],
            credential=fields["credential"],
            now=now,
        )
        _upgrade_session(request, now)
        answer = {**SecurityKeySerializer(added.key).data, "recovery_codes": list(added.recovery_codes)}
        return Response(answer, status=status.HTTP_201_CREATED)


class KeyView(FactorView):
    @extend_schema(request=KeyNameSerializer, responses=SecurityKeySerializer, tags=["second factor"])
    def patch(self, request: Request, key_id: UUID) -> Response:
        """Call a security key something else."""
        wish = KeyNameSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        name = wish.validated_data["name"]
        key = security_keys.rename_key(user_id=_user_id(request), key_id=key_id, name=name, now=clock.now())
        return Response(SecurityKeySerializer(key).data)

    @extend_schema(responses={204: None}, tags=["second factor"])
    def delete(self, request: Request, key_id: UUID) -> Response:
        """Remove a security key."""
        security_keys.remove_key(user_id=_user_id(request), key_id=key_id, now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


def _user_id(request: Request) -> UUID:
    return get_member(request).user_id


def _upgrade_session(request: Request, now: datetime) -> None:
    """Who has just shown a new factor has shown a second factor."""
    if isinstance(request.auth, Bearer):
        tokens.mark_second_factor(public_id=request.auth.token_id, now=now)
    else:
        request._request.session[SESSION_SECOND_FACTOR] = True  # noqa: SLF001
