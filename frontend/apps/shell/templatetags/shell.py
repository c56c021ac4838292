"""The components. Each is a template in templates/components/ of the same name; `/ui/` shows them all."""

from datetime import date, datetime
from typing import Any

from django import template
from django.forms import BaseForm, BoundField, CheckboxInput, Select, Textarea
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.template.context import Context
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from apps.shell import formatting
from apps.shell.markdown import render_markdown
from apps.shell.navigation import profile_tabs_for, staff_money_tabs_for

register = template.Library()


@register.simple_tag
def icon(name: str, label: str = "", size: str = "") -> SafeString:
    """An icon of the sprite. Decorative without `label`; `size` is "", "sm" or "lg"."""
    href = f"{static('theme/icons.svg')}#{name}"
    kind = f"icon icon-{size}" if size else "icon"
    if label:
        return format_html('<svg class="{}" role="img" aria-label="{}"><use href="{}"></use></svg>', kind, label, href)
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}"></use></svg>', kind, href)


@register.simple_tag
def attributes(values: dict[str, Any]) -> SafeString:
    """HTML attributes: underscores become hyphens, True stands alone, False and None and "" are left out."""
    kept = {name.replace("_", "-"): value for name, value in values.items() if value not in (None, False, "")}
    return format_html_join(
        "",
        " {}",
        ((format_html('{}="{}"', name, value) if value is not True else name,) for name, value in kept.items()),
    )


@register.inclusion_tag("components/button.html")
def button(label: str, kind: str = "secondary", icon: str = "", href: str = "", **extra: Any) -> dict[str, Any]:
    """A button, or with `href` a link that looks like one. `kind`: primary, secondary, danger, ghost.

    Further arguments become attributes: `type="submit"`, `hx_get="..."`, `hx_target="#modal-slot"`, `size="sm"`,
    `key="n"` shows a shortcut, `is_icon_only=True` keeps the label for screen readers.
    """
    own = {name: extra.pop(name, "") for name in ("size", "key", "is_icon_only")}
    if not href:
        extra.setdefault("type", "button")
    return {"label": label, "kind": kind, "icon": icon, "href": href, "extra": extra, **own}


@register.inclusion_tag("components/page_header.html")
def page_header(
    title: str,
    subtitle: str = "",
    back_href: str = "",
    back_label: str = "Back",
    action_label: str = "",
    action_href: str = "",
    action_icon: str = "",
    **action_extra: Any,
) -> dict[str, Any]:
    """The page's h1 and its one primary action; further arguments become attributes of the action."""
    return {
        "title": title,
        "subtitle": subtitle,
        "back_href": back_href,
        "back_label": back_label,
        "action": {"label": action_label, "href": action_href, "icon": action_icon, "extra": action_extra},
    }


@register.inclusion_tag("components/tabs.html", takes_context=True)
def profile_tabs(context: Context) -> dict[str, Any]:
    """The tabs of the profile: below the page header of each of its pages, marked by the page's own address."""
    request: HttpRequest = context["request"]
    return {"label": "Your account", "tabs": profile_tabs_for(path=request.path)}


@register.inclusion_tag("components/tabs.html", takes_context=True)
def staff_money_tabs(context: Context) -> dict[str, Any]:
    """The tabs of staff's money pages, marked by the page's own address."""
    request: HttpRequest = context["request"]
    return {"label": "Money of the house", "tabs": staff_money_tabs_for(path=request.path)}


@register.inclusion_tag("components/secret_text.html")
def secret_text(value: str, name: str, label: str) -> dict[str, Any]:
    """A secret that is shown once, with a button that copies it; needs `app/keep.js`. `name` becomes its id."""
    return {"value": value, "name": name, "label": label}


@register.inclusion_tag("components/verify_banner.html", takes_context=True)
def verify_banner(context: Context, email: str) -> dict[str, Any]:
    """The reminder that an address is not confirmed yet."""
    return {"email": email, "csrf_token": context.get("csrf_token")}


@register.inclusion_tag("components/reserve_banner.html", takes_context=True)
def reserve_banner(context: Context, notice: str, available_micros: int) -> dict[str, Any]:
    """What a reserve that runs out means, on every page. `notice` is low, empty or stopped."""
    topup_path = resolve_url("billing:topup")
    is_there = getattr(context.get("request"), "path", "") == topup_path
    return {"notice": notice, "available_micros": available_micros, "topup_path": "" if is_there else topup_path}


@register.inclusion_tag("components/choices.html")
def choices(bound: BoundField, is_row: bool = False, **hints: str) -> dict[str, Any]:  # noqa: FBT001, FBT002
    """A field of which one of a few is chosen, side by side with `is_row`. `hints` explain a choice by its value."""
    options = [(option, hints.get(str(option.data["value"]), "")) for option in bound]
    return {"bound": bound, "options": options, "is_row": is_row}


@register.inclusion_tag("components/empty_state.html")
def empty_state(
    title: str,
    text: str = "",
    icon: str = "sparkles",
    action_label: str = "",
    action_href: str = "",
    **action_extra: Any,
) -> dict[str, Any]:
    """Nothing here yet, and what to do next."""
    action = {"label": action_label, "href": action_href, "extra": action_extra}
    return {"title": title, "text": text, "icon": icon, "action": action}


@register.inclusion_tag("components/stat.html")
def stat(label: str, value: Any, hint: str = "", href: str = "", icon: str = "", tone: str = "") -> dict[str, Any]:
    """One figure that a page leads with."""
    return {"label": label, "value": value, "hint": hint, "href": href, "icon": icon, "tone": tone}


@register.inclusion_tag("components/money.html")
def money(micros: int | None, is_signed: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - a template's argument
    """An exact amount; with `is_signed` credits have their plus. None is a dash: not known yet."""
    text = "" if micros is None else formatting.format_money(micros, is_signed=is_signed)
    return {"micros": micros, "text": text, "is_signed": is_signed}


@register.inclusion_tag("components/state_badge.html")
def state_badge(state: str) -> dict[str, Any]:
    """The state of a job, a step, a report, an entry or the reserve."""
    return {"state": state, "look": formatting.look_of_state(state)}


@register.inclusion_tag("components/day.html")
def day(value: date) -> dict[str, Any]:
    """A calendar day: near ones by name."""
    return {"value": value, "text": formatting.format_day(value, today=timezone.localdate())}


@register.inclusion_tag("components/ago.html")
def ago(moment: datetime) -> dict[str, Any]:
    """How long ago; the page keeps it current, the title has the exact time in the person's zone."""
    now = timezone.now()
    return {"moment": timezone.localtime(moment), "text": formatting.format_ago(moment, now=now)}


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, autofocus: bool = False, is_switch: bool = False, **extra: Any) -> dict[str, Any]:  # noqa: FBT001, FBT002
    """A form field with its label, help and errors, tied together for screen readers."""
    widget = bound.field.widget
    described = [f"{bound.id_for_label}-help"] if bound.help_text else []
    described += [f"{bound.id_for_label}-errors"] if bound.errors else []
    css = "form-control"
    if isinstance(widget, Select):
        css = "form-select"
    elif isinstance(widget, CheckboxInput):
        css = "form-check-input"
    attrs: dict[str, Any] = {
        "class": f"{css} is-invalid" if bound.errors else css,
        "autofocus": autofocus,
        "aria-invalid": "true" if bound.errors else None,
        "aria-describedby": " ".join(described) or None,
        **{name.replace("_", "-"): value for name, value in extra.items()},
    }
    if isinstance(widget, Textarea):
        attrs.setdefault("rows", 4)
    rendered = bound.as_widget(attrs={name: value for name, value in attrs.items() if value is not None})
    is_checkbox = isinstance(widget, CheckboxInput)
    return {"bound": bound, "rendered": rendered, "is_checkbox": is_checkbox, "is_switch": is_switch}


@register.inclusion_tag("components/form_errors.html")
def form_errors(form: BaseForm) -> dict[str, Any]:
    """What is wrong with the form as a whole, said before its fields."""
    return {"errors": form.non_field_errors()}


@register.simple_tag
def status_dollars(dollars: str) -> str:
    """The API's amount ("4.20", "-0.15") with its signs."""
    return f"\N{MINUS SIGN}${dollars[1:]}" if dollars.startswith("-") else f"${dollars}"


@register.simple_block_tag
def modal(content: SafeString, title: str, name: str = "modal", size: str = "") -> SafeString:
    """A dialog for the modal slot; it opens when it arrives. `size` is "", "sm" or "lg"."""
    return render_to_string("components/modal.html", {"content": content, "title": title, "name": name, "size": size})


@register.simple_block_tag
def panel(content: SafeString, title: str = "", href: str = "", link_label: str = "See all") -> SafeString:
    """A titled surface."""
    context = {"content": content, "title": title, "href": href, "link_label": link_label}
    return render_to_string("components/panel.html", context)


@register.inclusion_tag("components/toast.html")
def toast(message: str, level: str = "info") -> dict[str, Any]:
    """A short message of the server's, shown when the page loads."""
    icons = {"success": "circle-check", "warning": "alert-triangle", "danger": "alert-circle", "error": "alert-circle"}
    return {
        "message": message,
        "level": "danger" if level == "error" else level,
        "icon": icons.get(level, "info-circle"),
    }


@register.inclusion_tag("components/load_more.html", takes_context=True)
def load_more(context: Context, cursor: str | None, label: str = "Show more") -> dict[str, Any]:
    """The end of a list: puts the next page in its own place. The view answers HTMX with rows and a new one of it."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()
    if cursor:
        query["cursor"] = cursor
    return {"cursor": cursor, "label": label, "url": f"{request.path}?{query.urlencode()}"}


@register.inclusion_tag("components/skeleton.html")
def skeleton(lines: int = 3) -> dict[str, Any]:
    """Grey lines where content is on its way."""
    return {"lines": range(lines)}


@register.inclusion_tag("components/confirm_dialog.html", takes_context=True)
def confirm_dialog(
    context: Context, name: str, title: str, text: str, action: str, label: str, kind: str = "danger"
) -> dict[str, Any]:
    """A question before something that cannot be undone; `title` names the thing. Open it with `data-opens="name"`."""
    return {
        "name": name,
        "title": title,
        "text": text,
        "action": action,
        "label": label,
        "kind": kind,
        "csrf_token": context.get("csrf_token"),
    }


@register.filter
def as_money(micros: int) -> str:
    """An amount as plain text, for titles and sentences."""
    return formatting.format_money(micros)


@register.filter
def as_recorded(text: str, name: str) -> str:
    """A value from the audit, legible: amounts as money, instants in the person's zone."""
    return formatting.format_recorded(text, name=name)


@register.filter
def as_count(number: int) -> str:
    return formatting.format_count(number)


@register.filter
def as_markdown(text: str) -> SafeString:
    return render_markdown(text)
