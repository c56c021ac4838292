"""Everything below /accounts/: the ways in, and proofs of who somebody is. Names are allauth's where it has one."""

from allauth.account.views import login
from django.urls import path
from django.views.decorators.http import require_http_methods

from apps.accounts.views import email, passwords, reauthentication, second_factor, sign_out, sign_up

# allauth's view takes PUT for a POST.
sign_in = require_http_methods(["GET", "HEAD", "POST"])(login)

urlpatterns = [
    path("login/", sign_in, name="account_login"),
    path("logout/", sign_out.sign_out, name="account_logout"),
    path("signup/", sign_up.sign_up_redirect, name="account_signup"),
    path("second-factor/", second_factor.second_factor, name="account_second_factor"),
    path("reauthenticate/", reauthentication.reauthenticate, name="account_reauthenticate"),
    path("password/change/", passwords.change_password, name="account_change_password"),
    path("password/reset/", passwords.request_reset, name="account_reset_password"),
    path("password/reset/sent/", passwords.reset_sent, name="account_reset_password_sent"),
    path("password/reset/choose/", passwords.choose_password, name="account_reset_password_choose"),
    path("password/reset/<str:uid>/<str:token>/", passwords.follow_reset_link, name="account_reset_password_link"),
    path("email/change/", email.change, name="account_email"),
    path("email/change/drop/", email.drop_change, name="account_email_drop"),
    path("email/resend/", email.resend, name="account_email_resend"),
    path("email/verify/<str:key>/", email.verify, name="account_confirm_email"),
]
