"""Questions that take real work, in a process of their own: the same answers, and an end that is nobody else's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from layerloom.graph.custom import ANALYSE, DOCTOR, LAB, ask_aside
from layerloom.graph.custom.apart import TASKS
from layerloom.graph.errors import GraphError
from layerloom.graph.examples import examples
from layerloom.graph.sandbox import Limits, Warm
from layerloom.schema.analysis import AnalysisRequest
from layerloom.schema.lab import DoctorRequest, LabRequest
from layerloom.schema.problems import ProblemCode
from unit.graph.checking.drawing import layer, network, parsed

DOCUMENT = examples()[0].document


@pytest.fixture(scope="module")
def process() -> Iterator[Warm]:
    made = Warm(tasks=TASKS, limits=Limits(wall_s=120))
    yield made
    made.close()


def test_the_answers_are_those_of_the_functions(process: Warm) -> None:
    lab = LabRequest(document=DOCUMENT, seeds=1, batch=4)
    assert ask_aside(LAB, lab, process) == LAB.here(lab)
    doctor = DoctorRequest(document=DOCUMENT)
    assert ask_aside(DOCTOR, doctor, process) == DOCTOR.here(doctor)
    analysis = AnalysisRequest(document=DOCUMENT)
    assert ask_aside(ANALYSE, analysis, process) == ANALYSE.here(analysis)


def test_problems_come_back_as_they_are(process: Warm) -> None:
    wrong = AnalysisRequest(document=parsed(network([layer("fc", "Linear")], [])))
    with pytest.raises(GraphError) as here:
        ANALYSE.here(wrong)
    with pytest.raises(GraphError) as there:
        ask_aside(ANALYSE, wrong, process)
    assert there.value.problems == here.value.problems


def test_what_takes_too_much_ends_that_process_alone() -> None:
    hurried = Warm(tasks=TASKS, limits=Limits(wall_s=0.05))
    try:
        with pytest.raises(GraphError) as refused:
            ask_aside(ANALYSE, AnalysisRequest(document=DOCUMENT), hurried)
    finally:
        hurried.close()
    problem = refused.value.problems[0]
    assert problem.code is ProblemCode.TOO_LARGE
    assert "more time" in problem.message
