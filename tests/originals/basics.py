# ruff: noqa
"""Small networks of a few layers, as one writes them by hand."""

import torch
from torch import nn


class DigitsMLP(nn.Module):
    """Two hidden layers with dropout, for digits given as 64 numbers."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 128)
        self.act = nn.ReLU()
        self.drop = nn.Dropout(0.2)
        self.fc2 = nn.Linear(128, 64)
        self.out = nn.Linear(64, 10)

    def forward(self, x):
        x = self.drop(self.act(self.fc1(x)))
        return self.out(self.act(self.fc2(x)))


class Affine(nn.Module):
    """What nn.Linear does, written out: a weight, a bias, a product and a sum."""

    def __init__(self, in_features: int, out_features: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features))
        self.bias = nn.Parameter(torch.zeros(out_features))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x):
        return x @ self.weight.t() + self.bias


class AffineIris(nn.Module):
    """Two layers of one's own with a tanh between them."""

    def __init__(self, hidden: int = 16):
        super().__init__()
        self.affine1 = Affine(4, hidden)
        self.affine2 = Affine(hidden, 3)

    def forward(self, x):
        return self.affine2(torch.tanh(self.affine1(x)))


class GatedUnit(nn.Module):
    """A linear layer whose second half gates the first half, with a skip connection around both."""

    def __init__(self, features: int, hidden: int):
        super().__init__()
        self.expand = nn.Linear(features, 2 * hidden)
        self.contract = nn.Linear(hidden, features)

    def forward(self, x):
        x1, x2 = self.expand(x).chunk(2, dim=-1)
        return x + self.contract(x1 * torch.sigmoid(x2))


class GatedWine(nn.Module):
    """Two gated units and a classifier for three wine growers."""

    def __init__(self):
        super().__init__()
        self.unit1 = GatedUnit(13, 32)
        self.unit2 = GatedUnit(13, 32)
        self.out = nn.Linear(13, 3)

    def forward(self, x):
        return self.out(self.unit2(self.unit1(x)))


class SpiralsMLP(nn.Module):
    """A point of the plane in, scores for three spiral arms out."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 3))

    def forward(self, x):
        return self.layers(x)


class IrisMLP(nn.Module):
    """One hidden layer: four measurements of a flower in, scores for three species out."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(4, 16)
        self.act = nn.ReLU()
        self.out = nn.Linear(16, 3)

    def forward(self, x):
        return self.out(self.act(self.hidden(x)))


class DiabetesRegression(nn.Module):
    """Ten measurements of a patient in, one number out."""

    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(10)
        self.layers = nn.Sequential(nn.Linear(10, 32), nn.SiLU(), nn.Dropout(0.2), nn.Linear(32, 1))

    def forward(self, x):
        return self.layers(self.norm(x))
