"""What Gumroad does oddly, what follows here, and the test that shows it; part of billing/policy.py's table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """`proof` is the name of a test below tests/."""

    what: str
    does: str
    proof: str


CASES = (
    Case(
        "A sale is delivered twice, because the Ping address and a resource subscription both exist, or by a retry.",
        "Each ping is kept and read; what is true already changes nothing.",
        "test_the_same_sale_told_many_times_is_one",
    ),
    Case(
        "Pings come in any order, late, or never.",
        "None is believed: each only says what to read again from the API. What never came is found at night.",
        "test_any_life_ends_as_the_api_tells",
    ),
    Case(
        "A body without a signature, forged, cut off, huge or in another encoding.",
        "It is kept, asks Gumroad at most about an id, and staff are told of what is no ping.",
        "test_what_cannot_be_read_is_told_of",
    ),
    Case(
        "The test ping of the settings, which has no kind, and a purchase by the seller.",
        "Noted, and nothing else.",
        "test_a_test_purchase_is_not_served",
    ),
    Case(
        "Something else that the same seller sells; pings and the list of sales are the seller's, not a product's.",
        "A person is told once for each product. What GUMROAD_OTHER_PRODUCTS names is left alone from then on.",
        "test_what_the_seller_sells_besides_is_left_alone_once_it_is_named",
    ),
    Case(
        "A checkout field named like a field of the ping.",
        "The ping's own field is not used where a checkout field lies over it; a person is told.",
        "test_a_checkout_field_may_hide_a_real_one",
    ),
    Case(
        "A gift.",
        "Whoever receives it is the customer; the giver gets no account.",
        "test_a_gift_makes_its_receiver_the_customer",
    ),
    Case(
        "A free trial: the first charge is of nothing.",
        "It is served like any other; the first real charge is a renewal.",
        "test_a_free_trial_is_served_like_any_other",
    ),
    Case(
        "A fixed number of charges.",
        "When Gumroad says that the last period is over, it ends like any other.",
        "test_a_fixed_length_ends_like_any_other",
    ),
    Case(
        "A quantity that is not one.",
        "A person is told, and the plan stays as it was; nothing is made for it before.",
        "test_several_at_once_need_a_person",
    ),
    Case(
        "An address typed at the checkout that is not that of the buyer's Gumroad account.",
        "The typed one is the customer's. The other is shown to staff and lets nobody in.",
        "test_the_address_typed_at_the_checkout_is_the_customers",
    ),
    Case(
        "The same buyer again: Gumroad restarts what ended, or a new subscription is forced.",
        "A restart brings the server back; a second subscription is for a second server in the same account.",
        "test_a_second_subscription_of_one_buyer_is_in_the_same_account",
    ),
    Case(
        "What the seller cancelled, or what has run its fixed length: Gumroad does not start it again.",
        "The buyer buys anew. An owner of the account may keep the old server with the new subscription, until its "
        "deletion begins; the welcome leads there.",
        "test_who_buys_anew_keeps_the_server_that_waits",
    ),
    Case(
        "A dispute that is won starts the subscription again without a charge, so no list of sales leads to it.",
        "What is disputed, and what ended within 240 days, is asked about each night, also where there is no server any "
        "more: also an earlier charge may be disputed, and nobody may have heard of it.",
        "test_one_that_begins_again_without_a_charge_is_found_though_it_has_no_server",
    ),
    Case(
        "A dispute of what has ended already moves its end to that moment.",
        "The seven days count from the first end, and no letter is sent. Only a newer charge, a dispute that is won or "
        "Gumroad's word that it lives begins them anew.",
        "test_a_dispute_of_what_has_ended_gives_nobody_more_time",
    ),
    Case(
        "A downgrade that is taken back, which tells nobody.",
        "It was only shown. The next charge is of the old plan, and then nothing is announced any more.",
        "test_a_change_that_was_taken_back_is_forgotten_with_the_next_charge",
    ),
    Case(
        "A charge that is told after a newer one.",
        "The newest charge decides, by its own date.",
        "test_a_charge_that_is_told_late_does_not_take_the_newer_plan_back",
    ),
    Case(
        "The API shows a sale later than the ping comes.",
        "It is asked again for twenty minutes; then a person is told.",
        "test_a_sale_that_the_api_never_shows_is_told_of",
    ),
    Case(
        "A return that no ping told of, while the server waits for its deletion.",
        "Gumroad is asked each six hours, and each ten minutes in the last hour.",
        "test_a_return_that_no_ping_told_of_is_found_before_the_server_goes",
    ),
    Case(
        "Gumroad does not answer when the day of a deletion comes.",
        "The day stays, unless a ping of that subscription came since the last answer: then the deletion waits for the "
        "next one, at most three days, and staff are told.",
        "test_a_return_that_gumroad_could_not_be_asked_about_is_waited_for",
    ),
)
