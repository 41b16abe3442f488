"""What the customer takes to Amazon: the policy of their key's user, and a template that makes that user."""

from collections.abc import Callable
from uuid import UUID

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from clients import aws_policy
from dashboard.access import PersonsRequest, signed_in, the_server
from dashboard.mail.assistant import USUAL_REGION, found_of
from dashboard.mail.permission import NAME, names_of, policy_text, region_of, template_text
from dashboard.mail.testers import named_in_policy


@signed_in
@require_safe
def policy(request: PersonsRequest, pk: UUID) -> HttpResponse:
    """The IAM policy as a file. Raises Http404 where none can be written."""
    return _file(request, pk, "policy", policy_text)


@signed_in
@require_safe
def template(request: PersonsRequest, pk: UUID) -> HttpResponse:
    """The CloudFormation template as a file. Raises Http404 where none can be written."""
    return _file(request, pk, "template", template_text)


def _file(
    request: PersonsRequest, pk: UUID, kind: str, text_of: Callable[[str, list[str], list[str]], str]
) -> HttpResponse:
    server = the_server(request.user, pk)
    testers = named_in_policy(server, found_of(server))
    try:
        text = text_of(region_of(request, USUAL_REGION), names_of(server), testers)
    except aws_policy.NoPolicy:
        raise Http404 from None
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{NAME}-{kind}.json"'
    return response
