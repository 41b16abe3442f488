"""What follows from whatever Gumroad tells, as data: the code acts by it, and docs/gumroad.md is made from it.

Source of the words of Gumroad's: https://gumroad.com/ping, https://gumroad.com/api, and `app/models/subscription.rb` in
https://github.com/antiwork/gumroad.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from billing.models import Subscription

Status, Returned = Subscription.Status, Subscription.Returned
SALE, SUBSCRIPTION = "sale", "subscription"


@dataclass(frozen=True)
class Event:
    """A kind of ping: what is read again because of it, and what may follow from what is read."""

    about: str
    tells: str
    does: str


EVENTS = {
    "sale": Event(
        SALE,
        "A charge: the first one, a renewal, the difference of an upgrade, or one after a return.",
        "The first opens the account and sends its owner the way in. A newer one says which plan is paid for.",
    ),
    "refund": Event(
        SALE,
        "Money went back, all of a charge or a part; a part leaves “refunded” false.",
        "See “Money that goes back”. The subscription itself goes on until Gumroad says otherwise.",
    ),
    "dispute": Event(
        SALE,
        "The buyer's bank takes a charge back. Gumroad ends the subscription with it.",
        "See “Money that goes back”. The end is followed like any other: seven days, with a letter.",
    ),
    "dispute_won": Event(
        SALE,
        "The bank gave the charge back to the seller.",
        "The word to staff is closed. If Gumroad started the subscription again, the server stays.",
    ),
    "cancellation": Event(
        SUBSCRIPTION,
        "By the buyer, the seller, Gumroad's staff or because payments failed. The date is the end of what is paid.",
        "The end is shown on the billing page; nothing stops before it.",
    ),
    "subscription_updated": Event(
        SUBSCRIPTION,
        "An upgrade, which is charged at once, or a downgrade at the next renewal.",
        "The newest charge is read. What is only announced is shown, and nothing follows before its charge.",
    ),
    "subscription_ended": Event(
        SUBSCRIPTION,
        "The paid time is over: cancelled, payments failed, or a fixed length was reached.",
        "The server is deleted seven days after that moment, and never with less than a day's notice.",
    ),
    "subscription_restarted": Event(
        SUBSCRIPTION,
        "The buyer came back, or withdrew a cancellation that was still to come.",
        "The deletion is called off and all is as it was; if it had begun, a new server may be made.",
    ),
}


@dataclass(frozen=True)
class State:
    """Gumroad's `status` of a subscriber: where it stands with us, which date tells its end, and whether it can begin again.

    What the seller cancelled cannot either, but the API does not tell who did.
    """

    status: Subscription.Status
    does: str
    ended_at: str = ""
    renews: bool = True


STATES = {
    "alive": State(Status.ALIVE, "Everything runs. If an end is announced all the same, it counts."),
    "pending_cancellation": State(Status.ENDING, "Everything runs until the announced end."),
    "pending_failure": State(
        Status.ALIVE, "A charge failed and is tried again for five days, while everything runs."
    ),
    "cancelled": State(
        Status.ENDED,
        "Ended: seven days, then deletion. Gumroad starts it again, unless the seller cancelled it.",
        "cancelled_at",
    ),
    "failed_payment": State(Status.ENDED, "Ended: seven days, then deletion.", "failed_at"),
    "fixed_subscription_period_ended": State(
        Status.ENDED,
        "Ended: seven days, then deletion. Gumroad does not start it again.",
        "ended_at",
        renews=False,
    ),
}


def renews(ended_reason: str) -> bool:
    """Whether Gumroad may start again what ended so."""
    state = STATES.get(ended_reason)
    return state is None or state.renews


class Then(StrEnum):
    """What a setting may say is to follow."""

    NOTHING = "nothing"
    TELL = "tell"
    END = "end"


THEN = {
    Then.NOTHING: "It is noted on the subscription and in the audit log.",
    Then.TELL: "It is noted, and staff get an alarm with what to look at. Mail goes on.",
    Then.END: "It is noted, staff are told, and the subscription counts as ended from that moment: seven days, then "
    "deletion. A newer charge or a dispute that is won brings it back.",
}


@dataclass(frozen=True)
class Return:
    """Money of the newest charge that went back; `setting` chooses one of THEN."""

    setting: str
    what: str
    says: str
    advice: str


RETURNS = {
    Returned.REFUNDED: Return(
        "GUMROAD_REFUND_ENDS",
        "The newest charge was given back in full.",
        "{email} was given the newest charge back, and the subscription goes on.",
        "If it should end, cancel it at Gumroad. If it was a kindness, close this alarm; the next charge closes it too.",
    ),
    Returned.DISPUTED: Return(
        "GUMROAD_DISPUTE_ENDS",
        "The newest charge is disputed.",
        "The bank of {email} disputes the newest charge.",
        "Look at the dispute at Gumroad and answer it there. Gumroad ends the subscription by itself; if it is won, "
        "this alarm closes. If it is lost, nobody is told: close it then.",
    ),
}


def then(returned: str) -> Then:
    """What the settings say of money that went back. ValueError for a word that is none of Then."""
    return Then(getattr(settings, RETURNS[Returned(returned)].setting))


def check_settings() -> None:
    """Before anything is done by them. Raises ImproperlyConfigured."""
    for returned, rule in RETURNS.items():
        try:
            then(returned)
        except ValueError:
            raise ImproperlyConfigured(f"{rule.setting} must be one of {', '.join(Then)}.") from None


@dataclass(frozen=True)
class Ask:
    """Something that is not understood: nothing is guessed, and a person is asked so."""

    what: str
    says: str
    advice: str


PUZZLES = {
    "product": Ask(
        "Another product",
        "Something was sold that Mailat does not know: the product {product}.",
        "If it should be Mailat, set GUMROAD_PRODUCT_ID. If it is something else that the seller sells, add its id to "
        "GUMROAD_OTHER_PRODUCTS. Start Mailat anew, then read the ping again or reconcile.",
    ),
    "seller": Ask(
        "Another seller",
        "The sale {sale} is of another seller, {seller}.",
        "GUMROAD_TOKEN and GUMROAD_SELLER_ID belong to different people: set both anew.",
    ),
    "once": Ask(
        "Sold once",
        "The sale {sale} is not part of a subscription.",
        "The product at Gumroad must be a membership. Give the money back or make a subscription of it.",
    ),
    "tier": Ask(
        "No tier, two, or one of another name",
        "The sale {sale} is of a tier that is no plan of ours: {tiers}.",
        "Name the tiers at Gumroad {plans}, then read the ping again or reconcile.",
    ),
    "quantity": Ask(
        "A quantity that is not one",
        "The sale {sale} is for {quantity} at once, but a subscription pays for one server.",
        "Switch quantities off for the product at Gumroad. Ask the buyer to buy one subscription for each server, and "
        "give back what was too much. The plan stays as it was until then.",
    ),
    "email": Ask(
        "A buyer without a usable address",
        "The buyer's address of the sale {sale} is none.",
        "Ask the buyer through Gumroad, have the address corrected there, and read the ping again.",
    ),
    "status": Ask(
        "A new word for the state",
        "Gumroad says “{status}” of the subscription {subscription}, which is not known.",
        "Look at the subscription at Gumroad, and teach billing/policy.py the word.",
    ),
    "nothing_sold": Ask(
        "A subscription without a sale that counts",
        "Nothing that counts was sold in the subscription {subscription}.",
        "A test purchase by the seller looks like this, and then nothing is to be done. "
        "Otherwise look at the subscription at Gumroad, then read the ping again.",
    ),
    "announced": Ask(
        "An announced tier of another name",
        "Gumroad announces that {email} changes to “{tier}”, which is no plan of ours.",
        "Name the tiers at Gumroad {plans} before the next charge; then read the ping again.",
    ),
    "older_dispute": Ask(
        "A dispute of an earlier charge, unless `GUMROAD_DISPUTE_ENDS` is `nothing`",
        "The bank of {email} disputes the charge {sale}, which is not the newest.",
        "Look at the dispute at Gumroad and answer it there. Gumroad ends the subscription by itself; if it is won, "
        "this alarm closes. If it is lost, nobody is told: close it then.",
    ),
    "unreadable": Ask(
        "A ping that cannot be read",
        "A ping of Gumroad's was not understood: {why}.",
        "Look at the ping. If it tells of a sale or a subscription, look that up at Gumroad.",
    ),
    "unknown": Ask(
        "A ping of what Gumroad does not know",
        "A ping tells of the {what} {id}, but Gumroad's API knows of none.",
        "Look whether GUMROAD_TOKEN is the seller's own. If it is, somebody may know the webhook's secret: change it.",
    ),
    "vanished": Ask(
        "A subscription of ours that Gumroad does not know",
        "Gumroad's API knows nothing of the subscription {subscription}, which it told of before.",
        "Look whether GUMROAD_TOKEN is still the same seller's. Nothing is deleted because of this.",
    ),
    "unasked": Ask(
        "A ping that nobody could ask Gumroad about before a deletion",
        "The server of {email} is due for deletion, but a ping of its subscription {subscription} came after the end, and "
        "Gumroad has not answered since.",
        "Look whether Gumroad can be reached and GUMROAD_TOKEN is still good. Once it answers, this goes on by itself; "
        "without an answer the server is deleted {days} days after its day.",
    ),
    "strange": Ask(
        "A sale in another shape",
        "A sale in Gumroad's list cannot be read: {why}.",
        "Look at the newest sales at Gumroad, and teach clients/gumroad_records.py the shape.",
    ),
}
