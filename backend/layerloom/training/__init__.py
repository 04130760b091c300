"""Training: a loop that is given a module, a plan and tensors, and tells what it sees through ``emit``."""

from layerloom.training.batches import Samples
from layerloom.training.control import Control, Outcome, Wanted
from layerloom.training.criterion import Task
from layerloom.training.failure import TrainingError, problem_of
from layerloom.training.loop import train

__all__ = ["Control", "Outcome", "Samples", "Task", "TrainingError", "Wanted", "problem_of", "train"]
