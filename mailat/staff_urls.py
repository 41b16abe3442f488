"""Pages of the staff's site that are about more than one room; Django's admin has the others."""

from django.contrib import admin
from django.urls import path

from mailat import staff_find, staff_story

urlpatterns = [
    path("find/", admin.site.admin_view(staff_find.find), name="staff-find"),
    path(
        "accounts/account/<uuid:account>/story/", admin.site.admin_view(staff_story.story), name="staff-story"
    ),
]
