"""Which modules of a network stay closed, and why: the smallest that do what a document cannot say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import nn
from torch._subclasses.fake_tensor import DataDependentOutputException, DynamicOutputShapeException
from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode

from layerloom.graph.importing.errors import ClosedError
from layerloom.schema.document import Opaque, OpaqueInput, OpaqueTensor

_DEPENDS = (DataDependentOutputException, DynamicOutputShapeException, GuardOnDataDependentSymNode)
_LONGEST = 600
"""Characters of a note."""


@dataclass
class Closing:
    """The modules that an import has closed so far, by qualified name, with the reasons."""

    keep: bool = False
    """Close a module where it cannot be opened; else that is an error."""
    notes: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, dict[str, bool]] = field(default_factory=dict)
    """What the closed ones were given: names, and whether by name alone."""

    def close(self, path: str, error: Exception) -> None:
        """Close a module for what it raised. Raises the same where nothing may be closed, as the whole cannot be."""
        if not self.keep or not path:
            raise error
        self.notes.setdefault(path, reason(path, error))

    def within(self, path: str) -> bool:
        """Whether a name lies inside a closed module."""
        return any(path.startswith(f"{name}.") for name in self.notes)

    def settle(self) -> None:
        """Forget what lies inside others that are closed."""
        self.notes = {path: note for path, note in self.notes.items() if not self.within(path)}

    def given(self, path: str, names: dict[str, bool]) -> None:
        """Note what a closed module is called with."""
        known = self.inputs.setdefault(path, {})
        for name, keyword in names.items():
            known[name] = known.get(name, False) or keyword

    def member(self, name: str, module: nn.Module, path: str) -> Opaque:
        """A closed module as a member of its block."""
        cls = type(module)
        parameters = {name for name, _ in module.named_parameters(remove_duplicate=False)}
        tensors = {
            key: OpaqueTensor(
                shape=list(tensor.shape),
                dtype=str(tensor.dtype).removeprefix("torch."),
                buffer=key not in parameters,
            )
            for key, tensor in module.state_dict().items()
            if hasattr(tensor, "shape")
        }
        return Opaque(
            name=name,
            type=f"{cls.__module__}.{cls.__qualname__}"[:512],
            note=self.notes[path],
            inputs=[OpaqueInput(name=key, keyword=keyword) for key, keyword in self.inputs.get(path, {}).items()],
            tensors=tensors,
        )


def reason(path: str, error: Exception) -> str:
    """Why a module is closed, as a sentence about it."""
    if isinstance(error, _DEPENDS):
        return "what it does depends on the numbers that it is given"
    said = (str(error).strip().splitlines() or [type(error).__name__])[0][:_LONGEST]
    if not isinstance(error, ClosedError):
        return f"it does not run on tensors without numbers: {said}"
    return f"it {said.removeprefix(f'{path} ')}" if said.startswith(f"{path} ") else said


def by_name(signature: Any, given: dict[str, Any]) -> dict[str, bool]:
    """For what a forward is given, whether it has to be given by name: all that stands behind something left out."""
    found: dict[str, bool] = {}
    behind = False
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            several = [key for key in given if key.startswith(f"{name}_") and key not in signature.parameters]
            found.update(dict.fromkeys(several, behind))
        elif name in given:
            behind = behind or parameter.kind is parameter.KEYWORD_ONLY
            found[name] = behind
        else:
            behind = True
    return {name: found.get(name, True) for name in given}
