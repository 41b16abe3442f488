"""What nobody sends who means well."""

from collections.abc import Iterator
from dataclasses import dataclass, field

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "CONNECT", "BREW")
FORM = "application/x-www-form-urlencoded"
LONG = "a" * 3000
DEEP = b"[" * 50_000


@dataclass(frozen=True)
class Junk:
    """One odd request: a query, a body with its type, and headers as WSGI has them."""

    says: str
    method: str = "POST"
    query: str = ""
    body: bytes = b""
    kind: str = FORM
    headers: dict[str, str] = field(default_factory=dict)


def bodies() -> Iterator[Junk]:
    both = b'--b\r\nContent-Disposition: form-data; name="do"\r\n\r\nx\r\n'
    yield Junk("nothing of no type", kind="")
    yield Junk("half a multipart", kind="multipart/form-data; boundary=b", body=both)
    yield Junk("a multipart without a boundary", kind="multipart/form-data", body=both)
    yield Junk("a boundary of no letters", kind="multipart/form-data; boundary=\xff\xfe", body=both)
    yield Junk("a part in base64 that is none", kind="multipart/form-data; boundary=b",
               body=both.replace(b"\r\n\r\nx", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!") + b"--b--\r\n")  # fmt: skip
    yield Junk("a file where words are wanted", kind="multipart/form-data; boundary=b",
               body=both.replace(b'"do"', b'"do"; filename="../../x"') + b"--b--\r\n")  # fmt: skip
    yield Junk("bytes of no alphabet", body=b"\xff\xfe=\xfa&do=\xff")
    yield Junk("another alphabet", kind=FORM + "; charset=utf-16", body="do=x".encode("utf-16"))
    yield Junk("an alphabet that is none", kind=FORM + "; charset=klingon", body=b"do=x")
    yield Junk("more fields than are read", body=b"&".join(b"a=%d" % n for n in range(2000)))
    yield Junk("more than is read", body=b"a=" + b"x" * 1_100_000)
    yield Junk("percents that lead nowhere", body=b"do=%&%zz=%%&=&&%00=%00")
    yield Junk("text that says it is JSON", kind="application/json", body=b"{")
    yield Junk("JSON of endless depth", kind="application/json", body=DEEP)
    yield Junk("JSON that is no object", kind="application/json", body=b"null")
    yield Junk("a surrogate in JSON", kind="application/json", body=b'{"do": "\\ud800", "id": "\\u0000"}')
    yield Junk("packed, as it says", body=b"\x1f\x8b\x08junk", headers={"HTTP_CONTENT_ENCODING": "gzip"})


def queries() -> Iterator[Junk]:
    for query in (
        "next=%00&q=%00&page=%00&after=%00&before=%00&state=%00&do=%00",
        "q=%ff%fe&next=%ff&after=%f0%9f%92%a9",
        f"q={LONG}&after={'9' * 400}&before=-1&page={'9' * 40}&p={'9' * 40}&o=-.999&e=1",
        "next=//evil.example&next=javascript:alert(1)&next=http://[",
        "next=//[&to=//[&back=//[",
        "after=nan&before=inf&since=0000-00-00&until=9999-99-99&year=99999&zone=../../etc/passwd",
        "a=1&" * 900,
        "o=1&o=x&_popup=1&_to_field=password&user__password__startswith=a&id__in=1,x",
        "q=%22&q=%27;--&q=%5c&state[]=1&state=%25&hours=1e309&days=-1",
    ):
        yield Junk(f"the query {query[:30]}", method="GET", query=query)


def headers() -> Iterator[Junk]:
    for name, value in (
        ("HTTP_HX_CURRENT_URL", "http://["),
        ("HTTP_HX_CURRENT_URL", "\x00"),
        ("HTTP_REFERER", "http://[::1"),
        ("HTTP_REFERER", "https://testserver:99999999/x"),
        ("HTTP_COOKIE", 'session="\\000\\000\\000\\000\\000\\000\\000\\000\\000"; csrf="\\000"; zone="\\000"; asked="\\000"'),
        ("HTTP_COOKIE", "session=" + "x" * 4000 + "; zone=Mars%2FOlympus; csrf=\xff"),
        ("HTTP_COOKIE", "zone=..%2F..%2Fetc%2Fpasswd; django_language=../../x; messages=x; =; ;;"),
        ("HTTP_COOKIE", "zone=%2Fusr%2Fshare; zone=" + "a" * 3000),
        ("HTTP_ACCEPT_LANGUAGE", "en;q=nan, *;q=\x00, " + "x" * 600),
        ("HTTP_IF_MODIFIED_SINCE", "Mon, 99 Foo 99999 99:99:99 GMT"),
        ("HTTP_IF_NONE_MATCH", '"'),
        ("HTTP_RANGE", "bytes=9-1,-"),
        ("HTTP_AUTHORIZATION", "Bearer 00000000-0000-4000-8000-000000000000.\x00"),
        ("HTTP_AUTHORIZATION", "Bearer x.y.z"),
        ("HTTP_X_FORWARDED_FOR", "\x00, ::::, 999.9.9.9"),
        ("HTTP_X_REQUEST_ID", "\r\nSet-Cookie: a=b"),
        ("HTTP_ORIGIN", "http://["),
        ("HTTP_HX_REQUEST", "\xff"),
        ("HTTP_HOST", "evil.example"),
        ("HTTP_HOST", "testserver:99999999"),
        ("HTTP_HOST", "[::1"),
        ("HTTP_HOST", ""),
        ("CONTENT_LENGTH", "-5"),
        ("CONTENT_TYPE", "/;=\xff"),
    ):  # fmt: skip
        for method in ("GET", "POST"):
            more = {"HTTP_HX_REQUEST": "true"} if name == "HTTP_HX_CURRENT_URL" else {}
            yield Junk(f"{name} {value[:30]!r}", method=method, headers={**more, name: value})


def everything() -> list[Junk]:
    ways = [Junk(f"the method {method}", method=method) for method in METHODS]
    return [*ways, *bodies(), *queries(), *headers()]
