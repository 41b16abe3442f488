"""The site, and a page that breaks as one may."""

from django.contrib.auth import get_user
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import path

from mailat import urls

SECRET = "canary-in-an-exception"


def breaks(request: HttpRequest, token: str) -> HttpResponse:
    str(request.user)
    raise LookupError(f"{SECRET} {token}")


def breaks_strangely(request: HttpRequest) -> HttpResponse:
    get_user(request)
    raise OperationalError("the database is away")


urlpatterns = [path("breaks/<str:token>", breaks), path("strangely", breaks_strangely), *urls.urlpatterns]
handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500
