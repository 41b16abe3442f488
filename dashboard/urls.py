"""The customer's pages."""

from django.urls import path

from dashboard.views import account, activity, billing, landing, new_server, overview, receipts, servers

urlpatterns = [
    path("", landing.landing, name="landing"),
    path("plans", landing.plans, name="plans"),
    path("overview", overview.overview, name="overview"),
    path("overview/live", overview.overview_live, name="overview-live"),
    path("servers/new", new_server.server_new, name="server-new"),
    path("servers/new/name", new_server.server_name, name="server-name"),
    path("servers/<uuid:pk>", servers.server, name="server"),
    path("servers/<uuid:pk>/live", servers.server_live, name="server-live"),
    path("servers/<uuid:pk>/charts", servers.server_charts, name="server-charts"),
    path("billing", billing.billing, name="billing"),
    path("receipts/<uuid:pk>", receipts.receipt, name="receipt"),
    path("receipts/<uuid:pk>.json", receipts.receipt_file, name="receipt-file"),
    path("activity", activity.activity, name="activity"),
    path("account", account.account, name="account"),
    path("account/choose/<uuid:pk>", account.account_choose, name="account-choose"),
]
