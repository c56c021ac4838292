"""The exports of a report: three forms of one outline."""

from apps.reporting.render.as_json import json
from apps.reporting.render.as_markdown import markdown
from apps.reporting.render.as_pdf import pdf
from apps.reporting.render.outline import make_file_name

__all__ = ["json", "make_file_name", "markdown", "pdf"]
