"""Changing a password, getting back in without one, and proving once more who is there."""

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth import get_user_model, update_session_auth_hash
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.services import passwords
from apps.api.accounts.credential_serializers import (
    ChangePasswordSerializer,
    MailSentSerializer,
    ReauthenticatedSerializer,
    ReauthenticateSerializer,
    RequestResetSerializer,
    ResetPasswordSerializer,
)
from apps.api.anonymous import OpenView
from apps.api.authentication import find_token_id, get_user_id, mark_session
from apps.api.limits import LINKS, PASSWORD_RESETS, REAUTHENTICATIONS
from apps.api.permissions import IsSession
from apps.common import clock

RESET_SENT: Final = "If this address belongs to an account, a link to choose a new password is on its way."


class ChangePasswordView(APIView):
    permission_classes = (IsAuthenticated, IsSession)
    limits = REAUTHENTICATIONS

    @extend_schema(request=ChangePasswordSerializer, responses={204: None}, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Set a new password. Every other session and every token of the person ends."""
        wish = ChangePasswordSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        now, user_id, token_id = clock.now(), get_user_id(request), find_token_id(request)
        passwords.change_password(user_id=user_id, **wish.validated_data, except_public_id=token_id, now=now)
        if token_id is None:
            # A session of Django admin dies with the password that it was opened with, but for this one.
            update_session_auth_hash(request._request, get_user_model().objects.get(pk=user_id))  # noqa: SLF001
        return Response(status=status.HTTP_204_NO_CONTENT)


class RequestResetView(OpenView):
    limits = PASSWORD_RESETS

    @extend_schema(request=RequestResetSerializer, responses={202: MailSentSerializer}, tags=["auth"], auth=[])
    def post(self, request: Request) -> Response:
        """Ask for a link to choose a new password. The answer is the same whether or not there is such an account."""
        wish = RequestResetSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        passwords.request_reset(email=wish.validated_data["email"], now=clock.now())
        return Response({"message": RESET_SENT}, status=status.HTTP_202_ACCEPTED)


class ResetPasswordView(OpenView):
    limits = LINKS

    @extend_schema(request=ResetPasswordSerializer, responses={204: None}, tags=["auth"], auth=[])
    def post(self, request: Request) -> Response:
        """Choose a new password with the link from the mail. Every session and token of the person ends."""
        wish = ResetPasswordSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        passwords.reset_password(**wish.validated_data, now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class ReauthenticateView(APIView):
    permission_classes = (IsAuthenticated, IsSession)
    limits = REAUTHENTICATIONS

    @extend_schema(request=ReauthenticateSerializer, responses=ReauthenticatedSerializer, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Prove once more who is there, before acts that need a fresh proof."""
        wish = ReauthenticateSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        now, token_id = clock.now(), find_token_id(request)
        passwords.reauthenticate(
            user_id=get_user_id(request), password=wish.validated_data["password"], public_id=token_id, now=now
        )
        if token_id is None:
            mark_session(request._request, now=now)  # noqa: SLF001
        until = now + timedelta(minutes=settings.REAUTHENTICATION_MINUTES)
        return Response(ReauthenticatedSerializer({"until": until}).data)
