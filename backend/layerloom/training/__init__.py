"""Training: a loop that is given a module, a plan and tensors, and tells what it sees through ``emit``."""

from layerloom.training.batches import Samples
from layerloom.training.carrying import Carried
from layerloom.training.control import Control, Outcome, Wanted
from layerloom.training.criterion import Task
from layerloom.training.failure import TrainingError, problem_of
from layerloom.training.loop import train
from layerloom.training.ranks import ALONE, Ranks
from layerloom.training.rates import RateCurve, find_rate

__all__ = [
    "ALONE",
    "Carried",
    "Control",
    "Outcome",
    "Ranks",
    "RateCurve",
    "Samples",
    "Task",
    "TrainingError",
    "Wanted",
    "find_rate",
    "problem_of",
    "train",
]
