"""Every address of the gate, a process of its own: it has the storage's key, so it answers agents, and who comes from our own pages for a file."""

from django.urls import path

from mailat import views
from servers import export_door, storage_door

urlpatterns = [
    path("agent/v1/storage", storage_door.storage),
    path("storage/exports/<str:word>", export_door.fetch, name="export-file"),
    path("healthz", views.healthz),
]
