"""What a network would do and cost, asked before any training: initializers, advice, memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import APIRouter

from layerloom.api.asking import aside
from layerloom.api.bodies import StrictRoute
from layerloom.api.loading import NEEDS_TORCH
from layerloom.api.refusals import with_problems
from layerloom.api.services import Given
from layerloom.schema.analysis import Analysis, AnalysisRequest
from layerloom.schema.lab import DoctorReport, DoctorRequest, LabReport, LabRequest

router = APIRouter(prefix="/api/graphs", tags=["graphs"], route_class=StrictRoute, dependencies=[NEEDS_TORCH])


@router.post("/init-lab")
def compare_initializers(request: LabRequest, services: Given) -> LabReport:
    """Mean and variance of each layer's output and gradient under several initializers, side by side. Takes up to a
    minute; 422 with the problems when the network has errors or is too large.
    """
    from layerloom.graph.custom import LAB

    with _refusing():
        return aside(LAB, request, request.document, services)


@router.post("/doctor")
def examine(request: DoctorRequest, services: Given) -> DoctorReport:
    """What the textbooks warn of, as problems with fixes. A network with errors is answered 200, too, with those."""
    from layerloom.graph.custom import DOCTOR

    with _refusing():
        return aside(DOCTOR, request, request.document, services)


@router.post("/analysis")
def analyse_costs(request: AnalysisRequest, services: Given) -> Analysis:
    """Parameters, operations and memory at a batch size, and the memory of training; 422 with errors."""
    from layerloom.graph.custom import ANALYSE

    with _refusing():
        return aside(ANALYSE, request, request.document, services)


@contextmanager
def _refusing() -> Iterator[None]:
    from layerloom.graph import GraphError

    try:
        yield
    except GraphError as error:
        raise with_problems(422, "The network has errors, or is too large for this.", error.problems) from None
