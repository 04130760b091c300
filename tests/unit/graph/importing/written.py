# ruff: noqa
"""Networks as people write them. Each class is read as text, and held against the class itself."""

from __future__ import annotations

from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Appended(nn.Module):
    """Layers that a loop appends."""

    def __init__(self, widths: list[int] = [12, 16, 8], classes: int = 3) -> None:
        super(Appended, self).__init__()
        layers = []
        layers.append(nn.Linear(10, widths[0]))
        for before, after in zip(widths, widths[1:]):
            layers.append(nn.Sequential(nn.ReLU(), nn.Linear(before, after)))
        self.layers = nn.Sequential(*layers)
        self.heads = nn.ModuleList()
        for _ in range(2):
            self.heads.append(nn.Linear(widths[-1], classes))

    def forward(self, x: Tensor) -> Tensor:
        x = self.layers(x)
        return self.heads[0](x) + self.heads[1](x)


class Carried(nn.Module):
    """A loop of known length in which a local name changes."""

    def __init__(self):
        super().__init__()
        channels = 1
        blocks = []
        for width in (4, 6):
            blocks.append(nn.Conv2d(channels, width, 3, padding=1))
            blocks.append(nn.BatchNorm2d(width))
            blocks.append(nn.ReLU(inplace=True))
            channels = width
        self.features = nn.Sequential(*blocks)
        self.classifier = nn.Linear(channels * 16, 5)

    def forward(self, x):
        x = self.features(x)
        x = F.max_pool2d(x, 2)
        x = x.view(x.size(0), -1)
        return self.classifier(x)


class Skipped(nn.Module):
    """Changes a tensor that nobody else sees."""

    def __init__(self, channels: int = 4):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        identity = x
        out = self.conv1(x)
        out = self.bn1(out)
        out = F.relu(out)
        out = self.conv2(out)
        out = self.bn2(out)
        out += identity
        return F.relu(out)


class Attention(nn.Module):
    def __init__(self, dim: int = 16, num_heads: int = 4, qkv_bias: bool = False, drop: float = 0.0):
        super().__init__()
        assert dim % num_heads == 0
        self.num_heads = num_heads
        head_dim = dim // num_heads
        self.scale = head_dim**-0.5
        self.qkv = nn.Linear(dim, dim * 3, bias=qkv_bias)
        self.drop = nn.Dropout(drop)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        B, N, C = x.shape
        qkv = self.qkv(x).reshape(B, N, 3, self.num_heads, C // self.num_heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0], qkv[1], qkv[2]
        attn = (q @ k.transpose(-2, -1)) * self.scale
        attn = attn.softmax(dim=-1)
        attn = self.drop(attn)
        x = (attn @ v).transpose(1, 2).reshape(B, N, C)
        return self.proj(x)


class Encoder(nn.Module):
    """Blocks in a list, a token of its own, and initializers of single members."""

    def __init__(self, dim: int = 16, depth: int = 2, classes: int = 3):
        super().__init__()
        self.cls = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos = nn.Parameter(torch.randn(1, 7, dim) * 0.02)
        self.blocks = nn.ModuleList([Attention(dim, num_heads=2) for _ in range(depth)])
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, classes)
        nn.init.trunc_normal_(self.cls, std=0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        cls = self.cls.expand(x.shape[0], -1, -1)
        x = torch.cat((cls, x), dim=1) + self.pos
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


class Gated(nn.Module):
    """Does otherwise while it trains, and takes an input that may be left out."""

    def __init__(self, rate: Optional[float] = 0.5):
        super().__init__()
        self.fc = nn.Linear(6, 6)
        self.register_buffer("scale", torch.full((6,), 0.5))
        self.register_buffer("steps", torch.arange(6).float(), persistent=False)

    def forward(self, x):
        x = self.fc(x)
        if self.training:
            x = x * 0.5
        return x * self.scale


class Recurrent(nn.Module):
    def __init__(self, vocabulary: int = 20, hidden: int = 8):
        super().__init__()
        self.hidden = hidden
        self.embed = nn.Embedding(vocabulary, hidden)
        self.rnn = nn.LSTM(hidden, hidden, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * hidden, vocabulary)

    def forward(self, tokens):
        x = self.embed(tokens)
        output, (hidden, cell) = self.rnn(x)
        last = torch.cat([hidden[0], hidden[1]], dim=-1)
        return self.out(output), self.out(last)


class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Linear(5, 8)
        self.heads = nn.ModuleDict()
        self.heads["a"] = nn.Linear(8, 2)
        self.heads["b"] = nn.Linear(8, 3)
        self.levels = nn.ModuleList([nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)])

    def forward(self, x):
        x = torch.tanh(self.trunk(x))
        for i, level in enumerate(self.levels):
            x = F.relu(level(x)) + i
        results = {name: head(x) for name, head in self.heads.items()}
        return results["a"], results["b"]


class Optional2(nn.Module):
    """Registers a layer only where an argument says so, and parametrizes another."""

    def __init__(self, features: int = 5, project: bool = True):
        super().__init__()
        self.project = project
        self.fc = nn.utils.parametrizations.weight_norm(nn.Linear(features, features), dim=0)
        if project:
            self.norm = nn.LayerNorm(features)

    def forward(self, x):
        x = self.fc(x)
        if self.project:
            x = self.norm(x)
        return x
