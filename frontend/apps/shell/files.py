"""Files of the backend, passed on to the browser as they come."""

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from apps.backend.transport import Download


def pass_on(found: Download) -> StreamingHttpResponse:
    """The file as an attachment, read while it is sent."""
    response = StreamingHttpResponse(found.chunks, content_type=found.content_type)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=found.filename) or ""
    response["X-Content-Type-Options"] = "nosniff"
    if found.length is not None:
        response["Content-Length"] = str(found.length)
    return response
