"""Documents about money as people receive them."""

from apps.billing.render.as_pdf import render_pdf

__all__ = ["render_pdf"]
