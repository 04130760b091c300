"""ONNX: the exported program in the operators that other runtimes have, proven in onnxruntime where it is installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from layerloom.graph.errors import refuse
from layerloom.graph.exporting.agreement import verified
from layerloom.graph.exporting.blame import blamed
from layerloom.graph.exporting.program import free_axes, traced
from layerloom.graph.exporting.subject import TRACED, Subject, outputs
from layerloom.graph.exporting.written import Written
from layerloom.schema.problems import ProblemCode

LARGEST = 2**31 - 2**20
"""Bytes of weights: a protobuf message ends at 2 GiB."""


def write_onnx(subject: Subject, path: Path) -> Written:
    """One file, its batch axis free. Outputs are named by the keys of a dictionary, or ``output``, ``output_0``…

    Raises:
        GraphError: torch has no ONNX operators for some node, which the problem names where that is known.
    """
    _require_room(subject)
    program = traced(subject, subject.module)
    try:
        made = torch.onnx.export(
            program,
            dynamo=True,
            verbose=False,
            input_names=subject.inputs,
            output_names=output_names(subject),
            dynamic_shapes=free_axes(subject),  # the program has them; here they get their name
        )
        assert made is not None
        made.model.metadata_props.update(subject.texts)
        made.save(path, external_data=False)
    except Exception as error:
        raise blamed(subject, error, "ONNX", program) from error
    if find_spec("onnxruntime") is None:
        subject.notes.append("onnxruntime is not installed here, so that the file was not held against torch.")
        return Written()
    return Written(verified(subject, _session(path, len(subject.inputs)), "the ONNX file", flat=True))


def _require_room(subject: Subject) -> None:
    weights = {id(tensor): tensor.nbytes for tensor in subject.module.state_dict(keep_vars=True).values()}
    if sum(weights.values()) > LARGEST:
        message = "an ONNX file holds at most 2 GiB, and the weights are more. Choose pt2 or safetensors."
        raise refuse(ProblemCode.TOO_LARGE, message)


def output_names(subject: Subject) -> list[str]:
    """A name for each output: its keys and places, joined by ``_``; made different from inputs and from each other."""
    names: list[str] = []
    for place in _places(outputs(subject.module, subject.arguments(TRACED))):
        name = "_".join(place) if place and not place[0].isdigit() else "_".join(("output", *place))
        while name in {*subject.inputs, *names}:
            name += "_"
        names.append(name)
    return names


def _places(value: Any, place: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in _places(item, (*place, str(key)))]
    if isinstance(value, tuple | list):
        return [found for index, item in enumerate(value) for found in _places(item, (*place, str(index)))]
    return [place]


def _session(path: Path, count: int) -> Any:
    """The file in onnxruntime, called as the module is, giving a list."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 4  # what goes wrong comes back as an exception
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]

    def run(*arguments: Any) -> list[torch.Tensor]:
        given = [argument for argument in arguments[:count] if argument is not None]
        outputs = session.run(None, {name: value.numpy() for name, value in zip(names, given, strict=True)})
        return [torch.from_numpy(output) for output in outputs]

    return run
