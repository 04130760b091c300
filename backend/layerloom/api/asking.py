"""Questions about documents: answered here, or, where they carry code, in a process that is started for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerloom.api import own_layers
from layerloom.api.plans import require_trainable
from layerloom.api.refusals import with_problems
from layerloom.api.services import Services
from layerloom.api.turns import Turns, one_by_one
from layerloom.schema.document import Document
from layerloom.schema.plan import Plan
from layerloom.schema.problems import ProblemCode
from layerloom.schema.report import Report

if TYPE_CHECKING:
    from layerloom.graph.custom import Question
    from layerloom.graph.custom.questions import About, Answer
    from layerloom.graph.qualified import Names

CODE = Turns(2, 6, ProblemCode.PYTHON_BUSY, "Too much code of people's own is being run; try again in a moment.")
"""Processes that run people's code, each of a gigabyte."""
_LOOKS = one_by_one()


def is_apart(document: Document, services: Services) -> bool:
    """Whether a document carries code that may be run, which this process never does.

    Where it may not, the answer is the same as everywhere: ``python_disabled``.
    """
    return bool(document.code) and services.python


def answered(question: Question[About, Answer], about: About, document: Document, services: Services) -> Answer:
    """The answer to a question about a document. Raises GraphError, and Refusal: 503 when too many ask."""
    return apart(question, about, services) if is_apart(document, services) else question.here(about)


def aside(question: Question[About, Answer], about: About, document: Document, services: Services) -> Answer:
    """The same of a question whose answer takes real work: never this process's own. Raises what ``answered`` does."""
    from layerloom.graph.custom import ask_aside

    if document.code:  # run in a process that ends with its answer, or, where that is switched off, not at all
        return answered(question, about, document, services)
    with _LOOKS.taken():
        return ask_aside(question, about)


def apart(question: Question[About, Answer], about: About, services: Services) -> Answer:
    """The answer of a process of its own. Raises what ``answered`` does."""
    from layerloom.graph.custom import ask

    with CODE.taken():
        return ask(question, about, hide=[services.data.parent])


def checked(document: Document, services: Services) -> Report:
    """The check's report; code that fails or takes too much is a problem of the document."""
    from layerloom.graph import GraphError
    from layerloom.graph.custom import CHECK

    try:
        report = answered(CHECK, document, document, services)
    except GraphError as error:
        return Report(ok=False, problems=error.problems)
    if report.ok or not services.python:
        return report
    return report.model_copy(update={"problems": own_layers.with_fixes(report.problems, document, services.layers)})


def named(document: Document, services: Services) -> Names:
    """What the network's layers and parameters are called. Raises what ``answered`` does."""
    from layerloom.graph.custom import NAMES

    return answered(NAMES, document, document, services)


def trainable(document: Document, plan: Plan, services: Services) -> int:
    """The number of parameters of a network that can be trained by this plan.

    Raises:
        Refusal: 422 with everything that stands in the way.
    """
    return require_trainable(
        document,
        plan,
        services.data,
        services.devices,
        lambda drawn: checked(drawn, services),
        lambda drawn: named(drawn, services),
        downloads=services.downloads,
    )


def source(document: Document, services: Services) -> str:
    """The document as a Python file.

    Raises:
        Refusal: 422 with the document's errors.
    """
    from layerloom.graph import GraphError
    from layerloom.graph.custom import PYTHON

    try:
        return answered(PYTHON, document, document, services).source
    except GraphError as error:
        raise with_problems(422, "The network has errors.", error.problems) from None
