"""Initializers: what they do to a network before any training, which the literature recommends, and what is wrong.

>>> report = init_lab(document, ["torch default", "kaiming normal", "xavier normal"], seeds=5)
>>> document = document.model_copy(update={"init": recommended(document)})
>>> for problem in doctor(document, plan): print(problem.message)
"""

from layerloom.graph.lab.doctor import doctor
from layerloom.graph.lab.measure import init_lab
from layerloom.graph.lab.recommend import recommended
from layerloom.graph.lab.schemes import READY

__all__ = ["READY", "doctor", "init_lab", "recommended"]
