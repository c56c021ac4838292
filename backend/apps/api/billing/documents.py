"""Receipts, credit notes and invoices over HTTP."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.api.authentication import get_actor
from apps.api.billing.payment_serializers import BillingDocumentSerializer
from apps.billing import selectors_payments
from apps.billing.models import BillingDocument
from apps.billing.render import render_pdf


@extend_schema_view(get=extend_schema(operation_id="billing_invoices_list", tags=["billing"]))
class DocumentListView(generics.ListAPIView[BillingDocument]):
    """Receipts, credit notes and invoices, newest first."""

    serializer_class = BillingDocumentSerializer

    def get_queryset(self) -> Any:
        return selectors_payments.list_documents(tenant=get_actor(self.request).tenant)


class DocumentPdfView(APIView):
    @extend_schema(
        operation_id="billing_invoices_pdf",
        tags=["billing"],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, document_id: UUID) -> HttpResponse:
        """The document as it was issued."""
        document = selectors_payments.get_document(tenant=get_actor(request).tenant, document_id=document_id)
        name = f"afterresume-{document.kind.replace('_', '-')}-{document}.pdf"
        disposition = content_disposition_header(as_attachment=True, filename=name)
        headers = {"Content-Disposition": disposition or "attachment", "X-Content-Type-Options": "nosniff"}
        return HttpResponse(render_pdf(document=document), content_type="application/pdf", headers=headers)
