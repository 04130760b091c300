"""A network for a data set: the smallest one to begin with, and an existing one with its sizes changed."""

from layerloom.graph.fitting.changing import fitting
from layerloom.graph.fitting.templates import template

__all__ = ["fitting", "template"]
