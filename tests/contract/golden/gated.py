# Written by LayerLoom.

import torch
from torch import nn


class GatedUnit(nn.Module):
    """One half of the features gates the other."""

    def __init__(self, features: int, hidden: int):
        super().__init__()
        self.expand = nn.Linear(features, 2 * hidden)
        self.contract = nn.Linear(hidden, features)

    def forward(self, x):
        x1, x2 = self.expand(x).chunk(2, dim=-1)
        return x + self.contract(x1 * torch.sigmoid(x2))


class GatedNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.unit1 = GatedUnit(10, 24)
        self.unit2 = GatedUnit(10, 16)
        self.norm = nn.LayerNorm(10)
        self.fc = nn.Linear(10, 3)

    def forward(self, x):
        x = self.norm(self.unit2(self.unit1(x)))
        return self.fc(x)
