"""Prices: cards, their versions and lines. A draft is edited, tried on a month that is over, and published."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.billing.admin.pages import Table, action, lead_back, render_page, show_dollars
from apps.billing.models import RateCard, RateCardVersion, RateLineItem
from apps.billing.services.dry_run import Change, DryRun, dry_run_rates, last_month
from apps.billing.services.rate_cards import clone_version, publish_version
from apps.billing.types import VersionState
from apps.common import clock
from apps.common.admin import ReadOnlyAdmin, is_staff
from apps.common.errors import DomainError


def is_draft(version: RateCardVersion | None) -> bool:
    return version is not None and version.state == VersionState.DRAFT


class VersionInline(TabularInline):  # type: ignore[misc]  # unfold has no types
    """A card's versions, each a link to its lines."""

    model = RateCardVersion
    fields = readonly_fields = ("number", "state", "valid_from", "valid_to", "published_at", "note")
    ordering = ("-number",)
    extra = 0
    can_delete = False
    show_change_link = True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_staff(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(RateCard)
class RateCardAdmin(ReadOnlyAdmin):
    list_display = ("name", "plan", "in_force")
    fields = ("name", "plan")
    inlines = (VersionInline,)
    ordering = ("plan",)

    @admin.display(description="in force")
    def in_force(self, card: RateCard) -> str:
        now = clock.now()
        return ", ".join(str(version) for version in card.versions.all() if version.is_in_force(now))

    def get_queryset(self, request: HttpRequest) -> QuerySet[RateCard]:
        cards: QuerySet[RateCard] = super().get_queryset(request)
        return cards.prefetch_related("versions__card")


class LineInline(TabularInline):  # type: ignore[misc]  # unfold has no types
    """The prices of a version: open in a draft, frozen once it is published."""

    model = RateLineItem
    fields = (
        *("meter", "model_pattern", "token_class", "unit_size", "price_micros", "provider_cost_micros"),
        *("is_free", "is_essential"),
    )
    ordering = ("meter", "model_pattern", "token_class")
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_staff(request)

    def has_add_permission(self, request: HttpRequest, obj: RateCardVersion | None = None) -> bool:
        return is_staff(request) and is_draft(obj)

    def has_change_permission(self, request: HttpRequest, obj: RateCardVersion | None = None) -> bool:
        return is_staff(request) and is_draft(obj)

    def has_delete_permission(self, request: HttpRequest, obj: RateCardVersion | None = None) -> bool:
        return is_staff(request) and is_draft(obj)


class PeriodForm(forms.Form):
    """Days in UTC, both inclusive."""

    first = forms.DateField(label="First day (UTC)", widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))
    last = forms.DateField(label="Last day (UTC)", widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        first, last = values.get("first"), values.get("last")
        if first and last and last < first:
            self.add_error("last", "The last day lies before the first.")
        return values

    def read_period(self) -> tuple[datetime, datetime]:
        """Half-open."""
        return _midnight(self.cleaned_data["first"]), _midnight(self.cleaned_data["last"] + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


def read_period(request: HttpRequest) -> tuple[PeriodForm, tuple[datetime, datetime] | None]:
    """The form with the period of the address; the last calendar month when it names none. None: not a period."""
    since, before = last_month(now=clock.now())
    default = {"first": since.date(), "last": (before - timedelta(days=1)).date()}
    form = PeriodForm({**default, **{name: request.GET[name] for name in default if name in request.GET}})
    return form, form.read_period() if form.is_valid() else None


@admin.register(RateCardVersion)
class RateCardVersionAdmin(ReadOnlyAdmin):
    actions = ("clone", "publish")
    actions_detail = ("dry_run",)
    list_display = ("__str__", "state", "valid_from", "valid_to", "published_at", "published_by", "note")
    list_filter = ("card", "state")
    list_select_related = ("card", "published_by")
    ordering = ("card", "-number")
    inlines = (LineInline,)
    fields = ("card", "number", "state", "valid_from", "valid_to", "note", "published_at", "published_by")
    readonly_fields = ("card", "number", "state", "valid_to", "published_at", "published_by")

    def has_change_permission(self, request: HttpRequest, obj: RateCardVersion | None = None) -> bool:
        return is_staff(request) and is_draft(obj)

    def has_delete_permission(self, request: HttpRequest, obj: RateCardVersion | None = None) -> bool:
        return is_staff(request) and is_draft(obj)

    @admin.action(description="Clone into a new draft")
    def clone(self, request: HttpRequest, queryset: QuerySet[RateCardVersion]) -> None:
        for version in queryset.order_by("card_id", "number"):
            draft = clone_version(version_id=version.id, now=clock.now())
            self.message_user(request, f"{draft} is a draft with the prices of {version}.")

    @admin.action(description="Publish, from its date or from now")
    def publish(self, request: HttpRequest, queryset: QuerySet[RateCardVersion]) -> None:
        """From the draft's own `valid from`; without one, at once."""
        actor = UUID(str(request.user.pk))
        for version in queryset.order_by("card_id", "number"):
            try:
                published = publish_version(
                    actor=actor, version_id=version.id, valid_from=version.valid_from, now=clock.now()
                )
            except DomainError as error:
                self.message_user(request, f"{version}: {error}", level=messages.ERROR)
            else:
                self.message_user(request, f"{published} is in force from {published.valid_from:%Y-%m-%d %H:%M} UTC.")

    @action(description="Dry run", url_path="dry-run")
    def dry_run(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What a past period would have cost by these prices. Changes nothing."""
        version = self.get_object(request, object_id)
        if version is None:
            return lead_back(self, request, object_id)
        form, period = read_period(request)
        tables: Sequence[Table] = ()
        if period is not None:
            tables = show_dry_run(dry_run_rates(version_id=version.pk, since=period[0], before=period[1]))
        return render_page(
            self,
            request,
            title=f"Dry run of {version}",
            text="The use of the plan's customers in a past period, at the prices that it had and at these.",
            form=form,
            submit="Rate again",
            is_read=True,
            tables=tables,
            row=version,
        )


_HEADERS = ("", "Uses", "Price now", "Price then", "Difference", "Provider then", "Margin now", "Margin then")


def show_dry_run(run: DryRun) -> list[Table]:
    """The result as tables: in all, by model, the customers who would notice most, and what has no price."""
    unpriced = [[part.label, f"{part.unpriced:,}", show_dollars(part.now_micros)] for part in run.unpriced]
    return [
        Table("In all", _HEADERS, [_show_change(run.total)]),
        Table("By model or meter", _HEADERS, [_show_change(part) for part in run.models]),
        Table("The customers for whom most changes", _HEADERS, [_show_change(part) for part in run.tenants]),
        Table("Without a price in this version", ("", "Uses", "Price now"), unpriced),
    ]


def _show_change(part: Change) -> list[str]:
    amounts = (
        part.now_micros,
        part.then_micros,
        part.difference_micros,
        part.provider_then_micros,
        part.margin_now_micros,
        part.margin_then_micros,
    )
    return [part.label, f"{part.events:,}", *(show_dollars(amount) for amount in amounts)]
