"""The address that Gumroad is given; exact, because a redirect would lose the ping."""

from django.urls import path

from billing import webhook

urlpatterns = [path("gumroad/<str:secret>", webhook.gumroad)]
