"""Counts bits, in C."""

from counting._counting import lib

MOST = lib.MOST


def bits(number):
    """How many bits of a number are set."""
    return lib.bits(number)
