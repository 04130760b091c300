"""Code → graph → code is a fixed point, and the graph is read from the text without running any of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn

from layerloom.graph import build, to_python
from layerloom.graph.examples import examples
from layerloom.graph.importing import from_module
from layerloom.graph.importing.guessing import guess
from layerloom.graph.importing.proof import Call, prove
from layerloom.graph.importing.python import NotPlainError, read
from layerloom.schema.document import Document, FunctionNode, InputExample
from layerloom.schema.values import DType

sys.path.insert(0, str(Path(__file__).parent))
import written

GOLDEN = Path(__file__).parents[3] / "contract" / "golden"
DOCUMENTS = {example.id: example.document for example in examples()} | {
    f"golden {path.stem}": Document.model_validate_json(path.read_bytes()) for path in sorted(GOLDEN.glob("*.json"))
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_written_reads_back_as_it_was(name: str) -> None:
    document = DOCUMENTS[name]
    source = to_python(document)
    found, notes = read(source)
    assert notes == []
    assert to_python(found.model_copy(update={"inputs": document.inputs})) == source


def test_example_inputs_are_found_by_trying() -> None:
    """For all but those of which the text says too little: one whose every guess would be as good."""
    found = {name: guess(read(to_python(document))[0]) for name, document in DOCUMENTS.items()}
    assert [name for name, document in found.items() if document is None] == []
    for name, document in found.items():
        assert document is not None
        assert to_python(document) == to_python(DOCUMENTS[name])


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "mnasnet0_5", "densenet121", "swin_t"])
def test_the_source_of_an_imported_network_reads_back_as_it_was(name: str) -> None:
    """With conditional members, versions of classes, choices by an argument and lists that grow in it."""
    module = torchvision.models.get_model(name, weights=None)
    document = from_module(module, [torch.randn(2, 3, 64, 64)])
    source = to_python(document)
    assert to_python(read(source)[0].model_copy(update={"inputs": document.inputs})) == source


# --- as people write


SHAPES: dict[str, list[int]] = {
    "Appended": [10],
    "Carried": [1, 8, 8],
    "Skipped": [4, 5, 5],
    "Attention": [6, 16],
    "Encoder": [6, 16],
    "Recurrent": [9],
    "Heads": [5],
    "Optional2": [5],
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_class_of_a_person_is_the_same_module(name: str) -> None:
    found, _ = read((Path(__file__).parent / "written.py").read_text(), name)
    whole = name == "Recurrent"
    example = InputExample(shape=SHAPES[name], dtype="int64" if whole else "float32", high=20 if whole else None)
    (given,) = found.blocks[name].forward.inputs
    document = found.model_copy(update={"inputs": {given.name: example}})
    once = to_python(document)
    again, _ = read(once)
    assert to_python(again.model_copy(update={"inputs": document.inputs})) == once
    original: nn.Module = getattr(written, name)()
    twin = build(Document.model_validate(document.model_dump(mode="json", by_alias=True)))
    sample = torch.randint(20, (3, *SHAPES[name])) if whole else torch.randn(3, *SHAPES[name])
    prove(twin, original, Call((sample,)))
    assert {type(part).__name__ for part in twin.modules()} == {type(part).__name__ for part in original.modules()}


def test_arguments_expressions_and_docstrings_are_kept() -> None:
    found, notes = read((Path(__file__).parent / "written.py").read_text(), "Attention")
    block = found.blocks["Attention"]
    assert [(item.name, item.type, item.default) for item in block.arguments] == [
        ("dim", "int", 16),
        ("num_heads", "int", 4),
        ("qkv_bias", "bool", False),
        ("drop", "float", 0.0),
    ]
    assert "The assertion" in notes[0]
    source = to_python(found.model_copy(update={"inputs": {"x": InputExample(shape=[6, 16])}}))
    assert "self.qkv = nn.Linear(dim, dim * 3, bias=qkv_bias)" in source
    assert "attn = attn.softmax(-1)" in source


@pytest.mark.parametrize("variable", ["_", "i", "depth"])
def test_a_variable_that_nothing_uses_keeps_its_name(variable: str) -> None:
    """A person may have named it for what comes next; the editor itself calls it `_`."""
    source = "from torch import nn\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    source += f"        self.fc = nn.Sequential(*[nn.Linear(4, 4) for {variable} in range(3)])\n"
    document, _ = read(source + "    def forward(self, x):\n        return self.fc(x)\n")
    document = document.model_copy(update={"inputs": {"x": InputExample(shape=[4])}})
    assert f"for {variable} in range(3)" in to_python(document)
    assert read(to_python(document))[0].blocks == document.blocks


def test_values_for_the_constructor_are_the_new_defaults() -> None:
    source = (
        "from torch import nn\nclass Net(nn.Module):\n    def __init__(self, n: int):\n        super().__init__()\n"
    )
    source += "        self.fc = nn.Linear(n, n)\n    def forward(self, x):\n        return self.fc(x)\n"
    with pytest.raises(NotPlainError, match="needs a value for n"):
        read(source)
    document = guess(read(source, arguments={"n": 5})[0])
    assert document is not None
    assert document.inputs["x"].shape == [5]
    with pytest.raises(NotPlainError, match="takes no m"):
        read(source, arguments={"n": 5, "m": 1})


PLAIN = """
from torch import nn
class Net(nn.Module):
    def __init__(self, width: int = 4):
        super().__init__()
        self.fc = nn.Linear(4, width)
        {init}
    def forward(self, x):
        {forward}
        return self.fc(x)
"""


@pytest.mark.parametrize(
    ("init", "forward", "message"),
    [
        ("self.other = Unknown(3)", "pass", "line 7: Unknown is no layer"),
        ("if width > 3: self.more = None", "pass", "line 7: what this if decides"),
        ("for i in range(width): self.add_module(str(i), nn.ReLU())", "pass", "line 7: how often this loop runs"),
        ("self.path = open('/etc/passwd').read()", "pass", "line 7: open('/etc/passwd').read is no layer"),
        ("pass", "x = x.cuda()", "line 9: tensors have no operation cuda"),
        ("pass", "if x.sum() > 0: x = x + 1", "a condition on what flows"),
        ("pass", "y = x; x += 1; x = x + y", "a tensor is changed that has another name"),
        ("pass", "y = self.fc(x); z = y.view(-1); y += 1; x = y + z.view(-1, 4)", "under another name later"),
        ("pass", "y = [x]; z = y; y.append(x); x = z[0]", "a list is added to that has another name"),
        ("pass", "x = __import__('os').getcwd()", "line 9"),
        ("pass", "x = self.missing(x)", "line 9"),
        ("pass", "x = getattr(x, '__class__')", "line 9"),
        ("pass", "x = [layer(x) for layer in x]", "line 9"),
        ("pass", "x = nn.Linear(3, 4)(x)", "line 9"),
        ("pass", "while True: pass", "line 9: a while cannot be read"),
        ("pass", "x = self.fc(*x)", "line 9"),
    ],
)
def test_what_cannot_be_known_is_refused_with_its_line(init: str, forward: str, message: str) -> None:
    with pytest.raises(NotPlainError) as caught:
        read(PLAIN.format(init=init, forward=forward))
    assert message in str(caught.value)


def test_a_lone_end_may_have_a_dtype_behind_it() -> None:
    forward = "y = torch.arange(4, dtype=torch.int64); x = x + y.float()"
    document, _ = read("import torch" + PLAIN.format(init="pass", forward=forward))
    positions = next(node for node in document.blocks["Net"].forward.nodes if node.id == "y")
    assert isinstance(positions, FunctionNode)
    assert positions.arguments == {"end": 4, "dtype": DType(dtype="int64")}


# --- hostile texts

CANARY = """
import os, subprocess
from pathlib import Path
from torch import nn
{text}
"""
CLASS = "class Net(nn.Module):\n"
FORWARD = "    def forward(self, x):\n        return x"
RUN = "os.system('touch {canary}')"
WRITE = "Path({canary!r}).write_text('ran')"
HOSTILE = {
    "module level": f"{WRITE}\n{CLASS}    pass",
    "decorator": f"@(lambda c: {WRITE})\n{CLASS}{FORWARD}",
    "default": f"{CLASS}    def __init__(self, a={WRITE}):\n        pass\n{FORWARD}",
    "annotation": f"{CLASS}    def __init__(self, a: {WRITE} = 1):\n        pass\n{FORWARD}",
    "base": f"class Net(nn.Module, metaclass=type({WRITE})):\n{FORWARD}",
    "metaclass": f"class M(type):\n    def __new__(*a):\n        {RUN}\nclass Net(nn.Module, metaclass=M):\n{FORWARD}",
    "class level": f"{CLASS}    x = {RUN}\n{FORWARD}",
    "del": f"{CLASS}    def __del__(self):\n        {RUN}\n    def forward(self, x):\n        return {RUN}",
    "argument": f"{CLASS}    def __init__(self):\n        self.fc = nn.Linear({RUN}, 2)\n{FORWARD}",
    "expression": f"{CLASS}    def __init__(self, n: int = 3):\n        self.fc = nn.Linear(n.__class__, 2)\n{FORWARD}",
    "init": f"def f(m):\n    {RUN}\n{CLASS}    def __init__(self):\n        self.apply(f)\n{FORWARD}",
    "operation": f"import torch\n{CLASS}    def forward(self, x):\n        return torch.{RUN}",
    "load": f"import torch\n{CLASS}    def forward(self, x):\n        return torch.hub.load('{{canary}}', 'x')",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_nothing_of_a_hostile_text_runs(kind: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    with pytest.raises(NotPlainError):
        read(CANARY.format(text=HOSTILE[kind].format(canary=str(canary))))
    assert not canary.exists()


NET = "from torch import nn\nclass Net(nn.Module):\n    def __init__(self, w: int = 3):\n"
LOOPS = "".join(f"{' ' * (8 + depth)}for i{depth} in range(256):\n" for depth in range(6))


@pytest.mark.parametrize(
    "text",
    [
        NET + "        a = w + w\n" + "        a = a + a\n" * 60,
        NET + f"        a = {' + '.join(['w'] * 60)}\n" + f"        b = [{', '.join(['a'] * 60_000)}]\n",
        NET + f"        a = {' + '.join(['w'] * 60)}\n" + "        b = a\n" * 60_000,
        NET + LOOPS + " " * 20 + "b = 1\n",
        "(" * 10_000,
        "x = " + "-" * 50_000 + "1",
        "x = " + "[" * 150 + "]" * 150,
        "a" * 2_000_000,
        "class Net:\n    pass",
        "\0",
        "def f(:",
        "class A(nn.Module):\n    def __init__(self): self.a = A()",
        "",
        "from torch import nn\nclass Net(nn.Module):\n    def __init__(self):\n        for i in range(10**9): x = i\n",
        "from torch import nn\nclass Net(nn.Module):\n    def __init__(self, n: int = 9**9**9):\n        pass\n",
    ],
)
def test_a_bomb_of_a_text_is_refused_at_once(text: str) -> None:
    with pytest.raises(NotPlainError):
        read(text)
