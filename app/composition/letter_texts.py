"""The product's own texts: what customers are told by event and language, and what people say by situation. Version 0 of each."""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    """What customers are told about."""

    CONFIRMATION = "confirmation"
    DELAY = "delay"
    SHORTAGE = "shortage"
    SUBSTITUTION = "substitution"
    HOLD = "hold"
    CORRECTION = "correction"
    SHIPMENT = "shipment"
    CANCELLATION = "cancellation"


class Situation(StrEnum):
    """Where people need words while they work."""

    HOLD_CREDIT = "hold_credit"
    HOLD_PRICE = "hold_price"
    HOLD_DATA = "hold_data"
    HOLD_ADDRESS = "hold_address"
    HOLD_EXPORT = "hold_export"
    HOLD_DUPLICATE = "hold_duplicate"
    HOLD_SUBSTITUTION = "hold_substitution"
    HOLD_MANUAL = "hold_manual"
    SHORT = "short"
    LATE = "late"


LANGUAGES = {"en": "English", "de": "German", "fr": "French"}
#: The language of a country's customers who have said no other; English elsewhere.
OF_COUNTRY = {
    "Germany": "de",
    "Austria": "de",
    "Switzerland": "de",
    "Liechtenstein": "de",
    "France": "fr",
    "Belgium": "fr",
}

#: What may stand between braces in a text, and what stands there then.
FIELDS = {
    "company": "the company that sells", "customer": "the customer’s name", "order": "the order’s number",
    "reference": "the customer’s reference", "lines": "the lines that the letter is about, one a line",
    "promised": "the latest day promised now", "tracking": "the tracking number", "value": "the order’s value with its currency",
    "site": "the site that serves the customer",
}  # fmt: skip

_END = {
    "en": "\n\nKind regards\n{company}, {site}",
    "de": "\n\nMit freundlichen Grüßen\n{company}, {site}",
    "fr": "\n\nCordialement\n{company}, {site}",
}
_DEAR = {"en": "Dear {customer},\n\n", "de": "Guten Tag {customer},\n\n", "fr": "Bonjour {customer},\n\n"}


def _three(*texts: tuple[str, str]) -> dict[str, tuple[str, str]]:
    return {
        language: (subject, _DEAR[language] + body + _END[language])
        for language, (subject, body) in zip(("en", "de", "fr"), texts, strict=True)
    }


STANDARD: dict[Event, dict[str, tuple[str, str]]] = {
    Event.CONFIRMATION: _three(
        ("Your order {order}", "we have your order {order} (yours: {reference}) over {value}:\n\n{lines}"),
        ("Ihr Auftrag {order}", "wir haben Ihren Auftrag {order} (Ihr Zeichen: {reference}) über {value}:\n\n{lines}"),
        (
            "Votre commande {order}",
            "nous avons votre commande {order} (votre référence : {reference}) de {value} :\n\n{lines}",
        ),
    ),
    Event.DELAY: _three(
        ("Order {order}: new date", "we cannot keep the date we gave you. What we promise now:\n\n{lines}"),
        (
            "Auftrag {order}: neuer Termin",
            "wir können den genannten Termin nicht halten. Unsere Zusage jetzt:\n\n{lines}",
        ),
        (
            "Commande {order} : nouvelle date",
            "nous ne pouvons pas tenir la date annoncée. Notre engagement actuel :\n\n{lines}",
        ),
    ),
    Event.SHORTAGE: _three(
        ("Order {order}: not all in stock", "we do not have all of it in stock. It follows:\n\n{lines}"),
        ("Auftrag {order}: nicht alles am Lager", "nicht alles ist am Lager. Es folgt nach:\n\n{lines}"),
        ("Commande {order} : stock incomplet", "tout n’est pas en stock. La suite vous parviendra :\n\n{lines}"),
    ),
    Event.SUBSTITUTION: _three(
        ("Order {order}: another item", "we send another item in place of the one you ordered:\n\n{lines}"),
        ("Auftrag {order}: anderer Artikel", "wir liefern einen anderen Artikel an Stelle des bestellten:\n\n{lines}"),
        ("Commande {order} : autre article", "nous livrons un autre article à la place de celui commandé :\n\n{lines}"),
    ),
    Event.HOLD: _three(
        (
            "Order {order}: we have a question",
            "your order {order} waits until we have spoken to each other. We will call you.",
        ),
        (
            "Auftrag {order}: eine Rückfrage",
            "Ihr Auftrag {order} wartet, bis wir miteinander gesprochen haben. Wir rufen Sie an.",
        ),
        (
            "Commande {order} : une question",
            "votre commande {order} attend que nous nous soyons parlé. Nous vous appelons.",
        ),
    ),
    Event.CORRECTION: _three(
        ("Order {order} was changed", "your order {order} now reads:\n\n{lines}"),
        ("Auftrag {order} wurde geändert", "Ihr Auftrag {order} lautet nun:\n\n{lines}"),
        ("Commande {order} modifiée", "votre commande {order} est désormais :\n\n{lines}"),
    ),
    Event.SHIPMENT: _three(
        ("Order {order} is on its way", "this has left us (tracking number: {tracking}):\n\n{lines}"),
        ("Auftrag {order} ist unterwegs", "das ist unterwegs zu Ihnen (Sendungsnummer: {tracking}):\n\n{lines}"),
        ("Commande {order} expédiée", "ceci est en route (numéro de suivi : {tracking}) :\n\n{lines}"),
    ),
    Event.CANCELLATION: _three(
        ("Order {order}: cancelled", "of your order {order} this is cancelled:\n\n{lines}"),
        ("Auftrag {order}: storniert", "von Ihrem Auftrag {order} ist storniert:\n\n{lines}"),
        ("Commande {order} : annulation", "de votre commande {order}, ceci est annulé :\n\n{lines}"),
    ),
}

SCRIPTS: dict[Situation, str] = {
    Situation.HOLD_CREDIT: "Say that the order waits for the account, not for the goods. Ask whether a payment is under way. Give no other "
    "date before collections have answered.",
    Situation.HOLD_PRICE: "Say that a colleague looks at the price today. Do not promise it.",
    Situation.HOLD_DATA: "Say which entry is missing, write it down, and have it changed where master data is kept.",
    Situation.HOLD_ADDRESS: "Ask for street, postcode and who receives. Read it back before you enter it.",
    Situation.HOLD_EXPORT: "Say that papers for the country are being checked. Ask for the end use in the customer’s words.",
    Situation.HOLD_DUPLICATE: "Ask whether it is a second order or the same one. Cancel only what the customer names.",
    Situation.HOLD_SUBSTITUTION: "Name both items and what differs. Ship only what the customer accepts.",
    Situation.HOLD_MANUAL: "Read the reason first. Say when somebody will have looked.",
    Situation.SHORT: "Say what is there and what is not, by line. Offer: send what there is, another site’s stock, another item, or cancel.",
    Situation.LATE: "Call before the customer does. Give the new date only when it stands on the order.",
}
