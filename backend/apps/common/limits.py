"""Every limit of the product, in one table. `RATE_LIMITS` in the environment changes amounts and windows.

What decides over identities fails closed: nobody guesses for free while the counters are away. What serves people who
are signed in fails open: they must not suffer for a counter.
"""

from typing import Final

from apps.common.rate_limits import Limit

_QUARTER: Final = 15 * 60
_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR

# Wrong passwords only. What was typed is the key, not the person behind it: otherwise the limit would tell which name
# and which address belong together. So a guesser has two budgets for each person, one by name and one by e-mail.
LOGIN_ACCOUNT: Final = Limit("login_account", 10, _QUARTER, fail_closed=True)
LOGIN_ADDRESS: Final = Limit("login_address", 100, _QUARTER, fail_closed=True)
# Wrong codes, whichever challenge they were tried on.
SECOND_FACTOR_ACCOUNT: Final = Limit("second_factor_account", 10, _QUARTER, fail_closed=True)
REAUTHENTICATION_ACCOUNT: Final = Limit("reauthentication_account", 10, _QUARTER, fail_closed=True)
# A whole office may sign up on one morning; guesses of keys are counted by themselves.
SIGN_UP_ADDRESS: Final = Limit("sign_up_address", 60, _HOUR, fail_closed=True)
PASSKEY_ADDRESS: Final = Limit("passkey_address", 20, _HOUR, fail_closed=True)
PASSWORD_RESET_ADDRESS: Final = Limit("password_reset_address", 30, _HOUR, fail_closed=True)
# Never shown: the answer is the same as ever, there is just no further mail.
PASSWORD_RESET_EMAIL: Final = Limit("password_reset_email", 3, _HOUR, fail_closed=True)
# Links with keys of 128 bits and more: the limit is there to see and stop somebody who tries.
LINK_ADDRESS: Final = Limit("link_address", 60, _HOUR, fail_closed=True)
EMAIL_ACCOUNT: Final = Limit("email_account", 10, _HOUR, fail_closed=True)
EXPORT_ACCOUNT: Final = Limit("export_account", 10, _DAY, fail_closed=True)
# The reserve bounds what jobs cost; this bounds how many wait.
JOBS_TENANT: Final = Limit("jobs_tenant", 120, _HOUR, fail_closed=False)
# Each of these asks the payment service something. The page that waits for a payment asks every few seconds.
TOPUP_TENANT: Final = Limit("topup_tenant", 30, _HOUR, fail_closed=False)
PAYMENT_CHECK_TENANT: Final = Limit("payment_check_tenant", 600, _HOUR, fail_closed=False)
PAYMENT_PAGE_TENANT: Final = Limit("payment_page_tenant", 30, _HOUR, fail_closed=False)
# A stolen session of staff shall not empty the house.
REFUND_ACCOUNT: Final = Limit("refund_account", 60, _HOUR, fail_closed=True)
API_TOKEN: Final = Limit("api_token", 600, 60, fail_closed=False)
API_ADDRESS: Final = Limit("api_address", 300, 60, fail_closed=False)

ALL: Final = {
    limit.name: limit
    for limit in (
        LOGIN_ACCOUNT,
        LOGIN_ADDRESS,
        SECOND_FACTOR_ACCOUNT,
        REAUTHENTICATION_ACCOUNT,
        SIGN_UP_ADDRESS,
        PASSKEY_ADDRESS,
        PASSWORD_RESET_ADDRESS,
        PASSWORD_RESET_EMAIL,
        LINK_ADDRESS,
        EMAIL_ACCOUNT,
        EXPORT_ACCOUNT,
        JOBS_TENANT,
        TOPUP_TENANT,
        PAYMENT_CHECK_TENANT,
        PAYMENT_PAGE_TENANT,
        REFUND_ACCOUNT,
        API_TOKEN,
        API_ADDRESS,
    )
}
