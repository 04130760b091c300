"""Random documents that are right by construction: every kind of member, node and value that a document may hold.

A width is a text over the arguments of its block, ``2 * width`` or ``16``, so that one way of drawing serves the main
block, where all sizes are numbers, and the classes that it uses, where they are expressions.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import orjson
from hypothesis import strategies as st

from layerloom.schema.document import Document
from unit.graph.checking.drawing import AUTO, Json, argument, call, expr, function, get, layer, ref, repeat, use

T = TypeVar("T")
ACTIVATIONS = [
    ("ReLU", {}),
    ("GELU", {}),
    ("Tanh", {}),
    ("LeakyReLU", {"negative_slope": 0.2}),
    ("Dropout", {"p": 0.3}),
]
FUNCTIONS = ["torch.relu", "torch.tanh", "torch.nn.functional.gelu", "torch.Tensor.sigmoid", "operator.neg"]
NAMES = ["body", "encoder", "mix", "head", "gate", "proj", "part", "stem"]


class Value(NamedTuple):
    """A result: where it comes from, and what it is. Texts are widths of the last axis or, of an image, numbers."""

    ref: Json
    kind: str
    """``vector`` (N, width), ``sequence`` (N, length, width) or ``image`` (N, channels, size, size)."""
    width: str
    extent: int = 0
    """Length of a sequence, height and width of an image."""


class Made(NamedTuple):
    """A class that may be used: its widths are texts over its own arguments."""

    name: str
    arguments: dict[str, str]
    """Types by name."""
    inputs: list[str]
    """The width that each forward input takes."""
    outputs: dict[str, str]
    """What each output is wide, by how it is selected: ``""``, ``"0"``, or a key."""
    optional: bool


@dataclass
class Canvas:
    """One block while it is drawn."""

    pick: Callable[[list[Any]], Any]
    number: Callable[[int, int], int]
    arguments: dict[str, str] = field(default_factory=dict)
    members: list[Json] = field(default_factory=list)
    nodes: list[Json] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    names: int = 0

    def chance(self, one_in: int) -> bool:
        return self.number(1, one_in) == one_in

    def name(self, hint: str | None = None) -> str:
        self.names += 1
        return f"{hint or self.pick(NAMES)}{self.names}"

    def member(self, made: Json) -> str:
        self.members.append(made)
        return str(made["name"])

    def node(self, made: Json, *path: int | str) -> Json:
        self.nodes.append(made)
        if self.chance(8):
            made["name"] = self.pick(["x", "y", "h", "out", "skip", "hidden"])
        return ref(made["id"], *path)

    def id(self) -> str:
        self.names += 1
        return f"n{self.names}"

    def call(self, target: str, *path: int | str, **given: Any) -> Json:
        return self.node(call(self.id(), target, **given), *path)

    def apply(self, target: str, *path: int | str, **given: Any) -> Json:
        return self.node(function(self.id(), target, **given), *path)

    def add(self, value: Value) -> Value:
        self.values.append(value)
        return value

    def some(self, kind: str) -> Value | None:
        found = [value for value in self.values if value.kind == kind]
        return self.pick(found[-3:]) if found else None

    def width(self) -> str:
        """A new width: a small number, or an expression over an argument."""
        numbers = [name for name, kind in self.arguments.items() if kind == "int"]
        if numbers and self.chance(2):
            return str(self.pick(["{}", "2 * {}", "{} + 3", "max({}, 4)", "{} // 2 + 1"])).format(self.pick(numbers))
        return str(self.pick([3, 4, 6, 8]))

    def probability(self) -> Any:
        rates = [name for name, kind in self.arguments.items() if kind == "float"]
        return expr(f"{self.pick(rates)} / 2") if rates and self.chance(2) else 0.25


def size(text: str) -> Any:
    """A text as a document's value: a number or a list of them, a truth, or an expression."""
    if text in ("True", "False"):
        return text == "True"
    return orjson.loads(text) if re.fullmatch(r"\d+(\.\d+)?|\[[\d, ]+\]", text) else expr(text)


def automatic(text: str) -> Any:
    """A width for the check to find, where it is one for all instances of a class."""
    return AUTO if text.isdecimal() else expr(text)


def within(text: str, given: dict[str, str]) -> str:
    """A width of a class in the words of who uses it."""
    put = {name: value if re.fullmatch(r"\w+|\[.*\]", value) else f"({value})" for name, value in given.items()}
    return re.sub(r"[a-z_]\w*", lambda match: put.get(match[0], match[0]), text)


# --- what may be done to a vector


def linear(canvas: Canvas, name: str, source: str, target: str) -> Json:
    """A Linear whose incoming width may be automatic."""
    made = layer(name, "Linear", in_features=size(source), out_features=size(target))
    switches = [name for name, kind in canvas.arguments.items() if kind == "bool"]
    if canvas.chance(3):
        made["arguments"]["bias"] = expr(f"not {canvas.pick(switches)}") if switches else False
    if canvas.chance(6):
        made["init"] = [
            {"parameter": "weight", "function": "torch.nn.init.xavier_uniform_", "arguments": {"gain": 0.5}}
        ]
    return made


def activation(canvas: Canvas, name: str) -> Json:
    kind, given = canvas.pick(ACTIVATIONS)
    return layer(name, kind, **({"p": canvas.probability()} if kind == "Dropout" else given))


def _linear(canvas: Canvas, value: Value) -> None:
    target = canvas.width()
    made = linear(canvas, canvas.name(), value.width, target)
    if canvas.chance(3):
        made["arguments"]["in_features"] = automatic(value.width)
    canvas.add(value._replace(ref=canvas.call(canvas.member(made), input=value.ref), width=target))


def _activation(canvas: Canvas, value: Value) -> None:
    name = canvas.member(activation(canvas, canvas.name("act")))
    for _ in range(canvas.number(1, 2)):  # one member called twice shares what it holds
        value = canvas.add(value._replace(ref=canvas.call(name, input=value.ref)))


def _norm(canvas: Canvas, value: Value) -> None:
    made = layer(canvas.name("norm"), "LayerNorm", normalized_shape=size(value.width))
    if value.kind == "vector" and canvas.chance(2):
        made = layer(
            made["name"], "BatchNorm1d", num_features=automatic(value.width) if canvas.chance(2) else size(value.width)
        )
    canvas.add(value._replace(ref=canvas.call(canvas.member(made), input=value.ref)))


def _function(canvas: Canvas, value: Value) -> None:
    canvas.add(value._replace(ref=canvas.apply(canvas.pick(FUNCTIONS), input=value.ref)))


def _scaled(canvas: Canvas, value: Value) -> None:
    """A parameter or buffer, multiplied; or a number that an expression of forward computes."""
    rates = [name for name, kind in canvas.arguments.items() if kind == "float"]
    if rates and canvas.chance(2):
        other: Any = expr(f"1 + {canvas.pick(rates)} if training else {canvas.pick(rates)}")
    else:
        kind = canvas.pick(["parameter", "buffer"])
        made: Json = {"kind": kind, "name": canvas.name("scale"), "shape": [size(value.width)]}
        if kind == "buffer":
            made |= {"fill": canvas.pick([1, 0.5, "arange"]), "persistent": canvas.chance(2)}
        elif canvas.chance(2):
            made["init"] = [{"function": "torch.nn.init.constant_", "arguments": {"val": 0.5}}]
        other = canvas.node(get(canvas.id(), canvas.member(made)))
    canvas.add(value._replace(ref=canvas.apply("operator.mul", input=value.ref, other=other)))


def _sum(canvas: Canvas, value: Value) -> None:
    """A skip: added where it is as wide, through a Linear where it is not."""
    other = canvas.some(value.kind)
    if other is None or other.extent != value.extent:
        return
    if other.width != value.width:
        name = canvas.member(linear(canvas, canvas.name("proj"), other.width, value.width))
        other = value._replace(ref=canvas.call(name, input=other.ref))
    canvas.add(value._replace(ref=canvas.apply("operator.add", input=value.ref, other=other.ref)))


def _joined(canvas: Canvas, value: Value) -> None:
    other = canvas.some(value.kind)
    if other is None or other.extent != value.extent or len(other.width + value.width) > 60:
        return
    width = f"{value.width} + {other.width}"
    if value.width.isdecimal() and other.width.isdecimal():
        width = str(int(value.width) + int(other.width))
    canvas.add(value._replace(ref=canvas.apply("torch.cat", tensors=[value.ref, other.ref], dim=-1), width=width))


def _gated(canvas: Canvas, value: Value) -> None:
    """Two halves of one Linear: a tuple, selected by index."""
    half = canvas.width()
    made = linear(canvas, canvas.name("gate"), value.width, f"2 * ({half})")
    halves = canvas.apply("torch.chunk", input=canvas.call(canvas.member(made), input=value.ref), chunks=2, dim=-1)
    gate = canvas.apply("torch.sigmoid", input=ref(halves["$ref"], 1))
    canvas.add(value._replace(ref=canvas.apply("operator.mul", input=ref(halves["$ref"], 0), other=gate), width=half))


def _sequential(canvas: Canvas, value: Value) -> None:
    """Items by number or by name, nested, some of them repeated."""
    named = canvas.chance(2)
    width = value.width
    items: list[Json] = []
    for index in range(canvas.number(1, 3)):
        name = f"item{index}" if named else str(index)
        target = canvas.width()
        choice = canvas.number(0, 3)
        if choice == 0 and not named:
            items.append(repeat(f"range({canvas.number(1, 3)})", linear(canvas, "0", width, width)))
            continue
        if choice == 1:
            inner = [linear(canvas, "0", width, target), activation(canvas, "1")]
            items.append({"kind": "sequential", "name": name, "items": inner})
        else:
            items.append(linear(canvas, name, width, target))
        width = target
    held = {"kind": "sequential", "name": canvas.name("body"), "items": items}
    canvas.add(value._replace(ref=canvas.call(canvas.member(held), input=value.ref), width=width))


def _widths(canvas: Canvas, value: Value) -> None:
    """One stage for each width of a list: ``for a, b in zip(widths, widths[1:])``."""
    lists = [name for name, kind in canvas.arguments.items() if kind == "list[int]"]
    text = canvas.pick(lists) if lists else str([canvas.number(2, 6) for _ in range(canvas.number(2, 4))])
    first = canvas.member(linear(canvas, canvas.name("stem"), value.width, f"{text}[0]"))
    item = linear(canvas, "0", "a", "b")
    over, variables = f"zip({text}, {text}[1:])", ["a", "b"]
    if canvas.chance(3):
        item["arguments"] |= {"in_features": size(f"{text}[i]"), "out_features": size(f"{text}[i + 1]")}
        over, variables = f"range(len({text}) - 1)", ["i"]
    elif canvas.chance(3):
        item["arguments"]["in_features"] = size(f"{text}[i]")
        over, variables = f"enumerate({text}[1:])", ["i", "b"]
    kind = canvas.pick(["sequential", "module_list"])
    held = {"kind": kind, "name": canvas.name("stages"), "items": [repeat(over, item, *variables)]}
    source = canvas.call(first, input=value.ref)
    made = _chained(canvas, kind, canvas.member(held), source)
    canvas.add(value._replace(ref=made, width=f"{text}[-1]"))


def _chained(canvas: Canvas, kind: str, name: str, source: Json) -> Json:
    if kind == "sequential" and canvas.chance(2):
        return canvas.call(name, input=source)
    return canvas.node({"op": "loop", "id": canvas.id(), "target": name, "arguments": {"input": source}})


def _list(canvas: Canvas, value: Value) -> None:
    """A ModuleList, looped over or called item by item."""
    items = [linear(canvas, str(index), value.width, value.width) for index in range(canvas.number(1, 3))]
    name = canvas.member({"kind": "module_list", "name": canvas.name("layers"), "items": items})
    if canvas.chance(2):
        canvas.add(value._replace(ref=_chained(canvas, "module_list", name, value.ref)))
        return
    for index in range(len(items)):
        value = canvas.add(value._replace(ref=canvas.call(f"{name}.{index}", input=value.ref)))


def _dict(canvas: Canvas, value: Value) -> None:
    """A ModuleDict: one head by its key, or all of them."""
    keys = ["left", "right"][: canvas.number(1, 2)]
    name, target = canvas.name("heads"), canvas.width()
    items = [linear(canvas, key, value.width, target) for key in keys]
    if canvas.chance(3):
        items = [repeat(str(keys), linear(canvas, "key", value.width, target), "key")]
    canvas.member({"kind": "module_dict", "name": name, "items": items})
    every = canvas.chance(2)
    node = {"op": "choose", "id": canvas.id(), "target": name, "arguments": {"input": value.ref}}
    node["key"] = None if every else canvas.pick(keys)
    canvas.node(node)
    canvas.add(value._replace(ref=ref(node["id"], *([canvas.pick(keys)] if every else [])), width=target))


def _parameters(canvas: Canvas, value: Value) -> None:
    kind = canvas.pick(["parameter_list", "parameter_dict"])
    keys = ["0", "1"] if kind == "parameter_list" else ["first", "second"]
    items = [{"kind": "parameter", "name": key, "shape": [size(value.width)]} for key in keys]
    name = canvas.member({"kind": kind, "name": canvas.name("weights"), "items": items})
    other = canvas.node(get(canvas.id(), f"{name}.{canvas.pick(keys)}"))
    canvas.add(value._replace(ref=canvas.apply("torch.add", input=value.ref, other=other)))


def _tied(canvas: Canvas, value: Value) -> None:
    """Two layers with one weight, or one layer under two names."""
    if canvas.chance(2):
        name = canvas.member(linear(canvas, canvas.name("once"), value.width, value.width))
        again = canvas.member({"kind": "alias", "name": canvas.name("again"), "of": name})
        for target in (name, again):
            value = canvas.add(value._replace(ref=canvas.call(target, input=value.ref)))
        return
    one = canvas.member(linear(canvas, canvas.name("one"), value.width, value.width))
    two = canvas.member(linear(canvas, canvas.name("two"), value.width, value.width))
    canvas.member({"kind": "alias", "name": f"{two}.weight", "of": f"{one}.weight"})
    between = canvas.add(value._replace(ref=canvas.call(one, input=value.ref)))
    canvas.add(value._replace(ref=canvas.call(two, input=between.ref)))


def _cell(canvas: Canvas, value: Value) -> None:
    """Tuple outputs: an LSTM's cell, whose state may be fed again."""
    hidden = canvas.width()
    made = layer(canvas.name("cell"), "LSTMCell", input_size=size(value.width), hidden_size=size(hidden))
    name = canvas.member(made)
    first = canvas.call(name, input=value.ref)["$ref"]
    state = {"$tuple": [ref(first, 0), ref(first, 1)]}
    again = canvas.call(name, input=value.ref, hx=state)["$ref"] if canvas.chance(2) else first
    canvas.add(value._replace(ref=ref(again, canvas.number(0, 1)), width=hidden))


def _bilinear(canvas: Canvas, value: Value) -> None:
    other, target = canvas.some("vector"), canvas.width()
    assert other is not None
    sizes = {"in1_features": size(value.width), "in2_features": size(other.width), "out_features": size(target)}
    name = canvas.member(layer(canvas.name("mix"), "Bilinear", **sizes))
    canvas.add(value._replace(ref=canvas.call(name, input1=value.ref, input2=other.ref), width=target))


def _in_training(canvas: Canvas, value: Value) -> None:
    """Something that is done while the network trains alone."""
    node = function(canvas.id(), canvas.pick(FUNCTIONS), input=value.ref)
    made = canvas.node({**node, "when": canvas.pick(["training", "not training"])})
    given = {"$if": "training", "then": made, "else": value.ref}
    if canvas.nodes[-1]["when"] != "training":
        given = {"$if": "training", "then": value.ref, "else": made}
    canvas.add(value._replace(ref=canvas.apply("torch.abs", input=given)))


def _unflattened(canvas: Canvas, value: Value) -> None:
    made = canvas.apply("torch.unsqueeze", input=value.ref, dim=1)
    canvas.add(Value(made, "sequence", value.width, 1))


# --- what may be done to a sequence or an image


def _recurrent(canvas: Canvas, value: Value) -> None:
    hidden = canvas.width()
    kind = canvas.pick(["LSTM", "GRU", "RNN"])
    sizes = {"input_size": size(value.width), "hidden_size": size(hidden), "batch_first": True}
    made = canvas.call(canvas.member(layer(canvas.name("rnn"), kind, **sizes)), input=value.ref)["$ref"]
    canvas.add(value._replace(ref=ref(made, 0), width=hidden))
    state = ref(made, 1, 1) if kind == "LSTM" else ref(made, 1)
    canvas.add(Value(canvas.apply("torch.select", input=state, dim=0, index=0), "vector", hidden))


def _attention(canvas: Canvas, value: Value) -> None:
    made = layer(canvas.name("attention"), "MultiheadAttention", embed_dim=size(value.width), num_heads=1)
    made["arguments"]["batch_first"] = True
    given = {"query": value.ref, "key": value.ref, "value": value.ref}
    node = {"op": "call", "id": canvas.id(), "target": canvas.member(made), "arguments": given}
    canvas.add(value._replace(ref=canvas.node(node, 0)))


def _pooled(canvas: Canvas, value: Value) -> None:
    if canvas.chance(2):
        index = {"$tuple": [{"$slice": [None, None, None]}, -1]}
        made = canvas.apply("operator.getitem", input=value.ref, index=index)
    else:
        made = canvas.apply("torch.mean", input=value.ref, dim=1)
    canvas.add(Value(made, "vector", value.width))


def _convolution(canvas: Canvas, value: Value) -> None:
    channels = canvas.pick(["3", "4", "6"])
    sizes = {"in_channels": AUTO if canvas.chance(2) else size(value.width), "out_channels": size(channels)}
    stride = canvas.number(1, 2) if value.extent > 3 else 1
    made = layer(canvas.name("conv"), "Conv2d", **sizes, kernel_size=3, padding=1, stride=stride)
    extent = (value.extent - 1) // stride + 1
    canvas.add(Value(canvas.call(canvas.member(made), input=value.ref), "image", channels, extent))


def _image_norm(canvas: Canvas, value: Value) -> None:
    name = canvas.member(layer(canvas.name("norm"), "BatchNorm2d", num_features=size(value.width)))
    canvas.add(value._replace(ref=canvas.call(name, input=value.ref)))


def _flattened(canvas: Canvas, value: Value) -> None:
    name = canvas.member(layer(canvas.name("flat"), "Flatten"))
    width = str(int(value.width) * value.extent**2)
    canvas.add(Value(canvas.call(name, input=value.ref), "vector", width))


Step = Callable[[Canvas, Value], None]
VECTOR: list[Step] = [
    *(_linear, _activation, _norm, _function, _scaled, _sum, _joined, _gated, _sequential, _widths, _list, _dict),
    *(_parameters, _tied, _cell, _bilinear, _unflattened, _in_training),
]
SEQUENCE: list[Step] = [_linear, _activation, _norm, _function, _scaled, _sum, _recurrent, _attention, _pooled]
IMAGE: list[Step] = [_convolution, _image_norm, _activation, _function, _flattened]
STEPS = {"vector": VECTOR, "sequence": SEQUENCE, "image": IMAGE}


# --- blocks


def _used(canvas: Canvas, value: Value, made: Made) -> None:
    """An instance of a class, as a member of its own or as the items of a list, at widths of the one who uses it."""
    given = {}
    for name, kind in made.arguments.items():
        given[name] = {
            "int": lambda: value.width if canvas.chance(2) else canvas.width(),
            "float": lambda: "0.5",
            "bool": lambda: canvas.pick(["True", "False", "1 > 2"]),
            "list[int]": lambda: str([canvas.number(2, 5) for _ in range(canvas.number(2, 3))]),
        }[kind]()
    put = {name: size(text) for name, text in given.items() if name == "width" or canvas.number(1, 6) > 1}
    given = {name: text if name in put else DEFAULTS[made.arguments[name]] for name, text in given.items()}
    arriving: Json = {}
    for name, wanted in zip("xy", made.inputs, strict=False):
        target = within(wanted, given)
        other = canvas.some("vector") or value
        if other.width != target:
            name_of = canvas.member(linear(canvas, canvas.name("proj"), other.width, target))
            other = other._replace(ref=canvas.call(name_of, input=other.ref))
        arriving[name] = other.ref
    single = len(made.inputs) == 1 and list(made.outputs) == [""] and not made.optional
    if single and made.outputs[""] == made.inputs[0] and canvas.chance(2):
        kind = canvas.pick(["sequential", "module_list"])
        over = f"range({canvas.number(1, 3)})"
        items = [repeat(over, use("0", made.name, **put))] if canvas.chance(2) else [use("0", made.name, **put)]
        name = canvas.member({"kind": kind, "name": canvas.name("blocks"), "items": items})
        node = _chained(canvas, kind, name, arriving["x"])
        canvas.add(Value(node, "vector", within(made.outputs[""], given)))
        return
    name = canvas.member(use(canvas.name("part"), made.name, **put))
    for _ in range(canvas.number(1, 2) if single and made.outputs[""] == made.inputs[0] else 1):
        node = canvas.call(name, **arriving)
        for path, width in made.outputs.items():
            steps = [int(path) if path.isdecimal() else path] if path else []
            canvas.add(Value(ref(node["$ref"], *steps), "vector", within(width, given)))
        arriving = {"x": canvas.values[-1].ref}


DEFAULTS = {"int": "4", "float": "0.1", "bool": "true", "list[int]": "[3, 5]"}


def _draw(canvas: Canvas, made: list[Made], steps: int) -> None:
    for _ in range(steps):
        value = canvas.pick(canvas.values[-3:])
        if made and value.kind == "vector" and canvas.chance(3):
            _used(canvas, value, canvas.pick(made))
        else:
            canvas.pick(STEPS[value.kind])(canvas, value)


def _output(canvas: Canvas) -> tuple[Any, dict[str, str]]:
    """What forward returns, and how wide each part is."""
    vectors = [value for value in canvas.values if value.kind == "vector"]
    last = vectors[-1]
    shape = canvas.number(0, 5)
    if shape == 0 and len(vectors) > 1:
        return {"$tuple": [last.ref, vectors[-2].ref]}, {"0": last.width, "1": vectors[-2].width}
    if shape == 1 and len(vectors) > 1:
        return {"$dict": {"main": last.ref, "aux": vectors[-2].ref}}, {"main": last.width, "aux": vectors[-2].width}
    return last.ref, {"": last.width}


def _class(pick: Any, number: Any, name: str, made: list[Made]) -> tuple[Json, Made]:
    arguments = {"width": "int"}
    arguments |= {"rate": "float"} if number(0, 1) else {}
    arguments |= {"plain": "bool"} if number(0, 2) == 0 else {}
    arguments |= {"widths": "list[int]"} if number(0, 2) == 0 else {}
    canvas = Canvas(pick, number, arguments)
    inputs = ["width"] + (["width"] if number(0, 3) == 0 else [])
    for index, width in enumerate(inputs):
        canvas.add(Value(ref("xy"[index]), "vector", width))
    _draw(canvas, made, number(1, 3))
    if canvas.values[-1].kind != "vector":
        _pooled(canvas, canvas.values[-1])
    if number(0, 1):  # as wide as it came in, so that it can be chained
        value = canvas.values[-1]
        name_of = canvas.member(linear(canvas, canvas.name("back"), value.width, "width"))
        canvas.add(Value(canvas.call(name_of, input=value.ref), "vector", "width"))
    optional = len(inputs) == 1 and number(0, 4) == 0
    output, widths = _output(canvas)
    required = number(0, 1) == 1
    declared = [
        argument(key, kind, required=True)
        if key == "width" and required
        else argument(key, kind, default=orjson.loads(DEFAULTS[kind]))
        for key, kind in arguments.items()
    ]
    given = [{"name": key} for key in "xy"[: len(inputs)]] + ([{"name": "mask", "optional": True}] if optional else [])
    forward = {"inputs": given, "nodes": canvas.nodes, "output": output}
    block = {"doc": pick(["", "A part.", "Two lines\n\nof text."]), "members": canvas.members, "arguments": declared}
    return {**block, "forward": forward}, Made(name, arguments, inputs, widths, optional)


@st.composite
def documents(draw: st.DrawFn) -> Json:
    """A document as JSON, that checks without an error."""

    def pick(options: list[T]) -> T:
        return options[draw(st.integers(0, len(options) - 1))]

    def number(low: int, high: int) -> int:
        return draw(st.integers(low, high))

    blocks: Json = {}
    made: list[Made] = []
    for name in ["Inner", "Middle", "Outer"][: number(0, 3)]:
        blocks[name], it = _class(pick, number, name, made)
        made.append(it)
    canvas = Canvas(pick, number)
    inputs: Json = {"x": {"shape": [8]}}
    first = number(0, 4)
    if first == 0:
        inputs["x"] = {"shape": [5, 4]}
        canvas.add(Value(ref("x"), "sequence", "4", 5))
    elif first == 1:
        inputs["x"] = {"shape": [3, 6, 6]}
        canvas.add(Value(ref("x"), "image", "3", 6))
    elif first == 2:
        inputs["x"] = {"shape": [5], "dtype": "int64", "high": 9}
        name = canvas.member(layer("embed", "Embedding", num_embeddings=9, embedding_dim=4))
        canvas.add(Value(canvas.call(name, input=ref("x")), "sequence", "4", 5))
    else:
        canvas.add(Value(ref("x"), "vector", "8"))
    if number(0, 3) == 0:
        inputs["y"] = {"shape": [6]}
        canvas.add(Value(ref("y"), "vector", "6"))
    _draw(canvas, made, number(1, 6))
    if not any(value.kind == "vector" for value in canvas.values):
        (_flattened if canvas.values[-1].kind == "image" else _pooled)(canvas, canvas.values[-1])
    output, _ = _output(canvas)
    forward = {"inputs": [{"name": name} for name in inputs], "nodes": canvas.nodes, "output": output}
    normal = {"parameter": "weight", "function": "torch.nn.init.normal_", "arguments": {"std": 0.1}}
    rules = [{"types": ["torch.nn.Linear"], "statements": [normal]}]
    return {
        "main": "Net",
        "blocks": {**blocks, "Net": {"members": canvas.members, "forward": forward}},
        "inputs": inputs,
        "init": pick([[], rules]),
        "frozen": pick([[], ["*.bias"], [f"{member['name']}.*" for member in canvas.members[:1]]]),
    }


def parse(document: Json) -> Document:
    return Document.model_validate_json(orjson.dumps(document))
