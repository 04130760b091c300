"""Twenty networks of other people come back as documents; ``make import-report`` tries them all."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from layerloom import Document, build, from_module, to_python
from sameness import differences, left_closed
from zoo import named

SAMPLE = (
    "torchvision:resnet18",
    "torchvision:googlenet",
    "torchvision:mobilenet_v3_small",
    "torchvision:shufflenet_v2_x0_5",
    "torchvision:efficientnet_b0",
    "torchvision:swin_t",
    "torchvision:lraspp_mobilenet_v3_large",
    "torchvision:mnasnet0_5",
    "timm:test_byobnet",
    "timm:test_vit_relpos",
    "timm:test_convnext3",
    "timm:test_resnet",
    "transformers:BertModel with mask",
    "transformers:GPT2LMHeadModel",
    "transformers:LlamaForCausalLM",
    "transformers:T5Model",
    "transformers:SwinModel",
    "transformers:ConvNextModel",
    "transformers:WhisperEncoder",
    "transformers:MambaModel",
)
ALLOWED = {"torch", "base64", "zlib", "collections"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SAMPLE)
def test_comes_back_bit_for_bit(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    module, inputs = named(name).make()
    document = Document.model_validate_json(from_module(module, inputs).model_dump_json())
    assert left_closed(document) == []
    assert differences(module, build(document), inputs) == []

    source = to_python(document)
    trees = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    imported = {alias.name for tree in trees if isinstance(tree, ast.Import) for alias in tree.names}
    imported |= {tree.module or "" for tree in trees if isinstance(tree, ast.ImportFrom)}
    assert {part.partition(".")[0] for part in imported} <= ALLOWED
    file = tmp_path / "network.py"
    file.write_text(source, encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff", "format", "--check", "--isolated", "--line-length", "100", str(file)]
    assert subprocess.run(ruff, check=False, capture_output=True).returncode == 0
    if name.endswith(":resnet18"):
        assert source.count("class BasicBlock") == 1
        assert source.count("\n") <= 120
