"""Every address of the site; each room brings its own."""

from django.contrib import admin
from django.urls import include, path

from mailat import views

urlpatterns = [
    path("agent/v1/", include("servers.urls")),  # first, because most requests are agents' reports
    path("healthz", views.healthz),
    path(".well-known/mailat-signing-keys", views.signing_keys),
    path("admin/password_change/", views.nothing),  # nobody here has a password
    path("admin/password_change/done/", views.nothing),
    path("admin/", include("mailat.staff_urls")),
    path("admin/", admin.site.urls),
    path("hooks/", include("billing.urls")),
    path("hooks/", include("sending.urls")),
    path("", include("accounts.urls")),
    path("", include("accounts.mfa_urls")),
    path("", include("dashboard.urls")),
]

handler400 = "dashboard.errors.bad"
handler403 = "dashboard.errors.forbidden"
handler404 = "dashboard.errors.not_found"
handler500 = "dashboard.errors.broken"
