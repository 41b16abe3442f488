"""The agents' addresses, below /agent/v1/."""

from django.urls import path

from servers import agent_api

urlpatterns = [
    path("agent.pyz", agent_api.program),
    path("enrol", agent_api.enrol),
    path("report", agent_api.report),
]
