"""Leaving: allauth asks and ends the session; the browser is told to forget what it was shown."""

from allauth.account.views import logout
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_http_methods

# Pages are `no-store` already; this also drops what a browser keeps for its back button. Not "storage": the choice of
# theme lies there, and drafts are forgotten by the page itself, which works without a connection as well.
FORGET = '"cache"'


@require_http_methods(["GET", "HEAD", "POST"])
def sign_out(request: HttpRequest) -> HttpResponseBase:
    """GET asks, POST ends the session."""
    was_signed_in = request.user.is_authenticated
    response: HttpResponseBase = logout(request)
    if was_signed_in and not request.user.is_authenticated:
        response["Clear-Site-Data"] = FORGET
    return response
