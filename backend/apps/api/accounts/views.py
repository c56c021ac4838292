"""Coming in, going out, and one's own profile."""

from django.contrib.auth import get_user_model, login, logout
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.services import tokens
from apps.api.accounts.second_factor_serializers import SecondFactorRequiredSerializer
from apps.api.accounts.serializers import (
    EditMeSerializer,
    LoginRequestSerializer,
    LoginSerializer,
    MeSerializer,
    SignUpRequestSerializer,
    SignUpSerializer,
    TokenRequestSerializer,
    TokenSerializer,
)
from apps.api.anonymous import OpenView
from apps.api.authentication import get_actor, get_member, mark_session
from apps.api.limits import PASSWORD_GUESSES, SIGN_UPS
from apps.api.permissions import IsSession
from apps.billing import selectors as billing
from apps.common import clock
from apps.mfa.selectors import has_second_factor
from apps.orchestration.selectors import find_open_deletion
from apps.orchestration.signup import sign_up
from apps.tenants import services as tenants
from apps.tenants.types import Bearer, Member


class TokenView(OpenView):
    limits = PASSWORD_GUESSES

    @extend_schema(
        request=TokenRequestSerializer,
        responses={200: TokenSerializer, 403: SecondFactorRequiredSerializer},
        tags=["auth"],
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Exchange a name or e-mail address and a password for a token."""
        wish = TokenRequestSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        fields = wish.validated_data
        signed_in = tenants.sign_in(
            username=fields["username"], password=fields["password"], token_name=fields["name"], now=clock.now()
        )
        return Response(TokenSerializer(signed_in).data)


class LoginView(OpenView):
    limits = PASSWORD_GUESSES

    @extend_schema(request=LoginRequestSerializer, responses=LoginSerializer, tags=["auth"], auth=[])
    def post(self, request: Request) -> Response:
        """Open a session: the cookie is the one of Django admin."""
        wish = LoginRequestSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        now = clock.now()
        member, is_proved = tenants.check_sign_in(**wish.validated_data, now=now)
        login(request._request, get_user_model().objects.get(pk=member.user_id))  # noqa: SLF001
        mark_session(request._request, now=now, has_second_factor=is_proved)  # noqa: SLF001
        return Response(LoginSerializer({"user": member}).data)


class LogoutView(APIView):
    # Not the right to write: a token that may only read may still end itself.
    permission_classes = (IsAuthenticated,)

    @extend_schema(request=None, responses={204: None}, tags=["auth"])
    def post(self, request: Request) -> Response:
        """End the token, or the session, that this call came with."""
        if isinstance(request.auth, Bearer):
            tokens.revoke_token(user_id=request.auth.member.user_id, public_id=request.auth.token_id, now=clock.now())
        else:
            logout(request._request)  # noqa: SLF001
        return Response(status=status.HTTP_204_NO_CONTENT)


class LogoutAllView(APIView):
    permission_classes = (IsAuthenticated, IsSession)

    @extend_schema(request=None, responses={204: None}, tags=["auth"])
    def post(self, request: Request) -> Response:
        """End all tokens of the person, and the session that this call came with."""
        actor = get_actor(request)
        tokens.revoke_all_tokens(
            user_id=actor.user_id, actor=actor.user_id, reason="Signed out everywhere", now=clock.now()
        )
        logout(request._request)  # noqa: SLF001
        return Response(status=status.HTTP_204_NO_CONTENT)


class SignUpView(OpenView):
    limits = SIGN_UPS

    @extend_schema(request=SignUpRequestSerializer, responses={201: SignUpSerializer}, tags=["auth"], auth=[])
    def post(self, request: Request) -> Response:
        """Spend an invite passkey on a new account."""
        wish = SignUpRequestSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        member = sign_up(**wish.validated_data, now=clock.now())
        answer = SignUpSerializer({"message": "Signup successful", "user": member}).data
        return Response(answer, status=status.HTTP_201_CREATED)


class MeView(APIView):
    @extend_schema(responses=MeSerializer, tags=["me"])
    def get(self, request: Request) -> Response:
        """The person who asks, with profile and plan."""
        return _render_me(get_member(request))

    @extend_schema(request=EditMeSerializer, responses=MeSerializer, tags=["me"])
    def patch(self, request: Request) -> Response:
        """Change the name that documents are signed with, the time zone, or which mails you want."""
        wish = EditMeSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        return _render_me(tenants.edit_profile(actor=get_actor(request), **wish.validated_data, now=clock.now()))


def _render_me(member: Member) -> Response:
    deletion = find_open_deletion(user_id=member.user_id)
    context = {
        "billing": billing.get_billing_profile(tenant=member.tenant),
        "is_protected": has_second_factor(user_id=member.user_id),
        "deletion": deletion.due_at if deletion else None,
    }
    return Response(MeSerializer(member, context=context).data)
