"""torchvision's networks: all are listed; those that are kept are sound, and some are held against the module."""

from __future__ import annotations

import pytest
import torch
from torchvision import models

from layerloom.graph import build, check
from layerloom.graph.library import SOURCE, kept, networks
from layerloom.graph.walk import members
from layerloom.schema.document import Document, Opaque

NETWORKS = {network.name: network for network in networks()}
KEPT = [name for name, network in NETWORKS.items() if network.kept]
HELD = ("squeezenet1_1", "resnet18", "shufflenet_v2_x0_5", "mobilenet_v3_small", "mnasnet0_5")
LARGE = ("vit_h_14", "vit_l_16", "vit_l_32")
"""Proving them takes minutes and much memory; they are made when they are opened."""


def document(name: str) -> Document:
    found = kept(SOURCE + name, NETWORKS[name].part)
    assert found is not None
    return found


def test_every_network_of_the_installed_torchvision_is_listed() -> None:
    """Written with this version: those of another would not be offered. Quantized layers are none of the catalogue."""
    groups = (models, models.segmentation, models.video, models.detection, models.optical_flow)
    assert sorted(name for group in groups for name in models.list_models(module=group)) == list(NETWORKS)


def test_those_that_classify_images_are_kept() -> None:
    assert {*models.list_models(module=models)} - {*KEPT} <= {*LARGE}


@pytest.mark.parametrize("name", KEPT)
def test_what_is_kept_is_sound(name: str) -> None:
    found = document(name)
    report = check(found)
    assert [problem for problem in report.problems if problem.severity == "error"] == []
    assert report.totals.parameters == NETWORKS[name].parameters
    assert NETWORKS[name].inputs == [example.shape for example in found.inputs.values()]
    assert found.name == name
    assert not any(isinstance(member, Opaque) for block in found.blocks.values() for member in members(block))


@pytest.mark.parametrize("name", HELD)
def test_what_is_kept_is_the_module(name: str) -> None:
    theirs = models.get_model(name, weights=None).eval()
    ours = build(document(name)).eval()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=0)


def test_only_what_is_asked_for_is_given() -> None:
    assert kept("torchvision:fcos_resnet50_fpn") is None
    assert kept("torchvision:resnet18", "layer1") is None
    assert kept("timm:resnet18") is None
    assert kept("torchvision:no_such_network") is None
