"""Second factors, and showing again who one is."""

from django.urls import path, re_path

from accounts import mfa_views, passkeys_views, stepup_views, views

urlpatterns = [
    path("sign-in", views.sign_in, name="account_login"),  # as allauth calls it
    path("sign-in/passkey", passkeys_views.sign_in_passkey, name="sign-in-passkey"),
    path("sign-in/second", passkeys_views.second_step, name="mfa_authenticate"),  # as allauth calls it
    path("sign-in/give-up", passkeys_views.give_up, name="sign-in-give-up"),
    re_path(
        r"^passkeys/(?P<purpose>add|sign_in|second|prove)/question$",
        passkeys_views.question,
        name="passkey-question",
    ),
    path("prove", stepup_views.prove, name="prove"),
    path("prove/link/<str:token>", stepup_views.prove_link, name="prove-link"),
    path("account/security", mfa_views.security, name="security"),
    path("account/security/passkeys/new", mfa_views.passkey_new, name="passkey-new"),
    path("account/security/app", mfa_views.app_new, name="app-new"),
    path("account/security/codes", mfa_views.codes_new, name="codes-new"),
]
