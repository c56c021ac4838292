"""Forms of the way in."""

import uuid
from typing import Any

from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.account.models import Login
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from apps.accounts import pending_sign_in
from apps.accounts.models import User
from apps.accounts.sign_in import keep_token, obtain_token, recognise
from apps.backend.auth import Challenge, IssuedToken, read_challenge
from apps.backend.errors import BackendUnavailable, Invalid, RateLimited, SecondFactorRequired

TROUBLE = "AfterResume cannot be reached at the moment. Nothing is wrong with what you typed; try again shortly."


class LoginForm(AllauthLoginForm):
    """allauth's form, with the backend as the judge of the password.

    The token waits here until the session is new; where the backend asks for a second factor, its challenge waits.
    """

    request: HttpRequest
    _issued: IssuedToken
    _challenge: Challenge | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["login"].label = "Username or e-mail"
        self.fields["login"].widget.attrs = {
            "autocomplete": "username",
            "autocapitalize": "none",
            "spellcheck": "false",
        }
        self.fields["password"].help_text = ""
        self.fields["password"].widget.attrs.pop("placeholder", None)

    def _clean_with_password(self, credentials: dict[str, Any]) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        try:
            self._issued = obtain_token(
                self.request, username=credentials["username"], password=credentials["password"]
            )
        except SecondFactorRequired as error:
            self._challenge = read_challenge(error)
            return cleaned
        except (Invalid, RateLimited) as error:
            raise forms.ValidationError(error.message, code=error.code) from error
        except BackendUnavailable as error:
            raise forms.ValidationError(TROUBLE, code=error.code) from error
        self.user: User = recognise(self.request, self._issued)
        self._login = Login(user=self.user, email=None)
        return cleaned

    def login(self, request: HttpRequest, redirect_url: str | None = None) -> HttpResponse:
        if self._challenge is not None:
            pending_sign_in.begin(request, challenge=self._challenge, target=redirect_url or "/", now=timezone.now())
            return redirect("account_second_factor")
        response: HttpResponse = super().login(request, redirect_url=redirect_url)
        keep_token(request, user=self.user, issued=self._issued)
        return response


class SignUpForm(forms.Form):
    """What an invite passkey turns into an account. The backend decides what is acceptable; this only asks."""

    passkey = forms.CharField(
        label="Invite passkey",
        max_length=200,
        help_text="The key from your invitation. It works once.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    username = forms.CharField(
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    email = forms.EmailField(label="E-mail", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    password = forms.CharField(
        max_length=200,
        strip=False,
        help_text="At least 10 characters; a few unrelated words make a good one.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    idempotency_key = forms.CharField(max_length=100, widget=forms.HiddenInput, initial=lambda: str(uuid.uuid4()))

    def take_refusal(self, error: Invalid) -> None:
        """Show the backend's sentences beside the fields that they are about.

        What was refused did nothing, so the next try is another request and gets another idempotency key. (After an
        answer that never came the key stays: the same form sent again finds out what happened.)
        """
        self.data = {name: self.data[name] for name in self.data} | {"idempotency_key": str(uuid.uuid4())}
        if error.code.startswith("passkey_"):
            self.add_error("passkey", error.message)
            return
        for name, sentences in error.fields.items():
            self.add_error(name if name in self.fields else None, list(sentences))
        if not error.fields:
            self.add_error(None, error.message)


class SecondFactorForm(forms.Form):
    """A code, or what a security key has said: the page's script puts that into the hidden field and sends the form."""

    code = forms.CharField(
        label="Code",
        max_length=40,
        error_messages={"required": "Type the code that your app shows."},
        help_text="Six digits from your authenticator app, or one of your recovery codes.",
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "none",
                "spellcheck": "false",
                "data-no-draft": "",
            }
        ),
    )
    credential = forms.JSONField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # With an answer of a key no code is needed, and on the page a field that is not asked for is not "optional".
        # An empty field of JSON is sent as "null".
        self.fields["code"].required = self.data.get("credential") in (None, "", "null")

    def clean_credential(self) -> dict[str, Any] | None:
        given = self.cleaned_data["credential"]
        if given is not None and not isinstance(given, dict):
            raise forms.ValidationError("The security key's answer cannot be read.")
        return given


class ReauthenticationForm(forms.Form):
    password = forms.CharField(
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
