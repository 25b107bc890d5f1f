"""
Texts of the synthetic service cases: what a grocery's customers might write, put together from templates.

No sentence comes from a person, and a text depends on nothing but the category of its case. Who writes, when and with
what outcome is decided in :mod:`crm_analysis.tables.demo_cases`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd


class Templates(NamedTuple):
    """What a text of one category is made of: a problem, a detail and a request, with slots to fill."""

    problems: tuple[str, ...]
    details: tuple[str, ...]
    requests: tuple[str, ...]


ITEMS = (
    "milk", "yogurt", "salad mix", "ground beef", "chicken", "frozen pizza", "orange juice", "bread", "ham",
    "cheddar", "fruit salad", "ice cream", "butter", "salmon", "tofu", "pumpkin pie",
)  # fmt: skip
DAYS = (
    "this morning",
    "yesterday",
    "on Monday",
    "on Tuesday",
    "on Thursday",
    "on Friday",
    "over the weekend",
    "last week",
)
AMOUNTS = ("2.49", "3.99", "5.00", "7.25", "10.00", "12.80", "18.40", "24.99")
GREETINGS = ("", "", "Hello, ", "Hi, ", "Good morning, ", "Hi there, ")

TEMPLATES = {
    "delivery": Templates(
        (
            "my grocery delivery did not arrive {day}",
            "the driver came two hours after the delivery window {day}",
            "the {item} was missing from my delivery {day}",
            "the bags were left at the wrong door {day}",
            "the delivery came {day} and the {item} had already thawed",
            "half of my delivery order was swapped for other brands {day}",
        ),
        (
            "I waited at home the whole afternoon.",
            "The app still says that the driver is on the way.",
            "Nobody rang the bell and there was no message.",
            "It is the second late order this month.",
            "The {item} was crushed under the bottles.",
        ),
        (
            "Please send the missing {item} today.",
            "Please refund the delivery fee.",
            "When will the order come?",
            "I would like a new delivery slot.",
        ),
    ),
    "product quality": Templates(
        (
            "the {item} I bought {day} was spoiled",
            "the {item} smelled bad although the date is fine",
            "I found mold on the {item} that I bought {day}",
            "the package of {item} was open when I got home {day}",
            "the {item} tastes different from what it used to",
        ),
        (
            "The best-before date is still a week away.",
            "It was kept in the fridge all the time.",
            "I had to throw the whole pack away.",
            "The {item} from the same shelf was spoiled as well.",
            "I still have the package and the lot number.",
        ),
        (
            "Please check the shelf in the store.",
            "Could someone tell me whether it is safe to eat?",
            "I would like a fresh one instead.",
            "Please pass this on to the supplier.",
        ),
    ),
    "billing": Templates(
        (
            "I was charged twice for the {item} {day}",
            "the receipt I got {day} shows ${amount} too much",
            "my credit card was billed for an order that I canceled {day}",
            "the price at the register was not the shelf price of the {item}",
            "the total of the invoice I got {day} is wrong",
        ),
        (
            "My bank shows two payments of ${amount}.",
            "The cashier could not correct it.",
            "I have a photo of the price tag.",
            "The invoice lists {item} that I never bought.",
        ),
        (
            "Please refund the difference of ${amount}.",
            "Please send a corrected receipt.",
            "How long does the refund to my card take?",
            "Who can explain this charge to me?",
        ),
    ),
    "coupons": Templates(
        (
            "the coupon for {item} was not accepted at the register {day}",
            "my digital coupon disappeared from the app {day}",
            "the coupon from the mailer says ${amount} off but nothing was deducted",
            "I clipped a coupon for {item} and could not use it {day}",
        ),
        (
            "It is valid until the end of the month.",
            "The scanner said that the offer has expired.",
            "The cashier had not heard of the promotion.",
            "I bought two packs of {item} only because of the offer.",
        ),
        (
            "Please credit the ${amount}.",
            "Can you put the coupon back into my account?",
            "Please explain which products count.",
            "Please extend the offer.",
        ),
    ),
    "returns": Templates(
        (
            "I wanted to return the {item} {day} and was sent away",
            "the store would not take back the {item} without a receipt",
            "I have not seen the money for the {item} I returned {day}",
            "the return label I received {day} does not print",
        ),
        (
            "I am well within the thirty days.",
            "The package was never opened.",
            "The service desk was closed when I came.",
            "The return shows up in the app as rejected.",
        ),
        (
            "How can I return it?",
            "Please pay the ${amount} back to my card.",
            "Can another store take the return?",
            "Please exchange it for {item}.",
        ),
    ),
    "loyalty card": Templates(
        (
            "my loyalty card did not scan {day}",
            "the points for what I bought {day} are missing",
            "I lost my loyalty card {day}",
            "my account shows the card of somebody else",
            "the fuel points that I earned {day} were not added",
        ),
        (
            "I should have earned double points on {item}.",
            "The app shows an old balance.",
            "I changed my phone number a while ago.",
            "I have been a member for years.",
        ),
        (
            "Please add the missing points.",
            "Please send me a new card.",
            "How do I merge two cards?",
            "Please update my account.",
        ),
    ),
}


def case_texts(categories: pd.Series, rng: np.random.Generator) -> list[str]:
    """
    Return one text per case.

    Parameters
    ----------
    categories : pandas.Series
        The category of each case: a key of :data:`TEMPLATES`.
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    list of str
        In the order of the cases.

    Examples
    --------
    >>> case_texts(pd.Series(["returns"]), np.random.default_rng(58))
    ['The store would not take back the salmon without a receipt. How can I return it?']
    """
    picks = rng.random((len(categories), 7))
    return [_text(TEMPLATES[category], pick) for category, pick in zip(categories, picks.tolist(), strict=True)]


def _text(templates: Templates, pick: list[float]) -> str:
    """A greeting, a problem, at times a detail, and a request; the same item, day and amount in all of them."""
    problem = _of(templates.problems, pick[0])
    detail = _of(templates.details, pick[1] / 0.8) if pick[1] < 0.8 else ""
    opening = _of(GREETINGS, pick[2]) + problem
    sentences = f"{opening[0].upper()}{opening[1:]}. {detail} {_of(templates.requests, pick[3])}"
    filled = sentences.format(item=_of(ITEMS, pick[4]), day=_of(DAYS, pick[5]), amount=_of(AMOUNTS, pick[6]))
    return " ".join(filled.split())


def _of(choices: tuple[str, ...], share: float) -> str:
    return choices[int(share * len(choices))]
