"""Questions about a document that is not stored."""

from __future__ import annotations

from fastapi import APIRouter

from layerloom.api.asking import apart, checked, is_apart, source
from layerloom.api.bodies import StrictRoute
from layerloom.api.loading import NEEDS_TORCH
from layerloom.api.plans import known_dataset
from layerloom.api.refusals import with_problems
from layerloom.api.services import Given
from layerloom.api.turns import one_by_one
from layerloom.schema.document import Block, Document
from layerloom.schema.fitting import Fitting, FittingRequest, TemplateRequest
from layerloom.schema.importing import ExpressionRequest
from layerloom.schema.report import Confirmation, Report
from layerloom.schema.run import CodeAnswer

router = APIRouter(prefix="/api/graphs", tags=["graphs"], route_class=StrictRoute, dependencies=[NEEDS_TORCH])
_CONFIRMED = one_by_one()


@router.post("/check")
def check_graph(document: Document, services: Given) -> Report:
    """Shapes, costs and problems. A network with errors is answered 200, too: its shapes up to there are wanted.

    One that carries Python code is checked in a process of its own, which takes seconds, where the server was started
    with ``--allow-python``; nothing of it is run elsewhere.
    """
    return checked(document, services)


@router.post("/confirm")
def confirm_graph(document: Document, services: Given) -> Confirmation:
    """What a real run on a tiny batch finds, forward and backward, in a process of its own; for a network that checks.

    The first answer takes some seconds, until that process is ready.
    """
    from layerloom.graph import GraphError
    from layerloom.graph.confirming import confirmed
    from layerloom.graph.custom import CONFIRM

    if not is_apart(document, services):
        with _CONFIRMED.taken():
            return Confirmation(problems=confirmed(document))
    try:
        return apart(CONFIRM, document, services)
    except GraphError as error:
        return Confirmation(problems=error.problems)


@router.post("/python")
def write_python(document: Document, services: Given) -> CodeAnswer:
    """One Python file that imports only torch; 422 with the problems when the network has errors."""
    return CodeAnswer(source=source(document, services))


@router.post("/fit")
def fit_graph(asked: FittingRequest, services: Given) -> Fitting:
    """What has to change in a network so that it fits a data set: its input, sizes that follow, its outputs.

    Nothing is changed: ``edits`` are to be applied together. 422 for an unknown data set. A network that carries code
    is left as it is.
    """
    from layerloom.data import DataError, shapes
    from layerloom.graph.fitting import fitting

    entry = known_dataset(asked.dataset, services)
    if asked.document.code:
        return Fitting()
    if asked.transforms:
        try:
            entry = entry.model_copy(update={"shape": shapes(entry, asked.transforms)["training"]})
        except DataError as error:
            return Fitting(problems=[error.problem])
    return fitting(asked.document, entry)


@router.post("/template")
def begin_graph(asked: TemplateRequest, services: Given) -> Document:
    """The smallest network for a data set, to be drawn on. 422 for an unknown one."""
    from layerloom.graph.fitting import template

    return template(known_dataset(asked.dataset, services))


@router.post("/expression")
def read_expression(asked: ExpressionRequest) -> Block:
    """A block whose forward returns the value of an expression over tensors; nothing of the text is run.

    422 with the problem, whose data has the column.
    """
    from layerloom.graph import GraphError
    from layerloom.graph.editing import block_from_expression

    try:
        return block_from_expression(asked.text, asked.name, asked.parameters)
    except GraphError as error:
        raise with_problems(422, "The expression cannot be read.", error.problems) from None
