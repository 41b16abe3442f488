"""The vault as staff see it: whose secrets there are, under which key, and who read them. No page shows a ciphertext."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from audit import staff_tables
from audit import staff_words as words
from audit.staff_lists import Choice, StaffList, as_uuid
from engine import staff_words
from vault.models import Key, Secret
from vault.programs.reseal import SUBJECT


class SecretState(Choice):
    title = "state"
    parameter_name = "state"
    choices_by_word = {
        "kept": ("kept", lambda: Q(shredded_at=None)),
        "shredded": ("shredded", lambda: Q(shredded_at__isnull=False)),
        "all": ("all", Q),
    }


@admin.register(Secret)
class SecretList(StaffList):
    order = ("-kept_at", "id")
    list_display = ("purpose", "about", "of_account", "state", "kept", "under")
    fieldsets = (
        (
            None,
            {"fields": ("id", "purpose", "subject_page", "account", "state", "kept", "given_by", "shredded")},
        ),
        ("Under which key", {"fields": ("under", "sealed_on")}),
        ("Who kept, read and shredded it", {"fields": ("events",)}),
    )
    list_filter = (SecretState,)
    search_fields = ("subject",)
    search_help_text = "A secret's or an account's id, or whose it is, such as credentials:<id>"
    nothing = "No secret is kept."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("sealed")

    def found(self, term: str) -> Q | None:
        one = as_uuid(term)
        return Q(pk=one) | Q(account_id=one) if one else Q(subject=term)

    @admin.display(description="of")
    def about(self, secret: Secret) -> str:
        return words.subject_link(secret.subject, brief=True)

    @admin.display(description="of")
    def subject_page(self, secret: Secret) -> str:
        return words.subject_link(secret.subject)

    @admin.display(description="account")
    def of_account(self, secret: Secret) -> str:
        return words.account_link(secret.account_id, brief=True)

    def account(self, secret: Secret) -> str:
        return words.account_link(secret.account_id)

    @admin.display(description="state")
    def state(self, secret: Secret) -> str:
        return words.mark("shredded", "calm") if secret.shredded_at else words.mark("kept", "good")

    @admin.display(description="kept since")
    def kept(self, secret: Secret) -> str:
        return words.moment(secret.kept_at)

    @admin.display(description="given by")
    def given_by(self, secret: Secret) -> str:
        return words.subject_link(secret.by)

    @admin.display(description="key")
    def under(self, secret: Secret) -> str:
        return words.subject_link(f"vaultkey:{secret.key_id}")

    @admin.display(description="sealed to it")
    def sealed_on(self, secret: Secret) -> str:
        return words.moment(secret.sealed_at)

    @admin.display(description="shredded")
    def shredded(self, secret: Secret) -> str:
        if not secret.shredded_at:
            return words.NOTHING
        return words.sentences(
            [words.moment(secret.shredded_at), "by", words.subject_link(secret.shredded_by)]
        )

    def events(self, secret: Secret) -> str:
        return staff_tables.of_subject(f"secret:{secret.pk}")


@admin.register(Key)
class KeyList(StaffList):
    order = ("-added_at", "id")
    list_display = ("name", "state", "added", "retired")
    fieldsets = (
        (None, {"fields": ("name", "state", "added", "retired", "events")}),
        ("Rotations", {"fields": ("runs", "alarms")}),
    )
    search_fields = ("id",)
    search_help_text = "A key's id"
    nothing = "Nothing has been sealed yet."

    def found(self, term: str) -> Q | None:
        return Q(pk=term)

    @admin.display(description="key")
    def name(self, key: Key) -> str:
        return key.pk

    @admin.display(description="state")
    def state(self, key: Key) -> str:
        return words.mark("retired", "calm") if key.retired_at else words.mark("in use", "good")

    @admin.display(description="first sealed to")
    def added(self, key: Key) -> str:
        return words.moment(key.added_at)

    @admin.display(description="retired")
    def retired(self, key: Key) -> str:
        return words.moment(key.retired_at)

    def events(self, key: Key) -> str:
        return staff_tables.of_subject(f"vaultkey:{key.pk}")

    def runs(self, key: Key) -> str:
        return staff_words.runs(SUBJECT)

    def alarms(self, key: Key) -> str:
        return staff_words.alarms(SUBJECT)
