"""One's own sessions and personal tokens: seeing them, making them, ending them."""

from datetime import timedelta
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import selectors
from apps.accounts.services import personal_tokens
from apps.accounts.types import TokenKind
from apps.api.accounts.credential_serializers import (
    CreatePersonalTokenSerializer,
    NewPersonalTokenSerializer,
    PersonalTokenSerializer,
    SessionSerializer,
)
from apps.api.authentication import find_token_id, get_user_id
from apps.api.idempotency import idempotent
from apps.api.permissions import IsSession, check_fresh
from apps.common import clock


class SessionListView(APIView):
    permission_classes = (IsAuthenticated, IsSession)

    @extend_schema(responses=SessionSerializer(many=True), tags=["auth"], operation_id="auth_sessions_list")
    def get(self, request: Request) -> Response:
        """Where you are signed in, latest sign-in first."""
        sessions = selectors.list_sessions(user_id=get_user_id(request), now=clock.now())
        return Response(SessionSerializer(sessions, many=True, context={"current": find_token_id(request)}).data)


class SessionView(APIView):
    permission_classes = (IsAuthenticated, IsSession)

    @extend_schema(responses={204: None}, tags=["auth"])
    def delete(self, request: Request, session_id: UUID) -> Response:
        """End a session at once."""
        personal_tokens.end_token(
            user_id=get_user_id(request), public_id=session_id, kind=TokenKind.SESSION, now=clock.now()
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class PersonalTokenListView(APIView):
    permission_classes = (IsAuthenticated, IsSession)

    @extend_schema(responses=PersonalTokenSerializer(many=True), tags=["auth"], operation_id="auth_tokens_list")
    def get(self, request: Request) -> Response:
        """Your tokens for programs, newest first."""
        rows = selectors.list_personal_tokens(user_id=get_user_id(request), now=clock.now())
        return Response(PersonalTokenSerializer(rows, many=True).data)

    @extend_schema(
        request=CreatePersonalTokenSerializer,
        responses={201: NewPersonalTokenSerializer},
        tags=["auth"],
        operation_id="auth_tokens_create",
    )
    @idempotent(secrets=("token",))
    def post(self, request: Request) -> Response:
        """Make a token for a program. Needs a fresh proof of identity; the key is shown in this answer alone."""
        check_fresh(request)
        wish = CreatePersonalTokenSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        terms, now = wish.validated_data, clock.now()
        row, key = personal_tokens.create_personal_token(
            user_id=get_user_id(request),
            name=terms["name"],
            scopes=terms["scopes"],
            expires_at=now + timedelta(days=terms["expires_in_days"]),
            now=now,
        )
        answer = {**PersonalTokenSerializer(row).data, "token": key}
        return Response(answer, status=status.HTTP_201_CREATED)


class PersonalTokenView(APIView):
    permission_classes = (IsAuthenticated, IsSession)

    @extend_schema(responses={204: None}, tags=["auth"])
    def delete(self, request: Request, token_id: UUID) -> Response:
        """End a token at once."""
        personal_tokens.end_token(
            user_id=get_user_id(request), public_id=token_id, kind=TokenKind.PERSONAL, now=clock.now()
        )
        return Response(status=status.HTTP_204_NO_CONTENT)
