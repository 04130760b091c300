"""What may be asked about a document that carries code: one table, for who answers and who asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from layerloom.graph.analysis import analyse
from layerloom.graph.build import to_python
from layerloom.graph.carrying import Keys, keys_of
from layerloom.graph.checking import check
from layerloom.graph.confirming import confirm
from layerloom.graph.custom.examine import examine
from layerloom.graph.lab import USUAL, doctor, init_lab, recommended_initializers
from layerloom.graph.qualified import Names, names_of
from layerloom.schema.analysis import Analysis, AnalysisRequest
from layerloom.schema.base import Wire
from layerloom.schema.document import Document
from layerloom.schema.lab import DoctorReport, DoctorRequest, LabReport, LabRequest, Scheme
from layerloom.schema.own import Examination, OwnLayerRequest
from layerloom.schema.report import Confirmation, Report
from layerloom.schema.run import CodeAnswer

About = TypeVar("About", bound=Wire)
Answer = TypeVar("Answer", bound=Wire)


@dataclass(frozen=True)
class Question(Generic[About, Answer]):
    """A function from one wire type to another. It raises GraphError or nothing."""

    name: str
    about: type[About]
    answer: type[Answer]
    here: Callable[[About], Answer]
    """Answers in this process."""


def _lab(asked: LabRequest) -> LabReport:
    schemes: list[str | Scheme] = [*asked.ready, *asked.schemes]
    return init_lab(asked.document, schemes or USUAL, seeds=asked.seeds, batch=asked.batch)


def _doctor(asked: DoctorRequest) -> DoctorReport:
    problems = doctor(asked.document, asked.plan, measure=asked.measure)
    wrong = any(problem.severity == "error" for problem in problems)
    return DoctorReport(problems=problems, recommended=[] if wrong else recommended_initializers(asked.document))


def _analyse(asked: AnalysisRequest) -> Analysis:
    return analyse(asked.document, asked.batch, optimizer=asked.optimizer, precision=asked.precision)


CHECK = Question("check", Document, Report, check)
PYTHON = Question("to_python", Document, CodeAnswer, lambda document: CodeAnswer(source=to_python(document)))
KEYS = Question("keys", Document, Keys, keys_of)
NAMES = Question("names", Document, Names, names_of)
CONFIRM = Question("confirm", Document, Confirmation, lambda document: Confirmation(problems=confirm(document)))
LAB = Question("init_lab", LabRequest, LabReport, _lab)
DOCTOR = Question("doctor", DoctorRequest, DoctorReport, _doctor)
ANALYSE = Question("analyse", AnalysisRequest, Analysis, _analyse)
EXAMINE = Question("examine", OwnLayerRequest, Examination, examine)
QUESTIONS: tuple[Question[Any, Any], ...] = (CHECK, PYTHON, KEYS, NAMES, CONFIRM, LAB, DOCTOR, ANALYSE, EXAMINE)
