"""The whole API behind one object: `client.worklogs.list(...)`, `client.reports.create(...)`."""

from apps.backend.audit import AuditApi
from apps.backend.auth import AuthApi
from apps.backend.billing import BillingApi
from apps.backend.jobs import JobsApi
from apps.backend.me import MeApi
from apps.backend.mydata import MyDataApi
from apps.backend.payments import PaymentsApi
from apps.backend.reports import ReportsApi
from apps.backend.second_factor import SecondFactorApi
from apps.backend.sessions import SessionsApi
from apps.backend.staff import StaffApi
from apps.backend.staff_billing import StaffBillingApi
from apps.backend.status import StatusApi
from apps.backend.support import SupportApi
from apps.backend.tenant import TenantApi
from apps.backend.tokens import TokensApi
from apps.backend.transport import Caller, Transport
from apps.backend.usage import UsageApi
from apps.backend.visitor import Visitor
from apps.backend.worklogs import WorklogsApi


class BackendClient:
    """Bound to one person's token and one request's id. Cheap to make; the connections are the transport's.

    With `support_grant` staff read what the person who gave it would see, and nothing else.

    Every method raises a BackendError (`apps.backend.errors`); most pages let it fly, the shell answers it.
    """

    def __init__(
        self,
        *,
        transport: Transport,
        token: str = "",
        request_id: str = "",
        visitor: Visitor | None = None,
        support_grant: str = "",
    ) -> None:
        caller = Caller(
            transport=transport, token=token, request_id=request_id, visitor=visitor, support_grant=support_grant
        )
        self.auth = AuthApi(caller)
        self.me = MeApi(caller)
        self.sessions = SessionsApi(caller)
        self.tokens = TokensApi(caller)
        self.second_factor = SecondFactorApi(caller)
        self.status = StatusApi(caller)
        self.worklogs = WorklogsApi(caller)
        self.reports = ReportsApi(caller)
        self.jobs = JobsApi(caller)
        self.billing = BillingApi(caller)
        self.payments = PaymentsApi(caller)
        self.usage = UsageApi(caller)
        self.tenant = TenantApi(caller)
        self.audit = AuditApi(caller)
        self.support = SupportApi(caller)
        self.mydata = MyDataApi(caller)
        self.staff = StaffApi(caller)
        self.staff_billing = StaffBillingApi(caller)
