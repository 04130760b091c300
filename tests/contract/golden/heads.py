# Written by LayerLoom.

from collections import OrderedDict

from torch import nn


class MultiHead(nn.Module):
    """One trunk and a classifier for every property."""

    def __init__(
        self, names: list[str] = ["color", "shape", "size"], classes: list[int] = [6, 4, 3]
    ):
        super().__init__()
        self.trunk = nn.Sequential(
            OrderedDict(
                [("fc", nn.Linear(9, 24)), ("norm", nn.BatchNorm1d(24)), ("act", nn.GELU())]
            )
        )
        self.heads = nn.ModuleDict(
            {name: nn.Linear(24, count) for name, count in zip(names, classes)}
        )

    def forward(self, features):
        x = self.trunk(features)
        return {name: head(x) for name, head in self.heads.items()}
