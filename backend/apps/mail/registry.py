"""The kinds of mail. Each app registers its own in AppConfig.ready and brings the templates."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Enrich = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class Obsolete(Exception):
    """Raised by an `enrich`: what the mail tells about is over, so it is dropped."""


class UnknownKind(LookupError):
    """A mail of a kind that no app has registered: an error of the program."""


@dataclass(frozen=True, slots=True)
class MailKind:
    """How a kind of mail is made.

    `subject` is a template string of one line. `template` is the path without its ending, of which `.txt` and `.html`
    exist. `sample` is a context for previews and for the tests of every layout; it holds what `enrich` would have to
    look up, such as a link with a secret.
    """

    kind: str
    subject: str
    template: str
    enrich: Enrich | None = None
    sample: Mapping[str, Any] = field(default_factory=dict)


_kinds: Final[dict[str, MailKind]] = {}


def register(
    *,
    kind: str,
    subject: str,
    template: str = "",
    enrich: Enrich | None = None,
    sample: Mapping[str, Any] | None = None,
) -> None:
    """Makes a kind known. Without a `template` it is `mail/<kind>`.

    `enrich` is called outside any transaction when the mail is sent, each time it is tried, with the queued context;
    what it returns is laid over the context. It may add links with fresh secrets, and may raise Obsolete.
    """
    _kinds[kind] = MailKind(
        kind=kind, subject=subject, template=template or f"mail/{kind}", enrich=enrich, sample=dict(sample or {})
    )


def get_kind(kind: str) -> MailKind:
    """Raises UnknownKind."""
    try:
        return _kinds[kind]
    except KeyError:
        raise UnknownKind(kind) from None


def list_kinds() -> list[MailKind]:
    """All kinds by name."""
    return [_kinds[name] for name in sorted(_kinds)]
