"""Ctrl+C as a flag: once, and only the signals that are asked for."""

from __future__ import annotations

import signal

import pytest

from cnncore.system.interruption import interruptible


def test_the_first_signal_is_a_flag_and_the_second_acts_as_usual() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), interruptible(signal.SIGINT) as interrupted:
        assert not interrupted()
        signal.raise_signal(signal.SIGINT)
        assert interrupted()
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_other_signals_keep_what_they_do() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with interruptible(signal.SIGINT):
        assert signal.getsignal(signal.SIGTERM) is before
    with interruptible():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
