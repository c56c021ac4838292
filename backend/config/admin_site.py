"""The front door of Django admin: a password and a second factor, counted like any other sign-in."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

import structlog
from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from unfold.forms import AuthenticationForm
from unfold.sites import UnfoldAdminSite
from unfold.widgets import BASE_INPUT_CLASSES

from apps.accounts.services.devices import note_sign_in
from apps.api.authentication import is_proved_session, mark_session
from apps.api.limits import fold
from apps.common import clock
from apps.common.errors import RateLimited, Unavailable
from apps.common.limits import LOGIN_ACCOUNT, LOGIN_ADDRESS
from apps.common.rate_limits import counting, network_of
from apps.mail.links import frontend_link
from apps.mfa.selectors import has_second_factor
from apps.mfa.services.codes import check_code
from apps.observability.context import current_address
from apps.observability.heartbeats import list_late_duties

_log = structlog.get_logger(__name__)


class StaffLoginForm(AuthenticationForm):  # type: ignore[misc]  # unfold has no types
    """Lets nobody in without a second factor, whether or not they have set one up."""

    code = forms.CharField(
        label="Second factor",
        max_length=64,
        required=False,
        help_text="Six digits from your authenticator app, or a recovery code.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "class": " ".join(BASE_INPUT_CLASSES)}),
    )

    def clean(self) -> dict[str, Any]:
        try:
            self._check_password()
            if self.get_user() is not None:
                self._check_code()
        except (RateLimited, Unavailable) as error:
            _log.info("refused", code=error.code, view="admin:login")
            raise ValidationError(error.text) from error
        except ValidationError as error:
            _log.info("refused", code=getattr(error, "code", None) or "bad_code", view="admin:login")
            raise
        fields: dict[str, Any] = self.cleaned_data
        return fields

    def _check_password(self) -> None:
        address, account = network_of(current_address()), fold(self.cleaned_data.get("username") or "")
        with (
            counting(limit=LOGIN_ADDRESS, key=address, failures=(ValidationError,)),
            counting(limit=LOGIN_ACCOUNT, key=account, failures=(ValidationError,)),
        ):
            super().clean()

    def _check_code(self) -> None:
        user_id, code = UUID(str(self.get_user().pk)), self.cleaned_data.get("code", "")
        if not has_second_factor(user_id=user_id):
            page = frontend_link("profile", "security")
            raise ValidationError(f"Staff need a second factor, and you have none yet. Set one up at {page} first.")
        if not code:
            raise ValidationError({"code": "Enter the code of your second factor."})
        if not check_code(user_id=user_id, code=code, now=clock.now()):
            raise ValidationError({"code": "This code is not right, or it was used already."})


class StaffSite(UnfoldAdminSite):  # type: ignore[misc]  # unfold has no types
    """Open to staff whose session was opened with a second factor."""

    login_form = StaffLoginForm
    login_template = "staff/login.html"

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(super().has_permission(request)) and is_proved_session(request)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if late := list_late_duties(now=clock.now()):
            messages.error(request, f"Periodic duties are overdue: {', '.join(late)}. See the runbook, Duties.")
        response: HttpResponse = super().index(request, extra_context)
        return response

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response: HttpResponse = super().login(request, extra_context)
        if request.method == "POST" and response.status_code == HTTPStatus.FOUND:
            # The form has checked both, or there would be no way on.
            now = clock.now()
            mark_session(request, now=now, has_second_factor=True)
            note_sign_in(user_id=UUID(str(request.user.pk)), now=now)
        return response
