# Written by LayerLoom.

import torch
from torch import nn


def init_weights(module):
    """Initialize one module; ``model.apply(init_weights)`` visits all of them, children first."""
    if isinstance(module, Mixture):
        nn.init.constant_(module.temperature, 0.5)


class Mixture(nn.Module):
    """A mixture of linear experts, written with bare parameters."""

    def __init__(self):
        super().__init__()
        self.weights = nn.ParameterList(
            [
                nn.Parameter(torch.randn(8, 5)),
                nn.Parameter(torch.randn(8, 5)),
                nn.Parameter(torch.randn(8, 5)),
            ]
        )
        self.offsets = nn.ParameterDict(
            {"bias": nn.Parameter(torch.zeros(5)), "gain": nn.Parameter(torch.ones(5))}
        )
        self.temperature = nn.Parameter(torch.zeros(()))
        self.register_buffer("steps", torch.arange(5, dtype=torch.float32))
        self.register_buffer("mask", torch.tril(torch.ones(5, 5)), persistent=False)
        self.norm = nn.LayerNorm(5)
        self.apply(init_weights)

    def forward(self, x):
        out = x @ self.weights[0] * torch.tanh(x @ self.weights[1])
        out = (out + x @ self.weights[2] / self.temperature) * self.offsets["gain"]
        return self.norm((out + self.offsets["bias"]) @ self.mask + self.steps)
