"""Counts words and lines, in C."""

from words._words import lib


def count(text):
    """How many words and lines some text has."""
    data = text.encode()
    counts = lib.count_words(data, len(data))
    return counts.words, counts.lines
