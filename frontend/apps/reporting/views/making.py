"""A new report: choose a period and entries, see the price, start it."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import resolve_url
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from apps.backend.client import BackendClient
from apps.backend.errors import BackendError, BackendUnavailable, NotAuthenticated, PaymentRequired
from apps.backend.reports import ReportRequest
from apps.reporting.forms import PeriodForm, period_form
from apps.reporting.making import (
    NO_PRICE_NOW,
    NOTHING_CHOSEN,
    Material,
    Pricing,
    list_material,
    price,
    read_ids,
    sentences_of,
)
from apps.reporting.periods import Period
from apps.shell.client import get_backend_client
from apps.shell.pages import answer, lead_to, mint_key, read_key
from apps.shell.refusals import key_after, sentence_of, status_of

TITLE_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for, as far as it is clear."""

    form: PeriodForm
    period: Period | None
    title: str = ""
    chosen: tuple[UUID, ...] = ()

    def request(self, entry_ids: tuple[UUID, ...]) -> ReportRequest | None:
        if self.period is None:
            return None
        return ReportRequest(
            period_from=self.period.first, period_to=self.period.last, entry_ids=entry_ids, title=self.title
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why the last try did not start a report."""

    text: str = ""
    status: int = 200
    needs_reserve: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """The page. `kept` stands in for the list while the entries cannot be read: what was chosen is not lost."""

    wish: Wish
    key: str
    material: Material = field(default_factory=Material)
    chosen: frozenset[UUID] = frozenset()
    kept: tuple[UUID, ...] = ()
    pricing: Pricing = field(default_factory=Pricing)
    trouble: Trouble = field(default_factory=Trouble)


@require_http_methods(["GET", "HEAD", "POST"])
def generate(request: HttpRequest) -> HttpResponse:
    """GET shows a period with all its entries chosen. POST starts the report, or just shows a changed choice."""
    if request.method != "POST":
        wish = _read_wish(request.GET)
        return _show(request, _lay_out(get_backend_client(request), wish, key=mint_key(), is_all=True))
    wish, key = _read_wish(request.POST), read_key(request)
    client = get_backend_client(request)
    action = request.POST.get("action", "")
    if action in ("period", "estimate"):
        return _show(request, _lay_out(client, wish, key=key, is_all=action == "period"))
    return _start(request, client, wish, key=key)


@require_POST
def estimate(request: HttpRequest) -> HttpResponse:
    """The price of what is chosen at this moment, for the place that shows it."""
    wish = _read_wish(request.POST)
    asked = wish.request(wish.chosen)
    pricing = Pricing(problem=NOTHING_CHOSEN) if asked is None else price(get_backend_client(request), asked)
    return TemplateResponse(request, "reporting/partials/estimate.html", {"pricing": pricing})


def _start(request: HttpRequest, client: BackendClient, wish: Wish, *, key: str) -> HttpResponse:
    asked = wish.request(wish.chosen)
    if asked is None or not asked.entry_ids:
        making = _lay_out(client, wish, key=key, trouble=Trouble(text=NOTHING_CHOSEN, status=400))
        return _show(request, making)
    try:
        started = client.reports.create(request=asked, idempotency_key=key)
    except NotAuthenticated:
        raise
    except BackendError as error:
        return _show(request, _after_refusal(client, wish, key=key, error=error))
    return lead_to(request, resolve_url("reporting:report", started.report.id))


def _after_refusal(client: BackendClient, wish: Wish, *, key: str, error: BackendError) -> Making:
    text = sentence_of(error) if isinstance(error, BackendUnavailable) or not error.message else sentences_of(error)
    trouble = Trouble(text=text, status=status_of(error), needs_reserve=isinstance(error, PaymentRequired))
    return _lay_out(client, wish, key=key_after(error, key=key), trouble=trouble)


def _lay_out(
    client: BackendClient, wish: Wish, *, key: str, is_all: bool = False, trouble: Trouble | None = None
) -> Making:
    """The entries of the wish's period with its choice ticked (`is_all`: every one) and priced."""
    trouble = trouble or Trouble()
    if wish.period is None:
        return Making(wish=wish, key=key, trouble=trouble, pricing=Pricing(problem="Choose the days first."))
    try:
        material = list_material(client, wish.period)
    except BackendUnavailable:
        if not wish.chosen:
            raise
        pricing = Pricing(problem=NO_PRICE_NOW)
        return Making(wish=wish, key=key, kept=wish.chosen, trouble=trouble, pricing=pricing)
    listed = tuple(entry.id for entry in material.entries)
    chosen = listed if is_all else tuple(entry_id for entry_id in listed if entry_id in set(wish.chosen))
    return Making(
        wish=wish,
        key=key,
        material=material,
        chosen=frozenset(chosen),
        trouble=trouble,
        pricing=_price(client, wish, chosen),
    )


def _price(client: BackendClient, wish: Wish, chosen: tuple[UUID, ...]) -> Pricing:
    asked = wish.request(chosen)
    return Pricing() if asked is None else price(client, asked)


def _read_wish(data: QueryDict) -> Wish:
    plain: dict[str, Any] = {name: data.get(name, "") for name in ("period", "from", "to")}
    form, period = period_form(plain, today=timezone.localdate())
    return Wish(
        form=form,
        period=period,
        title=" ".join(str(data.get("title", "")).split())[:TITLE_MAX],
        chosen=read_ids(str(value) for value in data.getlist("entry")),
    )


def _show(request: HttpRequest, making: Making) -> HttpResponse:
    return answer(
        request,
        page="reporting/generate.html",
        fragment="reporting/partials/choice_and_estimate.html",
        context={"making": making, "pricing": making.pricing},
        status=making.trouble.status,
    )
