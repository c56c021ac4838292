"""How the hosted pages look: one style, light and dark as the person's system is set, no script at all."""

from html import escape

from devstack.standins.web import Response, html_response

STYLE = """
:root { color-scheme: light dark; --ink: #1a1f36; --quiet: #545969; --line: #d8dce6; --paper: #fff; --page: #f5f6f8;
  --key: #4b45c6; --key-ink: #fff; --note: #fff4d6; --note-ink: #5c4300; --bad: #fde8e8; --bad-ink: #8f1d1d;
  --good: #e3f5ea; --good-ink: #14532d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaf2; --quiet: #a6adbf; --line: #363c4e; --paper: #1b1f2b;
  --page: #11141c; --key: #8f8af5; --key-ink: #11132b; --note: #3a2f10; --note-ink: #f6dc98; --bad: #3f1d1f;
  --bad-ink: #f8b9b9; --good: #16301f; --good-ink: #a9e2bd; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; color: var(--ink); background: var(--page);
  overflow-wrap: anywhere; }
.ribbon { margin: 0; padding: .5rem 1rem; text-align: center; font-size: .9rem; background: var(--note);
  color: var(--note-ink); }
main { max-width: 30rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; } main.wide { max-width: 62rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: .25rem 0 1rem; } h2 { font-size: 1.1rem; margin: 0 0 .75rem; }
p { margin: .5rem 0; } a { color: var(--key); } .quiet { color: var(--quiet); } .small { font-size: .875rem; }
.box { padding: 1.25rem; margin: 1rem 0; border: 1px solid var(--line); border-radius: .75rem;
  background: var(--paper); }
.note { padding: .6rem .9rem; border-radius: .5rem; background: var(--note); color: var(--note-ink); }
.error { background: var(--bad); color: var(--bad-ink); } .good { background: var(--good); color: var(--good-ink); }
label { display: block; margin: 0 0 1rem; font-weight: 500; } .pair { display: grid; grid-template-columns: 1fr 1fr;
  gap: 0 1rem; }
input[type=text], input[type=email] { display: block; width: 100%; margin-top: .25rem; padding: .6rem .7rem;
  font: inherit; color: inherit; background: var(--page); border: 1px solid var(--quiet); border-radius: .5rem; }
label.check { display: flex; gap: .6rem; align-items: baseline; font-weight: 400; }
button { font: inherit; padding: .45rem .9rem; border: 1px solid var(--quiet); border-radius: .5rem; color: var(--ink);
  background: var(--paper); cursor: pointer; } button:hover { border-color: var(--key); }
button.key { width: 100%; padding: .8rem 1rem; border-color: var(--key); color: var(--key-ink); background: var(--key);
  font-weight: 600; }
:focus-visible { outline: 3px solid var(--key); outline-offset: 2px; }
.scrolls { overflow-x: auto; } td button, td code { white-space: nowrap; }
table { overflow-wrap: normal; width: 100%; border-collapse: collapse; font-size: .95rem; }
th, td { padding: .5rem .75rem .5rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
tr:last-child > * { border-bottom: 0; } th { font-weight: 600; } .amount { text-align: right; white-space: nowrap; }
td form, .row { display: flex; flex-wrap: wrap; gap: .4rem; margin: 0; } summary { cursor: pointer; }
code { font: .875rem ui-monospace, monospace; } details { margin-top: 1rem; }
"""
# No form-action: a browser applies it to the redirect back to the shop as well.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
RIBBON = "Stand-in for Stripe on this machine. No card is charged and no money moves."
AMOUNTS, NUMERIC = ("Amount", "Refunded"), " class='amount'"
SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£"}


def page(title: str, content: str, *, status: int = 200, is_wide: bool = False) -> Response:
    """Return a page under its heading; `content` is HTML."""
    head = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(title)} - Stripe stand-in</title><style>{STYLE}</style></head>"
    )
    wide = " class='wide'" if is_wide else ""
    body = f"<body><header class='ribbon'>{RIBBON}</header><main{wide}><h1>{escape(title)}</h1>{content}</main></body>"
    return html_response(f"{head}{body}</html>", status=status, headers={"Content-Security-Policy": POLICY})


def money(cents: int, currency: str) -> str:
    """Return an amount as people read it."""
    sign = "-" if cents < 0 else ""
    whole = f"{abs(cents) // 100:,}.{abs(cents) % 100:02}"
    symbol = SYMBOLS.get(currency.lower(), f"{currency.upper()} ")
    return f"{sign}{symbol}{whole}"


def box(title: str, content: str) -> str:
    """Return a section of a page."""
    return f"<section class='box'><h2>{escape(title)}</h2>{content}</section>"


def table(headings: tuple[str, ...], rows: list[str], *, empty: str) -> str:
    """Return a table that scrolls by itself when it is too wide, or the sentence for an empty one."""
    if not rows:
        return f"<p class='quiet'>{escape(empty)}</p>"
    head = "".join(
        f"<th scope='col'{NUMERIC if heading in AMOUNTS else ''}>{escape(heading)}</th>" for heading in headings
    )
    lines = "".join(f"<tr>{row}</tr>" for row in rows)
    return (
        f"<div class='scrolls' tabindex='0'><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def button(label: str, *, name: str, value: str, about: str = "") -> str:
    """Return a button of a form; `about` is what a screen reader hears behind the label."""
    spoken = f" aria-label='{escape(f'{label}: {about}')}'" if about else ""
    return f"<button name='{escape(name)}' value='{escape(value)}'{spoken}>{escape(label)}</button>"
