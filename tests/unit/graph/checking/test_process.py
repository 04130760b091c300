"""What a check leaves behind in its process, and what goes on at the same time."""

from __future__ import annotations

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from layerloom.graph.checking import calls, check, layers
from layerloom.graph.checking.memory import forget
from unit.graph.checking import networks
from unit.graph.checking.drawing import chain, function, layer, network, parsed, ref

NETWORKS = [parsed(document) for document in networks.every().values()]


def test_no_random_number_is_drawn_and_no_setting_changed() -> None:
    forget()
    torch.manual_seed(3)
    before = torch.get_rng_state()
    filters = list(warnings.filters)
    for document in NETWORKS:
        check(document)
    assert torch.equal(torch.get_rng_state(), before)
    assert list(warnings.filters) == filters
    assert torch.is_grad_enabled()
    assert torch.get_default_device().type == "cpu"


def test_checks_in_many_threads_agree_while_others_build_layers() -> None:
    expected = [check(document).model_dump_json() for document in NETWORKS]
    forget()
    stop = threading.Event()
    wrong: list[str] = []

    def build() -> None:
        while not stop.is_set():
            made = nn.Linear(4, 4)
            if made.weight.device.type != "cpu" or not made.weight.requires_grad or bool((made.weight == 0).all()):
                wrong.append(str(made.weight))

    builder = threading.Thread(target=build)
    builder.start()
    try:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda document: check(document).model_dump_json(), NETWORKS * 3))
    finally:
        stop.set()
        builder.join()
    assert found == expected * 3
    assert wrong == []


def test_equal_layers_run_once() -> None:
    forget()
    document = chain(*(layer(f"fc{index}", "Linear", in_features=8, out_features=8) for index in range(30)), shape=[8])
    check(parsed(document))
    assert layers.built.cache_info().misses == 1
    calls_made = calls.call_layer.cache_info().misses
    assert calls_made <= 2  # one at each of the two batch sizes
    check(parsed(document))
    assert calls.call_layer.cache_info().misses == calls_made


def test_true_and_one_are_different_calls() -> None:
    """In Python they are equal, also as keys."""
    document = network(
        [],
        [
            function("a", "torch.sum", input=ref("x"), dim=1, keepdim=True),
            function("b", "torch.sum", input=ref("x"), dim=1, keepdim=1),
        ],
        {"$tuple": [ref("a"), ref("b")]},
    )
    (problem,) = check(parsed(document)).problems
    assert problem.node == "b"
    assert problem.code == "argument_type"


@pytest.mark.parametrize("target", ["torch.floor_divide", "torch.remainder"])
def test_whole_numbers_may_be_divided(target: str) -> None:
    nodes = [function("n", target, input=ref("x"), other=ref("x"))]
    report = check(parsed(network([], nodes, inputs={"x": {"shape": [3], "dtype": "int64"}})))
    assert report.ok


def test_huge_lengths_and_sizes_answer_at_once() -> None:
    assert check(parsed(chain(layer("r", "LSTM", input_size=8, hidden_size=512), shape=[10**6, 8]))).ok
    assert check(
        parsed(chain(layer("c", "Conv2d", in_channels=3, out_channels=8, kernel_size=3), shape=[3, 5000, 5000]))
    ).ok
    report = check(parsed(chain(layer("up", "Upsample", scale_factor=1e6), shape=[3, 64, 64])))
    assert [str(problem.code) for problem in report.problems] == ["too_large"]
