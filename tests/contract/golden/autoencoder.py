# Written by LayerLoom.

import torch
from torch import nn


def init_weights(module):
    """Initialize one module; ``model.apply(init_weights)`` visits all of them, children first."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)


class TiedAutoencoder(nn.Module):
    """The decoder uses the token table of the encoder."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(25, 8)
        self.encoder = nn.Linear(8, 3)
        self.decoder = nn.Linear(3, 8)
        self.project = nn.Linear(8, 25, bias=False)
        self.project.weight = self.embed.weight
        self.again = self.decoder
        self.apply(init_weights)

    def forward(self, tokens):
        x = torch.tanh(self.encoder(self.embed(tokens)))
        return self.project(self.again(x))
