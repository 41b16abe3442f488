"""Who asked for an export hears by letter when it is there, or could not be made; whoever is killed between, once."""

from datetime import timedelta

from django.db.models import Min
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import letters
from accounts.models import Letter, Membership, User
from backups.export_models import Export
from backups.models import Job
from domains.models import Mailbox

LOOKED_BACK = timedelta(days=2)


def tell() -> int:
    """Letters that are owed are written; how many."""
    since = timezone.now() - LOOKED_BACK
    ended = Job.objects.filter(do=Job.Do.EXPORT, done_at__gt=since).exclude(state=Job.State.WANTED)
    jobs = {_key(job): job for job in ended.select_related("repository")}
    told = set(Letter.objects.filter(key__in=jobs).values_list("key", flat=True))
    return sum(_tell(job, key) for key, job in jobs.items() if key not in told)


def _key(job: Job) -> str:
    return f"export:{job.pk}"


def _tell(job: Job, key: str) -> bool:
    person = _asker(job)
    here = Export.objects.ready().filter(job=job)
    until = here.aggregate(first=Min("expires_at"))["first"]
    if person is None or (job.state == Job.State.DONE and until is None):
        return False
    kind = "export_ready" if job.state == Job.State.DONE else "export_failed"
    more = {"until": until} if job.state == Job.State.DONE else {}
    url = f"/servers/{job.repository_id}/exports"
    letters.post(
        kind, to=person.email, key=key, account=job.repository.account_id, what=_what(job), url=url, **more
    )
    return True


def _asker(job: Job) -> User | None:
    """The person who asked, if they may still fetch it."""
    kind, _colon, number = job.by.partition(":")
    if kind != "user" or not number.isdecimal():
        return None
    owners = Membership.objects.filter(account=job.repository.account_id, role=Membership.Role.OWNER)
    return User.objects.filter(pk=number, is_active=True, memberships__in=owners).first()


def _what(job: Job) -> str:
    if not job.args.get("mailbox"):
        return _("all mailboxes")
    known = Mailbox.objects.select_related("domain").filter(pk=job.args["mailbox"]).first()
    return known.address if known else _("a mailbox")
