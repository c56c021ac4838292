"""A receipt, credit note or invoice as PDF, set by Typst from what was frozen when it was issued.

Text reaches the template as data, so none of it is ever read as markup.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import typst

from apps.billing.models import BillingDocument
from apps.billing.payment_types import DocumentKind
from apps.common.money import format_dollars

_TEMPLATE: Final = Path(__file__).with_name("document.typ")
_BLANKED: Final = "Blanked when the account was erased"
# Only ASCII: other scripts break by their own rules, and their letters may be several characters.
_LONG_WORD: Final = re.compile(r"[!-~]{32,}")
_TOTALS: Final[Mapping[DocumentKind, str]] = {
    DocumentKind.RECEIPT: "Total paid",
    DocumentKind.CREDIT_NOTE: "Total refunded",
    DocumentKind.INVOICE: "Total paid",
}
_METHODS: Final[Mapping[DocumentKind, str]] = {
    DocumentKind.RECEIPT: "Paid with",
    DocumentKind.CREDIT_NOTE: "Refunded to",
    DocumentKind.INVOICE: "Paid with",
}
_DATES: Final[Mapping[DocumentKind, str]] = {
    DocumentKind.RECEIPT: "Paid on",
    DocumentKind.CREDIT_NOTE: "Refunded on",
    DocumentKind.INVOICE: "Paid on",
}


def render_pdf(*, document: BillingDocument) -> bytes:
    """The document's PDF; the same document gives the same bytes."""
    return typst.compile(
        _read_template(),
        font_paths=_find_fonts(),
        sys_inputs={"data": json.dumps(_let_long_words_break(_as_data(document)), ensure_ascii=False)},
        # Typst takes whole seconds.
        timestamp=document.issued_at.replace(microsecond=0),
    )


def _as_data(document: BillingDocument) -> Mapping[str, Any]:
    kind, content = DocumentKind(document.kind), document.content
    lines = content.get("lines", [])
    return {
        "title": kind.label,
        "number": str(document),
        "facts": _list_facts(kind, document),
        "seller": _list_party(content.get("seller", {})),
        "customer": _list_party(content.get("customer", {})) or [_BLANKED],
        "lines": [{"text": line["text"], "amount": _show(line["amount_micros"], document)} for line in lines],
        "total_label": _TOTALS[kind],
        "total": _show(document.amount_micros, document),
        "about": content.get("about", ""),
        "references": content.get("references", []),
        "footer": _list_party(content.get("seller", {})),
    }


def _list_facts(kind: DocumentKind, document: BillingDocument) -> list[tuple[str, str]]:
    paid_at, method = document.content.get("paid_at"), document.content.get("method", "")
    facts = [("Number", str(document)), ("Issued on", _show_day(document.issued_at))]
    if paid_at:
        facts.append((_DATES[kind], _show_day(datetime.fromisoformat(paid_at))))
    if method:
        facts.append((_METHODS[kind], method))
    return facts


def _list_party(party: Mapping[str, str]) -> list[str]:
    """The lines of a seller's or customer's block; the name comes first."""
    address = [line.strip() for line in party.get("address", "").splitlines()]
    tax_id = party.get("tax_id", "")
    lines = [party.get("name", ""), *address, f"Tax ID {tax_id}" if tax_id else "", party.get("email", "")]
    return [line for line in lines if line]


def _show(micros: int, document: BillingDocument) -> str:
    whole, _, decimals = format_dollars(abs(micros)).partition(".")
    return f"{'-' if micros < 0 else ''}{int(whole):,}.{decimals} {document.currency}"


def _show_day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%-d %B %Y}"


def _let_long_words_break(value: Any) -> Any:
    """Allows a break anywhere in a word longer than a column, such as an id: a zero-width space shows nothing."""
    if isinstance(value, str):
        return _LONG_WORD.sub(lambda word: "\u200b".join(word.group()), value)
    if isinstance(value, Mapping):
        return {name: _let_long_words_break(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_let_long_words_break(item) for item in value]
    return value


@cache
def _read_template() -> bytes:
    return _TEMPLATE.read_bytes()


@cache
def _find_fonts() -> typst.Fonts:
    """Typst's own fonts, which set all Latin, Greek and Cyrillic text; the machine's only for scripts beyond them."""
    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=True)
