"""What a password may be: long, and neither common nor made of what everybody knows of its person."""

from __future__ import annotations

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts.models import User

ERIN = User(
    username="erin.miller@example.com", email="erin.miller@example.com", given_name="Erin", family_name="Miller"
)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "aaa bbb ccc ddd eee",
        "no capitals and no digits",
        "ünïcödé is fine, too ☂",
        "x7" * 3 + "kpqlmn" * 20,
    ],
)
def test_length_is_all_that_is_asked_for(password):
    validate_password(password, ERIN)


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("short", "at least 12"),
        ("eleven char", "at least 12"),
        ("a word " * 19, "128 characters at most"),
        ("qwerty123456", "tried first"),
        ("QWERTY123456", "tried first"),
        ("password1234", "tried first"),
        ("!!Password2026!!", "tried first"),
        ("mailcreated5240", "tried first"),
        ("aaaaaaaaaaaa", "tried first"),
        ("121212121212", "tried first"),
        ("the Miller's tale of 1387", "contains “miller”"),
        ("look for erin tomorrow", "contains “erin”"),
        ("slipway is my platform", "contains “slipway”"),
    ],
)
def test_what_is_guessed_first_is_refused_with_a_sentence(password, sentence):
    with pytest.raises(ValidationError) as refused:
        validate_password(password, ERIN)
    assert any(sentence in message for message in refused.value.messages)


def test_the_list_is_a_real_one():
    from accounts.passwords import NotCommon

    assert len(NotCommon().common) > 30_000
