"""Types of command-line options: what they take, and what they say of the rest."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import pytest

from goengine import options


@pytest.mark.parametrize(
    ("read", "word", "value"),
    [
        (options.finite, "-6.5", -6.5),
        (options.not_negative, "0", 0.0),
        (options.not_negative, "1e3", 1000.0),
        (options.count, "1", 1),
        (options.positive, "1e-3", 0.001),
        (options.megabytes, "1", 1.0),
        (options.threads, "1024", 1024),
        (options.seed, "0", 0),
        (options.seed, "9" * 40, int("9" * 40)),
        (options.board_size, "19", 19),
        (options.rule_set, "New_Zealand", "new-zealand"),
    ],
)
def test_good_words(read: Callable[[str], object], word: str, value: object) -> None:
    assert read(word) == value


@pytest.mark.parametrize(
    ("read", "words", "remedy"),
    [
        (options.finite, "nan inf -inf 1e999 x", "use a finite number"),
        (options.not_negative, "nan inf -0.1 x", "use a finite number of at least 0"),
        (options.count, "0 -1 1.5 nan x", "use a whole number of at least 1"),
        (options.positive, "nan inf 0 -1 x", "use a finite number above 0"),
        (options.megabytes, "nan inf 0 0.5 -1 x", "use a finite number of at least 1"),
        (options.threads, "0 -3 1025 99999999999 x", "use a whole number from 1 to 1024"),
        (options.seed, "-1 1.5 x", "use a whole number of at least 0"),
        (options.board_size, "1 20 x", "use a whole number from 2 to 19"),
        (options.rule_set, "martian", "use one of chinese"),
    ],
)
def test_bad_words_are_named_with_a_remedy(
    read: Callable[[str], object], words: str, remedy: str
) -> None:
    for word in words.split():
        with pytest.raises(argparse.ArgumentTypeError) as caught:
            read(word)
        assert repr(word) in str(caught.value) and remedy in str(caught.value)
