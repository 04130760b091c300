# ruff: noqa
"""Networks whose shape is the point: lists, dictionaries, repeats, several inputs, sets."""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import nn


class ConvBlock(nn.Module):
    """A convolution that halves the image, normalization and activation."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 2):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(out_channels)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(self.norm(self.conv(x)))


class Stage(nn.Module):
    """A block that halves the image, and one that keeps its size."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.down = ConvBlock(in_channels, out_channels)
        self.keep = ConvBlock(out_channels, out_channels, stride=1)

    def forward(self, x):
        return self.keep(self.down(x))


class StagedCNN(nn.Module):
    """One stage for each width, and a classifier on the mean of every feature map."""

    def __init__(self, widths: list[int] = [16, 32, 64], classes: int = 10):
        super().__init__()
        self.stem = ConvBlock(1, widths[0], stride=1)
        self.stages = nn.Sequential(*[Stage(before, after) for before, after in zip(widths, widths[1:])])
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(widths[-1], classes)

    def forward(self, x):
        x = self.stages(self.stem(x))
        return self.fc(torch.flatten(self.pool(x), 1))


class ListNet(nn.Module):
    """Linear layers in an nn.ModuleList, one for each pair of neighbouring widths, called in a loop."""

    def __init__(self, widths: list[int] = [64, 96, 64, 32], classes: int = 10):
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.Sequential(nn.Linear(before, after), nn.ReLU()) for before, after in zip(widths, widths[1:])]
        )
        self.head = nn.Linear(widths[-1], classes)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.head(x)


class HeadEnsemble(nn.Module):
    """Three heads, linear, shallow and deep, judge the same features; the network answers with their mean."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(
            OrderedDict([("fc", nn.Linear(30, 32)), ("norm", nn.LayerNorm(32)), ("act", nn.ReLU())])
        )
        self.heads = nn.ModuleDict(
            {
                "linear": nn.Linear(32, 2),
                "shallow": nn.Sequential(nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 2)),
                "deep": nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 2)),
            }
        )

    def forward(self, x):
        x = self.trunk(x)
        scores = {name: head(x) for name, head in self.heads.items()}
        return torch.stack([scores["linear"], scores["shallow"], scores["deep"]]).mean(dim=0)


class Encoder(nn.Module):
    """An image as a vector of length one."""

    def __init__(self, features: int = 32):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, stride=2, padding=1)
        self.fc = nn.Linear(32, features)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x)).mean(dim=(2, 3))
        return F.normalize(self.fc(x), dim=1)


class Siamese(nn.Module):
    """One encoder looks at two images; equal things shall point the same way."""

    def __init__(self, features: int = 32):
        super().__init__()
        self.encoder = Encoder(features)

    def forward(self, left, right):
        return self.encoder(left), self.encoder(right)


class DeepSets(nn.Module):
    """Every pixel of an image is an element: its value and a vector of its place. Their order does not matter."""

    def __init__(self, pixels: int = 64, place: int = 15, hidden: int = 64, classes: int = 10):
        super().__init__()
        self.place = nn.Parameter(torch.randn(pixels, place))
        self.phi = nn.Sequential(nn.Linear(place + 1, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
        self.rho = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, classes))

    def forward(self, x):
        value = x.flatten(1).unsqueeze(2)
        place = self.place.expand(x.size(0), -1, -1)
        elements = torch.cat([value, place], dim=2)
        return self.rho(self.phi(elements).mean(dim=1))
