"""The sentence about bills names the one who sends them."""

import pytest
from django.template import Context, Template

TEMPLATE = Template("{% load billing %}{% who_bills type partner %}")


@pytest.mark.parametrize(
    ("association_type", "sentence"),
    [
        ("reseller", "A &amp; B bills you for what your account uses, from the association on."),
        ("referral", "Example Cloud bills you for what your account uses. A &amp; B does not."),
    ],
)
def test_who_bills(association_type, sentence):
    context = Context({"type": association_type, "partner": "A & B"})
    assert TEMPLATE.render(context) == sentence
