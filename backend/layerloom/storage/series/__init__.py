"""Curves as columns: every value of every series of a run, and a pyramid of its smallest, largest and mean values.

Written in the transaction of the events that hold the values, and read at any zoom by rows that are as few at ten
million values as at ten thousand.
"""

from layerloom.storage.series.reading import Curves, Series, Slice
from layerloom.storage.series.replay import compact
from layerloom.storage.series.writing import append, fill

__all__ = ["Curves", "Series", "Slice", "append", "compact", "fill"]
