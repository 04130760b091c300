"""Initializers: what they do to a network before any training, which the literature recommends, and what is wrong.

>>> report = init_lab(document, ["torch default", "kaiming normal", "xavier normal"], seeds=5)
>>> document = document.model_copy(update={"init": recommended_initializers(document)})
>>> for problem in doctor(document, plan): print(problem.message)
"""

from layerloom.graph.lab.examining import doctor
from layerloom.graph.lab.measure import init_lab
from layerloom.graph.lab.recommend import recommended_initializers
from layerloom.graph.lab.schemes import READY, USUAL

__all__ = ["READY", "USUAL", "doctor", "init_lab", "recommended_initializers"]
