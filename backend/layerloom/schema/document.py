"""The document: a set of class definitions, as in PyTorch itself.

A block is a class: its arguments, the members that ``__init__`` registers, and the graph of its ``forward``.
``main`` names the outermost block. Member names are attribute names, so a dotted path of member names is a
state_dict key; node ids name places on the canvas and never appear in a key.

Parsing checks form only. What a document *means* (names that exist, sizes that fit) is judged by
``layerloom.check``, which answers with problems instead of refusing: a half-drawn network is a valid document.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from layerloom.schema.base import Wire
from layerloom.schema.values import Arguments, Expr, Packed, Value

FORMAT = 1
"""Version of the format. Older ones are migrated on load, newer ones are refused."""

Name = Annotated[str, Field(max_length=10_000)]
"""Any text: the check says whether it is a usable name, so that a typing user gets a problem and no refusal."""
Target = Annotated[str, Field(max_length=256)]


class ParameterInit(Wire):
    """One statement of an initializer: a function applied to the parameters whose own name matches."""

    parameter: Annotated[str, Field(max_length=256)] = "*"
    """Glob on the parameter's own name inside its module: ``weight``, ``bias``, ``weight_ih_l*``."""
    function: Target
    """Catalogue name: ``torch.nn.init.kaiming_normal_``, or ``layerloom.forget_gate_bias``."""
    arguments: Arguments = {}


class InitRule(Wire):
    """Which modules a list of statements applies to, as a branch of the function given to ``model.apply``.

    Modules are visited in ``model.apply``'s order (children first); the first matching rule wins.
    """

    types: list[Target] = []
    """Catalogue names of layer classes, matched as ``isinstance`` does; empty means any."""
    name: Annotated[str, Field(max_length=256)] = "*"
    """Glob on the module's qualified name: ``stages.*.bn2``."""
    order: Literal["parameters", "statements"] = "parameters"
    """Which loop is the outer one. It decides the order in which random numbers are drawn."""
    statements: list[ParameterInit] = []


class _Member(Wire):
    when: Annotated[str, Field(max_length=2_000)] | None = None
    """A member of a block, not an item of a container, may be there only where an expression over the block's
    arguments holds: ``has_downsample``. What calls it runs under the same condition."""


class Parametrization(Wire):
    """A function of ``torch.nn.utils.parametrizations`` that makes a parameter of a layer from others."""

    function: Target
    """Catalogue name: ``torch.nn.utils.parametrizations.weight_norm``."""
    arguments: Arguments = {}
    """Plain values."""


class Layer(_Member):
    """A layer of the catalogue, ``self.<name> = <target>(**arguments)``."""

    kind: Literal["layer"] = "layer"
    name: Name
    target: Target
    arguments: Arguments = {}
    init: list[ParameterInit] = []
    parametrizations: Annotated[list[Parametrization], Field(max_length=8)] = []
    """The innermost first: ``weight_norm(nn.Linear(4, 3))``, with keys as in ``parametrizations.weight.original0``."""


class BlockUse(_Member):
    """An instance of another block of the document."""

    kind: Literal["block"] = "block"
    name: Name
    block: Name
    arguments: Arguments = {}


class OpaqueTensor(Wire):
    """A parameter or persistent buffer of an opaque member."""

    shape: Annotated[list[Annotated[int, Field(strict=True, ge=0)]], Field(max_length=64)] = []
    dtype: Annotated[str, Field(max_length=64)] = "float32"
    buffer: bool = False


class OpaqueInput(Wire):
    """A value that an opaque member is given."""

    name: Name
    keyword: bool = False
    """Given by its name alone."""


class Opaque(_Member):
    """A module of somebody else's that could not be opened: where it stands is known, and what it does is not.

    It keeps the place in the tree and on the canvas. A document that holds one cannot be built.
    """

    kind: Literal["opaque"] = "opaque"
    name: Name
    type: Annotated[str, Field(max_length=512)] = ""
    """Where its class lies, for people to read. Nothing is ever imported by it."""
    note: Annotated[str, Field(max_length=1_000)] = ""
    """Why it stays closed."""
    inputs: Annotated[list[OpaqueInput], Field(max_length=256)] = []
    tensors: dict[Name, OpaqueTensor] = {}
    """Its state_dict."""


class Parameter(_Member):
    """``nn.Parameter``. Without ``init`` it holds samples of a standard normal, as ``torch.randn`` gives."""

    kind: Literal["parameter"] = "parameter"
    name: Name
    shape: list[Value] = []
    dtype: Annotated[str, Field(max_length=64)] = "float32"
    requires_grad: bool = True
    init: list[ParameterInit] = []


class Buffer(_Member):
    """``register_buffer``: zeros, or a constant, or the numbers ``0 … n-1`` (``arange``) of the last axis.

    Any other numbers are given row by row, a few as a list, many packed.
    """

    kind: Literal["buffer"] = "buffer"
    name: Name
    shape: list[Value] = []
    dtype: Annotated[str, Field(max_length=64)] = "float32"
    persistent: bool = True
    fill: Packed | Value | Literal["arange", "eye", "tril", "triu"] = 0


class Alias(Wire):
    """A second name for a member that an earlier one registered: weight sharing.

    ``of`` is a path inside the same block: a member (``encoder``) or one of its parameters (``embed.weight``).
    The name may be a path to a parameter, too: ``decoder.weight``, for ``self.decoder.weight = self.embed.weight``.
    """

    kind: Literal["alias"] = "alias"
    name: Name
    of: Name


class Repeat(Wire):
    """An item written once and built for every value of an expression: ``for width in widths``."""

    kind: Literal["repeat"] = "repeat"
    variables: Annotated[list[Name], Field(min_length=1, max_length=4)]
    over: Expr
    item: Item


class Sequential(_Member):
    """``nn.Sequential``. Items named ``0 … n-1`` in order are written positionally, any others as an OrderedDict."""

    kind: Literal["sequential"] = "sequential"
    name: Name
    items: list[Item] = []


class ModuleList(_Member):
    """``nn.ModuleList``; items are named ``0 … n-1``."""

    kind: Literal["module_list"] = "module_list"
    name: Name
    items: list[Item] = []


class ModuleDict(_Member):
    """``nn.ModuleDict``; items are named by their keys."""

    kind: Literal["module_dict"] = "module_dict"
    name: Name
    items: list[Item] = []


class ParameterList(_Member):
    """``nn.ParameterList``; items are parameters named ``0 … n-1``."""

    kind: Literal["parameter_list"] = "parameter_list"
    name: Name
    items: list[Item] = []


class ParameterDict(_Member):
    """``nn.ParameterDict``; items are parameters named by their keys."""

    kind: Literal["parameter_dict"] = "parameter_dict"
    name: Name
    items: list[Item] = []


Item = Annotated[
    Layer
    | BlockUse
    | Opaque
    | Sequential
    | ModuleList
    | ModuleDict
    | ParameterList
    | ParameterDict
    | Parameter
    | Repeat,
    Field(discriminator="kind"),
]
"""What a container may hold."""

Member = Annotated[
    Layer
    | BlockUse
    | Opaque
    | Sequential
    | ModuleList
    | ModuleDict
    | ParameterList
    | ParameterDict
    | Parameter
    | Buffer
    | Alias,
    Field(discriminator="kind"),
]
"""What a block's ``__init__`` may register."""

Container = Sequential | ModuleList | ModuleDict | ParameterList | ParameterDict
CONTAINERS = (Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict)


class _Node(Wire):
    id: Annotated[str, Field(max_length=256)]
    name: Annotated[str, Field(max_length=256)] | None = None
    """The local variable that holds the result in generated source; chosen by the writer when absent."""
    when: Annotated[str, Field(max_length=2_000)] | None = None
    """Runs only where this expression holds: ``training``, ``not training``. Its result exists nowhere else, so that
    only nodes of the same condition and the same branch of an ``$if`` may read it."""


class CallNode(_Node):
    """A call of a member, ``self.<target>(...)``. Calling one member from two nodes shares its weights."""

    op: Literal["call"] = "call"
    target: Name
    """Path below the block: ``stem``, ``stages.0.conv``, ``heads.color``."""
    arguments: Arguments = {}
    """By the names of the callee's forward parameters; a Sequential's is ``input``, as in torch."""


class FunctionNode(_Node):
    """An operation of the catalogue: ``torch.cat``, ``torch.Tensor.view``, ``torch.Tensor.shape``, ``operator.add``."""

    op: Literal["function"] = "function"
    target: Target
    arguments: Arguments = {}


class GetNode(_Node):
    """Reads a parameter or buffer: ``self.scale``, ``self.weights[0]``, ``self.embed.weight``."""

    op: Literal["get"] = "get"
    target: Name


class LoopNode(_Node):
    """Calls the items of a container in a chain: ``for layer in self.layers: x = layer(x)``.

    ``input`` is the value that is carried from item to item; the other arguments are given to every call by name.
    """

    op: Literal["loop"] = "loop"
    target: Name
    arguments: Arguments = {}


class ChooseNode(_Node):
    """Calls one item of a ModuleDict by ``key``, or all of them, giving a dict, when ``key`` is None."""

    op: Literal["choose"] = "choose"
    target: Name
    key: Value = None
    arguments: Arguments = {}


Node = Annotated[CallNode | FunctionNode | GetNode | LoopNode | ChooseNode, Field(discriminator="op")]


class GraphInput(Wire):
    """A parameter of ``forward``."""

    name: Name
    optional: bool = False
    """Optional inputs default to None."""


class Graph(Wire):
    """The body of ``forward``. Nodes run in list order, moved only as far as their references demand."""

    inputs: list[GraphInput] = []
    nodes: list[Node] = []
    output: Value = None
    """What ``forward`` returns: a Ref, or a Tuple or Mapping of them. None while nothing is connected."""


class BlockArgument(Wire):
    """A constructor argument of a block."""

    name: Name
    type: Literal["int", "float", "bool", "str", "list[int]", "list[float]", "list[str]"] = "int"
    default: Value = None
    required: bool = False


class Block(Wire):
    """One class."""

    doc: Annotated[str, Field(max_length=10_000)] = ""
    arguments: list[BlockArgument] = []
    members: list[Member] = []
    forward: Graph = Graph()
    version: Annotated[int, Field(strict=True, ge=1, le=10**6)] = 1
    """``_version`` of the class: what it writes into a state_dict beside the tensors, and may look for on loading."""


class InputExample(Wire):
    """An example of one forward input of the main block, from which shapes are inferred."""

    shape: list[Annotated[int, Field(strict=True)]]
    """Per sample: the batch axis comes in front of it unless ``batch`` is false."""
    dtype: Annotated[str, Field(max_length=64)] = "float32"
    batch: bool = True
    high: Annotated[int, Field(strict=True)] | None = None
    """For integer inputs: the values are below it (a vocabulary's size)."""


class Position(Wire):
    """Place of a node's top left corner on the canvas, in its pixels at zoom 1."""

    x: float
    y: float


class BlockView(Wire):
    """How a block is laid out. Keys are node ids; inputs are ``input:<name>``, the output is ``output``."""

    positions: dict[str, Position] = {}
    collapsed: list[str] = []


class View(Wire):
    """What the canvas needs and the network does not."""

    blocks: dict[str, BlockView] = {}


class PythonLayer(Wire):
    """A class of Python, an ``nn.Module`` or a ``torch.autograd.Function``, that a document carries.

    It is run nowhere but where that was switched on; elsewhere it is text, and ``check`` says ``python_disabled``.
    """

    source: Annotated[str, Field(max_length=100_000)]
    """Imports, the class that is named as the layer is, and what else it needs."""


class Document(Wire):
    """A network as a person draws it. See DESIGN.md for the idea, ``layerloom.build`` for the module."""

    format: Annotated[int, Field(strict=True)] = FORMAT
    name: Annotated[str, Field(max_length=200)] = ""
    main: Name
    blocks: dict[str, Block]
    init: list[InitRule] = []
    frozen: list[Annotated[str, Field(max_length=256)]] = []
    """Globs on qualified parameter names that do not train."""
    inputs: dict[str, InputExample] = {}
    code: Annotated[dict[Name, PythonLayer], Field(max_length=64)] = {}
    """Layers that are Python code, by the name of the class: ``SwishGate`` is the layer or operation
    ``python.SwishGate``."""
    ui: View = View()


for _model in (Repeat, Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict, Block, Document):
    _model.model_rebuild()
