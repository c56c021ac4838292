"""The page that shows the mails, and the same as JSON."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from html import escape

from devstack.standins.mail.mailbox import Mail, Mailbox
from devstack.standins.web import Application, Request, Response, html_response, json_response, redirect

STYLE = """
:root { color-scheme: light dark; --ink: #1b2621; --quiet: #55655e; --line: #dbe5df; --paper: #fff; --page: #f3f6f4;
  --link: #1e664f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6efe9; --quiet: #a3b5ab; --line: #2b3a33; --paper: #17211c;
  --page: #0e1512; --link: #8ccab0; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem; color: var(--ink);
  background: var(--page); overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .5rem 0 1rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
a { color: var(--link); } .quiet { color: var(--quiet); } form { margin: 1.5rem 0; }
button { font: inherit; padding: .4rem 1rem; border: 1px solid var(--line); border-radius: .5rem; color: var(--ink);
  background: var(--paper); cursor: pointer; }
ul { list-style: none; margin: 0; padding: 0; border: 1px solid var(--line); border-radius: .75rem; overflow: hidden;
  background: var(--paper); }
li + li { border-top: 1px solid var(--line); }
li a { display: grid; grid-template-columns: 1fr auto; gap: 0 1rem; padding: .6rem 1rem; text-decoration: none;
  color: var(--ink); }
li a:hover, li a:focus-visible { background: var(--page); } li b { grid-column: 1 / -1; color: var(--link); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0 0 1rem; }
dt { color: var(--quiet); } dd { margin: 0; }
pre { white-space: pre-wrap; margin: 0; padding: 1rem; border: 1px solid var(--line); border-radius: .75rem;
  background: var(--paper); font: 14px/1.5 ui-monospace, monospace; }
iframe { display: block; width: 100%; height: 44rem; border: 1px solid var(--line); border-radius: .75rem; }
summary { cursor: pointer; margin: 2rem 0 .5rem; }
"""
# A mail is somebody else's page: no script, no form, nothing fetched from outside. Its links open beside it.
SANDBOX = "allow-popups allow-popups-to-escape-sandbox"
MAIL_POLICY = f"sandbox {SANDBOX}; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'"
META = "<meta charset='utf-8'><meta name='viewport' content='width=device-width, initial-scale=1'>"
LINK = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?)]")


def make_application(mailbox: Mailbox) -> Application:
    """Return the web application over a mailbox."""

    def application(request: Request) -> Response:
        match request.method, request.path:
            case "GET", "/_health":
                return json_response({"status": "ok"})
            case "GET", "/":
                return _page("Mail", _list(mailbox.list_mails()))
            case "GET", "/messages.json":
                return json_response({"messages": _addressed(mailbox.list_mails(), request.parameter("to"))})
            case ("DELETE", "/messages.json") | ("DELETE", "/messages"):
                mailbox.clear()
                return json_response({})
            case "POST", "/delete-all":
                mailbox.clear()
                return redirect("/")
        return _one(mailbox, request)

    return application


def _one(mailbox: Mailbox, request: Request) -> Response:
    prefix, _, rest = request.path.removeprefix("/").partition("/")
    mail_id, _, form = rest.removesuffix(".json").partition("/")
    mail = mailbox.find(mail_id) if prefix == "messages" else None
    if mail is None:
        return json_response({"error": "not found"}, status=404)
    match request.method, "json" if rest.endswith(".json") else form:
        case "DELETE", _:
            mailbox.delete(mail_id)
            return json_response({})
        case "GET", "json":
            return json_response(asdict(mail))
        case "GET", "html":
            return html_response(_aim(mail.html), headers={"Content-Security-Policy": MAIL_POLICY})
        case "GET", "raw":
            return Response(body=mailbox.find_raw(mail_id) or b"", content_type="text/plain; charset=utf-8")
        case "GET", "":
            return _page(mail.subject or "(no subject)", _show(mail), nav="<nav><a href='/'>All mails</a></nav>")
    return json_response({"error": "not found"}, status=404)


def _addressed(mails: Sequence[Mail], recipient: str) -> list[dict[str, object]]:
    return [asdict(mail) for mail in mails if not recipient or recipient in mail.recipients]


def _page(title: str, content: str, *, nav: str = "") -> Response:
    head = f"<!doctype html><html lang='en'>{META}<title>{escape(title)}</title><style>{STYLE}</style>"
    headers = {"Content-Security-Policy": PAGE_POLICY}
    return html_response(
        f"{head}<body>{nav}<h1>{escape(title)}</h1>{content}</body></html>",
        headers=headers,
    )


def _list(mails: Sequence[Mail]) -> str:
    if not mails:
        return "<p class='quiet'>No mail yet. Whatever the product sends on this machine arrives here.</p>"
    rows = "".join(
        f"<li><a href='/messages/{mail.id}'><b>{escape(mail.subject or '(no subject)')}</b>"
        f"<span>{escape(', '.join(mail.recipients))}</span><span class='quiet'>{_show_time(mail)}</span></a></li>"
        for mail in mails
    )
    button = "<form method='post' action='/delete-all'><button>Delete all</button></form>"
    return f"<ul>{rows}</ul>{button}"


def _show(mail: Mail) -> str:
    known = {"From": dict(mail.headers).get("From", mail.sender), "To": ", ".join(mail.recipients)}
    files = {"Attachments": ", ".join(mail.attachments)} if mail.attachments else {}
    head = _describe({**known, "Received": _show_time(mail), **files}.items())
    page = f"<h2>HTML</h2><iframe sandbox='{SANDBOX}' title='HTML' src='/messages/{mail.id}/html'></iframe>"
    rest = f"<details><summary>All headers</summary>{_describe(mail.headers)}</details>"
    raw = f"<p><a href='/messages/{mail.id}/raw'>As it came over the wire</a></p>"
    text = f"<h2>Text</h2><pre>{_link(mail.text)}</pre>" if mail.text else ""
    return f"{head}{page if mail.html else ''}{text}{rest}{raw}"


def _aim(html: str) -> str:
    """The mail with its links opening beside it. Nothing may stand before its doctype, or it would look different."""
    base = "<base target='_blank'>"
    return html.replace("<head>", f"<head>{base}", 1) if "<head>" in html else base + html


def _describe(pairs: Iterable[tuple[str, str]]) -> str:
    return f"<dl>{''.join(f'<dt>{escape(name)}</dt><dd>{escape(value)}</dd>' for name, value in pairs)}</dl>"


def _show_time(mail: Mail) -> str:
    return f"{escape(mail.received_at[:19].replace('T', ' '))} UTC"


def _link(text: str) -> str:
    """The text with its addresses as links, everything else escaped."""
    parts: list[str] = []
    end = 0
    for match in LINK.finditer(text):
        address = escape(match[0])
        parts += [
            escape(text[end : match.start()]),
            f"<a href='{address}' target='_blank' rel='noopener'>{address}</a>",
        ]
        end = match.end()
    return "".join([*parts, escape(text[end:])])
