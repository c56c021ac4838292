"""The page that shows the mails, and the same as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from html import escape

from devstack.standins.mail.mailbox import Mail, Mailbox
from devstack.standins.web import Application, Request, Response, html_response, json_response, redirect

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1f2937; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .4rem .6rem .4rem 0; }
tr { border-bottom: 1px solid #e5e7eb; } pre { white-space: pre-wrap; background: #f9fafb; padding: 1rem; }
iframe { width: 100%; height: 30rem; border: 1px solid #e5e7eb; } .quiet { color: #6b7280; }
"""
# A mail is somebody else's page: no script, no form, nothing fetched from outside.
MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'"


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
            return html_response(mail.html, headers={"Content-Security-Policy": MAIL_POLICY})
        case "GET", "raw":
            return Response(body=mailbox.find_raw(mail_id) or b"", content_type="text/plain; charset=utf-8")
        case "GET", "":
            return _page(mail.subject or "(no subject)", _show(mail))
    return json_response({"error": "not found"}, status=404)


def _addressed(mails: Sequence[Mail], recipient: str) -> list[dict[str, object]]:
    return [asdict(mail) for mail in mails if not recipient or recipient in mail.recipients]


def _page(title: str, content: str) -> Response:
    head = f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{escape(title)}</title><style>{STYLE}</style>"
    headers = {"Content-Security-Policy": PAGE_POLICY}
    return html_response(f"{head}<body><h1>{escape(title)}</h1>{content}</body></html>", headers=headers)


def _list(mails: Sequence[Mail]) -> str:
    if not mails:
        return "<p class='quiet'>No mail yet. Whatever the product sends on this machine arrives here.</p>"
    rows = "".join(
        f"<tr><td><a href='/messages/{mail.id}'>{escape(mail.subject or '(no subject)')}</a></td>"
        f"<td>{escape(', '.join(mail.recipients))}</td><td class='quiet'>{escape(mail.received_at[:19])}</td></tr>"
        for mail in mails
    )
    button = "<form method='post' action='/delete-all'><button>Delete all</button></form>"
    return f"<table><tr><th>Subject</th><th>To</th><th>Received (UTC)</th></tr>{rows}</table><br>{button}"


def _show(mail: Mail) -> str:
    headers = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in mail.headers)
    html = f"<h2>HTML</h2><iframe sandbox src='/messages/{mail.id}/html'></iframe>" if mail.html else ""
    files = f"<p>Attachments: {escape(', '.join(mail.attachments))}</p>" if mail.attachments else ""
    links = f"<p><a href='/'>All mails</a> · <a href='/messages/{mail.id}/raw'>As it came</a></p>"
    return f"{links}<table>{headers}</table>{files}<h2>Text</h2><pre>{escape(mail.text)}</pre>{html}"
