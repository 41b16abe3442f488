"""The yardsticks of `ingest`: a bare Django view that inserts one row, as any view, and by the short way that agents take."""

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

INSERT = "INSERT INTO bench_bare (server_id, at, cpu) VALUES (gen_random_uuid(), clock_timestamp(), %s)"


@csrf_exempt
def insert_one(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [12.5])
    return JsonResponse({"poll": 60, "desired": None})


urlpatterns = [path("agent/v1/bare", insert_one), path("bare", insert_one), path("", include("mailat.urls"))]
