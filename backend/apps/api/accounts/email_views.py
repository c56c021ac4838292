"""Proving and changing the e-mail address."""

from typing import Final

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.services import emails
from apps.api.accounts.credential_serializers import (
    ChangeEmailSerializer,
    MailSentSerializer,
    VerifiedEmailSerializer,
    VerifyEmailSerializer,
)
from apps.api.anonymous import OpenView
from apps.api.authentication import get_user_id
from apps.api.limits import EMAIL_ACTS, LINKS
from apps.api.permissions import IsSession, check_fresh
from apps.common import clock

MAIL_SENT: Final = "A mail with a link is on its way to the address that is to be confirmed."


class VerifyEmailView(OpenView):
    limits = LINKS

    @extend_schema(request=VerifyEmailSerializer, responses=VerifiedEmailSerializer, tags=["auth"], auth=[])
    def post(self, request: Request) -> Response:
        """Confirm an address with the key from the mail: that of an account, or the new one of a change."""
        wish = VerifyEmailSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        verified = emails.verify_email(key=wish.validated_data["key"], now=clock.now())
        return Response(VerifiedEmailSerializer({"email": verified.email, "is_verified": True}).data)


class ResendVerificationView(APIView):
    permission_classes = (IsAuthenticated, IsSession)
    limits = EMAIL_ACTS

    @extend_schema(request=None, responses={202: MailSentSerializer}, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Send the mail again to whichever address waits to be confirmed."""
        emails.resend_verification(user_id=get_user_id(request), now=clock.now())
        return Response({"message": MAIL_SENT}, status=status.HTTP_202_ACCEPTED)


class ChangeEmailView(APIView):
    permission_classes = (IsAuthenticated, IsSession)
    limits = EMAIL_ACTS

    @extend_schema(request=ChangeEmailSerializer, responses={202: MailSentSerializer}, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Begin a change of address, which the new one confirms. Needs a fresh proof of identity.

        Whether the address belongs to somebody else is told to its owner, not here.
        """
        check_fresh(request)
        wish = ChangeEmailSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        emails.request_change(user_id=get_user_id(request), email=wish.validated_data["email"], now=clock.now())
        return Response({"message": MAIL_SENT}, status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=None, responses={204: None}, tags=["auth"])
    def delete(self, request: Request) -> Response:
        """Drop a change that has not been confirmed."""
        emails.drop_change(user_id=get_user_id(request), now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
