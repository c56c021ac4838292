"""`manage.py preview_mails DIR`: every kind of mail as a page, with the samples that the kinds were registered with."""

from argparse import ArgumentParser
from html import escape
from pathlib import Path
from typing import Any

from apps.mail.registry import list_kinds
from apps.mail.rendering import render_sample
from apps.observability.commands import AuditedCommand


class Command(AuditedCommand):
    help = "Write each kind of mail as .html and .txt, and an index of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        rows = []
        for kind in list_kinds():
            mail = render_sample(kind)
            (folder / f"{kind.kind}.html").write_text(mail.html, encoding="utf-8")
            (folder / f"{kind.kind}.txt").write_text(f"Subject: {mail.subject}\n\n{mail.text}", encoding="utf-8")
            rows.append(
                f'<li><a href="{kind.kind}.html">{escape(mail.subject)}</a> (<a href="{kind.kind}.txt">text</a>)'
            )
        index = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Mails</title><ul>{"".join(rows)}</ul>'
        (folder / "index.html").write_text(index, encoding="utf-8")
        self.stdout.write(f"{len(rows)} kinds of mail written to {folder}")
