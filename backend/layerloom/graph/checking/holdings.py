"""What a network's members are: the layers' configurations as they become known, tensors, numbers of parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

from layerloom.catalogue import dtype
from layerloom.graph.checking import autos
from layerloom.graph.checking.autos import AutoPath
from layerloom.graph.checking.layers import built
from layerloom.graph.checking.network import Located, Network, placed
from layerloom.graph.checking.reading import member_config, read
from layerloom.graph.checking.records import Stopped
from layerloom.graph.checking.values import LayerConfig, TensorSpec
from layerloom.graph.expressions import ExpressionError
from layerloom.graph.places import Instance
from layerloom.schema.document import CONTAINERS, BlockUse, Buffer, Layer, Opaque, Parameter


def own_sizes(member: Layer, found: autos.Resolution) -> dict[AutoPath, int]:
    """Sizes as the layer itself has them, whatever is put around it."""
    outside = len(member.parametrizations)
    return {path[outside:]: size for path, size in found.sizes}


@dataclass
class Holdings:
    """Shared by all passes of a check. Layers go by their qualified names."""

    network: Network
    configs: dict[str, LayerConfig] = field(default_factory=dict)
    """Automatic sizes filled in as they become known."""
    automatic: set[str] = field(default_factory=set)
    """Layers that still have automatic sizes."""
    sizes: dict[str, dict[AutoPath, int]] = field(default_factory=dict)
    """Automatic sizes that are known."""
    holders: set[str] = field(default_factory=set)
    """Modules that have a layer with automatic sizes inside, known or not."""

    _counts: dict[str, int] = field(default_factory=dict)

    def wait(self, name: str) -> None:
        """Note a layer that has automatic sizes."""
        self.automatic.add(name)
        while name:
            name = name.rpartition(".")[0]
            self.holders.add(name)

    def config(self, located: Located) -> LayerConfig:
        """A layer's configuration. Raises Stopped where an argument has no value."""
        name = located.name
        known = self.configs.get(name)
        if known is None:
            member = located.place.member
            assert isinstance(member, Layer)
            try:
                known = member_config(member, located.place.environment)
            except ExpressionError:
                raise Stopped from None  # reported with the member
            self.configs[name] = known
            if autos.paths(known):
                self.wait(name)
        return known

    def settle(self, name: str, config: LayerConfig, sizes: dict[AutoPath, int]) -> None:
        """Note the sizes of a layer that had to wait for them."""
        self.configs[name] = config
        self.sizes[name] = sizes
        self.automatic.discard(name)

    def tensor(self, located: Located) -> TensorSpec:
        """A parameter or buffer member as a tensor. Raises Stopped."""
        member = located.place.member
        assert isinstance(member, Parameter | Buffer)
        try:
            shape = [read(size, located.place.environment) for size in member.shape]
            kind = dtype(member.dtype)
        except (ExpressionError, KeyError):
            raise Stopped from None
        if not all(isinstance(size, int) and 0 <= size < 2**63 for size in shape):
            raise Stopped
        return TensorSpec(tuple(size for size in shape if isinstance(size, int)), kind)

    def tensors(self, located: Located) -> dict[str, TensorSpec]:
        """Parameters and buffers of a layer by name. Raises Stopped where it cannot be built yet."""
        config = self.config(located)
        module = built(config).module if located.name not in self.automatic else None
        if module is None:
            raise Stopped
        tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
        return {name: TensorSpec(tuple(tensor.shape), tensor.dtype) for name, tensor in tensors.items()}

    def _inside(self, instance: Instance) -> int:
        """Parameters of an instance; the same in all that are built alike, unless they have automatic sizes."""
        known = self._counts.get(instance.kind)
        if known is not None and instance.name not in self.holders:
            return known
        places = [placed(instance, place) for path, place in instance.places.items() if "." not in path]
        count = self._counts[instance.kind] = sum(map(self.parameters, places))
        return count

    def parameters(self, located: Located) -> int:
        """Parameters of a layer, or of everything below a container or block, without aliases."""
        member = located.place.member
        if isinstance(member, Layer):
            config = self.configs.get(located.name)
            return 0 if config is None or located.name in self.automatic else built(config).parameters
        if isinstance(member, CONTAINERS):
            return sum(self.parameters(item) for item in self.network.items(located))
        if isinstance(member, BlockUse):
            inner = self.network.instances.get(located.name)
            return self._inside(inner) if inner else 0
        if isinstance(member, Opaque):
            return sum(prod(tensor.shape) for tensor in member.tensors.values() if not tensor.buffer)
        return self.tensor(located).elements if isinstance(member, Parameter) else 0
