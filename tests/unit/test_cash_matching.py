"""Whose money it is: by number, account, name, amount and combinations, each with its confidence and sentence."""

from __future__ import annotations

from erpcore.billing.cash_matching import SURE, Ledger, Money, OpenCredit, OpenItem, combinations, propose, words_of

ITEMS = [
    OpenItem(1, "INV-2026-000001", 10, 12_000, 1, ("SO-1001",)), OpenItem(2, "INV-2026-000002", 10, 6_000, 2),
    OpenItem(3, "INV-2026-000003", 10, 2_500, 3), OpenItem(4, "INV-2026-000004", 11, 12_000, 1),
    OpenItem(5, "INV-2026-000005", 11, 777, 2), OpenItem(6, "INV-2026-000006", 12, 500, 1), OpenItem(7, "INV-2026-000007", 12, 500, 2),
]  # fmt: skip
NAMES = {10: "Bautechnik", 11: "Werk Nord", 12: "Laden Ecke"}


def one(amount, text="", payers=(), named=()):
    (found,) = propose([Money(1, amount, text, payers, named)], Ledger(items=ITEMS, names=NAMES))
    return found.confidence, found.customer, found.parts, found.why


def test_a_number_in_the_text_and_the_exact_amount_is_sure():
    for text in ("Re INV-2026-000001", "inv2026000001", "INV 2026 000001 danke", "zu SO-1001"):
        confidence, customer, parts, why = one(12_000, text)
        assert (confidence, customer, parts) == (99, 10, ((1, 12_000),)), text
        assert why == "It names INV-2026-000001, and pays exactly what is open of it."
    assert one(18_000, "INV-2026-000001, INV-2026-000002")[2] == ((1, 12_000), (2, 6_000))


def test_less_or_more_than_the_named_invoice_is_proposed_but_not_sure():
    assert one(11_000, "INV-2026-000001")[:3] == (80, 10, ((1, 11_000),))
    confidence, _, parts, why = one(12_500, "INV-2026-000001")
    assert (confidence, parts) == (75, ((1, 12_000),))
    assert "the rest stands on account" in why
    assert one(12_000, "INV-2026-000001", payers=(11,))[0] == 74, "it came from another customer's account"
    assert one(24_000, "INV-2026-000001 INV-2026-000004")[:3] == (30, None, ())


def test_an_account_that_was_named_finds_the_customer_and_the_amount_the_invoice():
    assert one(6_000, payers=(10,))[:3] == (95, 10, ((2, 6_000),))
    assert one(20_500, payers=(10,))[:3] == (94, 10, ((1, 12_000), (2, 6_000), (3, 2_500)))
    assert one(500, payers=(12,))[:3] == (85, 12, ((6, 500),)), "two of this amount: the older, and not sure"
    confidence, _, parts, why = one(8_500, payers=(10,))
    assert (confidence, parts) == (88, ((2, 6_000), (3, 2_500)))
    assert (
        why
        == "By its account it is from Bautechnik, and only INV-2026-000002, INV-2026-000003 together make this amount."
    )
    assert one(6_000, named=(10,))[0] == 87 < SURE, "a name is no account"
    assert one(1_000, payers=(10,))[:3] == (50, 10, ((1, 1_000),))
    assert one(1_000, payers=(99,))[:3] == (70, 99, ())


def test_an_amount_alone_is_never_sure_and_nothing_is_nothing():
    assert one(777)[:3] == (45, 11, ((5, 777),))
    assert one(777, payers=(10, 11))[:3] == (82, 11, ((5, 777),))
    assert one(12_000)[:3] == (10, None, ())
    assert one(1)[:3] == (0, None, ())


def test_what_one_settles_is_not_open_for_the_next_and_the_same_gives_the_same():
    money = [Money(at, 12_000, "INV-2026-000001") for at in (1, 2)]
    first, second = propose(money, Ledger(items=ITEMS, names=NAMES))
    assert (first.parts, second.parts) == (((1, 12_000),), ())
    assert (second.confidence, second.customer) == (40, 10)
    assert second.why == "It names INV-2026-000001, which other money settles; it stands on account."
    assert propose(money, Ledger(items=ITEMS, names=NAMES)) == [first, second]


def test_combinations_are_found_few_and_early_first_and_the_search_ends():
    assert combinations(30, [(1, 10), (2, 20), (3, 30), (4, 5)]) == ([(1, 2)], True)
    assert combinations(30, [(1, 10), (2, 20), (3, 20)]) == ([(1, 2), (1, 3)], True), "two ways: not the only one"
    assert combinations(7, [(1, 7)]) == ([], True), "one alone is no combination"
    assert combinations(99, [(at, 10) for at in range(24)]) == ([], True)
    many = [(at, 1_000 + 7 * at * at) for at in range(24)]
    (found, *_), _ = combinations(sum(minor for _, minor in many[:5]), many)
    assert sum(dict(many)[key] for key in found) == sum(minor for _, minor in many[:5])
    assert combinations(1 + (1 << 23), [(at, 1 << at) for at in range(24)])[1] is False, "the search was cut"


def test_only_is_said_of_a_sum_only_when_every_other_was_looked_at():
    def proposed(count):
        # Powers of two: no two sets make the same sum.
        items = [OpenItem(at, f"INV-{at:04}", 10, 1 << at, at) for at in range(1, count + 1)]
        (found,) = propose([Money(1, 6, "", (10,))], Ledger(items=items, names=NAMES))
        return found.confidence, found.why

    assert proposed(4) == (
        88,
        "By its account it is from Bautechnik, and only INV-0001, INV-0002 together make this amount.",
    )
    confidence, why = proposed(12)
    assert (confidence, "of sums of up to 8 invoices only INV-0001" in why) == (88, True)
    confidence, why = proposed(30)
    assert confidence == 70
    assert "only" not in why
    assert "too many sums to look at all" in why


def test_words_are_found_however_they_are_torn_apart():
    assert {"INV2026000001", "INV2026"} <= words_of("Rg. INV-2026-000001/März")
    assert words_of("a bc") == set() or all(len(word) >= 4 for word in words_of("a bc"))


CREDITS = [
    OpenCredit(21, "CRN-2026-000001", 10, 400), OpenCredit(22, "CRN-2026-000002", 10, 1_000), OpenCredit(23, "CRN-2026-000003", 11, 77),
    OpenCredit(24, "CRN-2026-000004", 12, 100), OpenCredit(25, "CRN-2026-000005", 12, 100),
]  # fmt: skip


def netted(amount, text="", payers=(), named=()):
    ledger = Ledger(items=ITEMS, names=NAMES, credits=CREDITS)
    (found,) = propose([Money(1, amount, text, payers, named)], ledger)
    assert sum(minor for _, minor in found.parts) <= amount
    return found.confidence, found.parts, found.credits, found.why


def test_who_deducts_a_credit_memo_from_what_is_named_pays_it_all_with_it():
    assert netted(11_600, "INV-2026-000001") == (
        96, ((1, 11_600),), ((21, 1, 400),),
        "It names INV-2026-000001, and pays what is open of it less CRN-2026-000001.",
    )  # fmt: skip
    assert netted(16_600, "INV-2026-000001 INV-2026-000002 CRN-2026-000001 CRN-2026-000002")[:3] == (
        96, ((1, 10_600), (2, 6_000)), ((21, 1, 400), (22, 1, 1_000)),
    )  # fmt: skip
    assert netted(4_600, "INV-2026-000002")[:3] == (96, ((2, 4_600),), ((21, 2, 400), (22, 2, 1_000))), "both together"
    assert netted(11_599, "INV-2026-000001")[:3] == (80, ((1, 11_599),), ()), "no credits make this difference"
    assert netted(11_600, "INV-2026-000001", payers=(11,))[0] == 71, "it came from another customer's account"
    assert netted(11_923, "INV-2026-000001")[:3] == (80, ((1, 11_923),), ()), "that credit is another customer's"
    assert netted(12_000, "INV-2026-000001 CRN-2026-000001")[:3] == (99, ((1, 12_000),), ()), "nothing was deducted"


def test_a_credit_that_others_are_as_good_as_is_proposed_but_not_sure_unless_it_is_named():
    confidence, parts, credits_, why = netted(400, "INV-2026-000006")
    assert (confidence, parts, credits_) == (80, ((6, 400),), ((24, 6, 100),))
    assert why.endswith("less CRN-2026-000004, though others make the same difference.")
    assert netted(400, "INV-2026-000006 CRN-2026-000005")[:3] == (96, ((6, 400),), ((25, 6, 100),))


def test_who_pays_all_that_is_open_less_all_credits_is_found_by_the_account():
    confidence, parts, credits_, why = netted(19_100, payers=(10,))
    assert (confidence, parts) == (92, ((1, 10_600), (2, 6_000), (3, 2_500)))
    assert credits_ == ((21, 1, 400), (22, 1, 1_000))
    assert why == (
        "By its account it is from Bautechnik, and pays all that is open less all credit memos: CRN-2026-000001, CRN-2026-000002."
    )
    assert netted(19_100, named=(10,))[0] == 84 < SURE, "a name is no account"


def test_a_credit_is_used_once():
    money = [Money(1, 11_600, "INV-2026-000001"), Money(2, 5_600, "INV-2026-000002")]
    first, second = propose(money, Ledger(items=ITEMS, names=NAMES, credits=CREDITS))
    assert (first.credits, second.credits, second.confidence) == (((21, 1, 400),), (), 80)
