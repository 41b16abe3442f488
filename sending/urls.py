from django.urls import path

from sending import webhook

urlpatterns = [path("ses/<uuid:home>/<str:token>", webhook.ses, name="ses-hook")]
