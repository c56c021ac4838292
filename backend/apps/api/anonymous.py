"""Calls without a token."""

from typing import Any

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.common.scopes import SystemScope, bind_system


class OpenView(APIView):
    """For those who have no token yet. JSON bodies only, so that no other site's form can post here."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # Whoever it will turn out to be is still to be found.
        bind_system(SystemScope.AUTHENTICATION)
