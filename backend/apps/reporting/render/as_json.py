"""A report as JSON: the document, what it rests on, and how it was made."""

import json as json_format
from typing import Final

from apps.reporting.render.outline import get_document
from apps.reporting.types import ReportView

FORMAT: Final = "afterresume.report/1"


def json(report: ReportView) -> bytes:
    """UTF-8 JSON with the ids that tie bullets to entries. Raises ReportNotReady."""
    document = get_document(report)
    value = {
        "format": FORMAT,
        "id": str(report.id),
        "kind": report.kind.value,
        "author": report.author_name,
        "period": {"from": report.period_from.isoformat(), "to": report.period_to.isoformat()},
        "finished_at": report.finished_at.isoformat() if report.finished_at else None,
        "writer": {
            "provider": report.writer.provider,
            "model": report.writer.model,
            "label": report.writer.label,
            "prompt_version": report.prompt_version,
        },
        "document": document.to_json(),
        "entries": [entry.to_json() for entry in report.entries],
    }
    return json_format.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"
