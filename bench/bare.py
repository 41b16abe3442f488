"""The yardstick of `ingest`: a Django view that inserts one row, under the same gunicorn and the same short way in."""

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path

INSERT = "INSERT INTO bench_bare (server_id, at, cpu) VALUES (gen_random_uuid(), clock_timestamp(), %s)"


def insert_one(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [12.5])
    return JsonResponse({"poll": 60, "desired": None})


urlpatterns = [path("agent/v1/bare", insert_one), path("", include("mailat.urls"))]
