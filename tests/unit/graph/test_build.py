"""A built module is an ordinary one: it can be inspected, pickled, spawned, compiled and debugged."""

from __future__ import annotations

import inspect
import io
import multiprocessing
import pickle
import sys
import traceback
from pathlib import Path

import pytest
import torch

import layerloom
from layerloom.graph import GraphError, build, to_python
from layerloom.graph.examples import examples
from layerloom.schema.document import Document

CNN = examples()[0].document


def test_the_public_names_are_these() -> None:
    module = layerloom.build(CNN, seed=0)
    assert isinstance(module, torch.nn.Module)
    assert layerloom.to_python(CNN) == to_python(CNN)


def test_same_seed_same_bits_and_another_differs() -> None:
    one, two, other = (build(CNN, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert not all(torch.equal(one[key], other[key]) for key in one)


def test_without_a_seed_the_generator_goes_on() -> None:
    torch.manual_seed(5)
    one = build(CNN).state_dict()
    two = build(CNN).state_dict()
    torch.manual_seed(5)
    again = build(CNN).state_dict()
    assert torch.equal(one["fc.weight"], again["fc.weight"])
    assert not torch.equal(one["fc.weight"], two["fc.weight"])


def test_the_module_runs_the_source_that_is_shown() -> None:
    module = build(CNN)
    assert inspect.getsource(type(module)) in to_python(CNN)
    assert Path(inspect.getfile(type(module))).read_text(encoding="utf-8") == to_python(CNN)
    assert type(build(CNN)) is type(module), "one class for one source"


def test_a_failure_shows_the_line_that_failed() -> None:
    with pytest.raises(RuntimeError) as raised:
        build(CNN)(torch.rand(1, 3, 8, 8))
    assert "self.pool(self.stage2(self.stage1(x)))" in "".join(traceback.format_exception(raised.value))


def test_it_can_be_pickled_and_saved_whole() -> None:
    module = build(CNN, seed=0).eval()
    x = torch.rand(2, 1, 8, 8)
    assert torch.equal(pickle.loads(pickle.dumps(module))(x), module(x))
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    assert torch.equal(torch.load(file, weights_only=False)(x), module(x))


def test_a_spawned_process_can_have_it() -> None:
    module = build(CNN, seed=0).eval()
    context = multiprocessing.get_context("spawn")
    # The child unpickles its arguments. It could not import a function of this file, so it runs one of Python's own.
    process = context.Process(target=pickle.dumps, args=(module,))
    process.start()
    process.join(120)
    assert process.exitcode == 0


def test_a_forked_process_makes_files_of_its_own() -> None:
    own = CNN.blocks[CNN.main].model_copy(update={"doc": "Built by nobody before."})
    here = Path(inspect.getfile(type(build(CNN)))).parent
    context = multiprocessing.get_context("fork")
    reader, writer = context.Pipe(duplex=False)

    def child() -> None:
        module = build(CNN.model_copy(update={"blocks": {**CNN.blocks, CNN.main: own}}))
        writer.send(inspect.getfile(type(module)))

    process = context.Process(target=child)
    process.start()
    assert reader.poll(60)
    elsewhere = Path(reader.recv())
    process.join(60)
    assert process.exitcode == 0
    assert elsewhere.parent != here
    assert here.exists()


def test_it_compiles_and_exports_without_breaks() -> None:
    module = build(CNN, seed=0).eval()
    x = torch.rand(2, 1, 8, 8)
    compiled = torch.compile(module, backend="eager", fullgraph=True)
    assert torch.equal(compiled(x), module(x))
    assert torch.equal(torch.export.export(module, (x,)).module()(x), module(x))


def test_documents_with_errors_are_refused_with_their_problems() -> None:
    broken = Document.model_validate({"main": "Net", "blocks": {"Net": {"forward": {"inputs": [{"name": "x"}]}}}})
    for use in (build, to_python):
        with pytest.raises(GraphError) as raised:
            use(broken)
        assert raised.value.problems
        assert all(problem.severity == "error" for problem in raised.value.problems)
        assert raised.value.problems[0].message in str(raised.value)


def test_nothing_is_left_in_the_way_of_other_modules() -> None:
    build(CNN)
    own = [path for path in sys.path if Path(path).name.startswith("layerloom-")]
    assert own
    assert sys.path.index(own[0]) > 0
    assert all(
        file.name.startswith(("layerloom_network_", "__pycache__")) for path in own for file in Path(path).glob("*")
    )
