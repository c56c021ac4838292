"""Forms of the profile and its tabs."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from zoneinfo import available_timezones

from django import forms

from apps.backend.me import Me
from apps.backend.tokens import DEFAULT_DAYS, MAX_DAYS


class ProfileForm(forms.Form):
    display_name = forms.CharField(
        label="Display name", max_length=150, required=False, help_text="How the interface addresses you."
    )
    time_zone = forms.ChoiceField(
        label="Time zone", help_text="Days, weeks and months of your worklog begin and end here.", choices=list
    )
    weekly_nudge = forms.BooleanField(label="A weekly nudge: what this quarter still lacks", required=False)
    low_balance = forms.BooleanField(label="When your reserve runs low", required=False)
    report_ready = forms.BooleanField(label="When a report is ready", required=False)
    product_news = forms.BooleanField(label="News of AfterResume, a few times a year", required=False)

    MAILS = ("weekly_nudge", "low_balance", "report_ready", "product_news")

    def __init__(self, data: Mapping[str, Any] | None = None, *, me: Me) -> None:
        super().__init__(
            data,
            initial={
                "display_name": me.profile.display_name,
                "time_zone": me.profile.time_zone,
                **asdict(me.profile.notifications),
            },
        )
        self.fields["time_zone"].choices = _zone_choices()  # type: ignore[attr-defined]

    @property
    def notifications(self) -> dict[str, bool]:
        return {name: self.cleaned_data[name] for name in self.MAILS}


class TotpCodeForm(forms.Form):
    code = forms.CharField(
        label="Code from the app",
        max_length=12,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "data-no-draft": ""},
        ),
    )


class KeyNameForm(forms.Form):
    name = forms.CharField(label="Name", max_length=80, help_text="What you will know it by, such as its place.")


class SecurityKeyForm(KeyNameForm):
    """The hidden field is filled by the page's script, with what the security key has said."""

    credential = forms.JSONField(
        widget=forms.HiddenInput,
        error_messages={"required": "The security key has not answered. Press the button, then touch the key."},
    )


class TokenForm(forms.Form):
    name = forms.CharField(max_length=80, help_text="What it is for: a script, a machine.")
    scope = forms.ChoiceField(
        label="It may",
        choices=[("read", "read"), ("write", "read and write")],
        initial="read",
        help_text="It can never change your password, your second factor or the members of your tenant.",
    )
    expires_in_days = forms.IntegerField(
        label="Valid for days", min_value=1, max_value=MAX_DAYS, initial=DEFAULT_DAYS, help_text="At most a year."
    )

    @property
    def scopes(self) -> tuple[str, ...]:
        return ("read", "write") if self.cleaned_data["scope"] == "write" else ("read",)


def _zone_choices() -> list[tuple[str, str]]:
    names = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix/")))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]
