"""Running runs: the dispatcher and its executors."""

from __future__ import annotations

from layerloom.runs.dispatcher import Dispatcher
from layerloom.runs.parity import Parities
from layerloom.runs.rates import RateSearches
from layerloom.runs.watch import Limits

__all__ = ["Dispatcher", "Limits", "Parities", "RateSearches"]
