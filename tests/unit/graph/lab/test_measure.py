"""The init lab against plain torch: the numbers of a script that anyone could write, and what they show."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import pytest
import torch
from torch import nn

from layerloom.graph import GraphError
from layerloom.graph.lab import READY, init_lab
from layerloom.graph.lab import measure as lab
from layerloom.schema.document import Document, InitRule
from layerloom.schema.lab import LabReport, Scheme
from unit.graph.checking.drawing import call, chain, function, layer, network, parsed, ref, sequential
from unit.graph.test_init_functions import CASES
from unit.graph.test_initialize import rule, statement

DEPTH = 50
WIDTH = 64


@cache
def perceptron(depth: int = DEPTH, width: int = WIDTH) -> Document:
    """Linear layers with ReLU between them."""
    items = []
    for index in range(depth):
        items.append(layer(str(2 * index), "Linear", in_features=width, out_features=width))
        items.append(layer(str(2 * index + 1), "ReLU"))
    return parsed(
        network([sequential("body", *items[:-1])], [call("a", "body", "x")], inputs={"x": {"shape": [width]}})
    )


def reference(
    module: nn.Module, function: Callable[[nn.Module], Any], shape: tuple[int, ...], seed: int
) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Moments of every layer's output and of the gradient there, in the order of the forward pass: plain torch."""
    outputs: list[tuple[float, float]] = []
    gradients: dict[int, tuple[float, float]] = {}

    def watch(_module: nn.Module, _inputs: Any, output: Any) -> None:
        output = output[0] if isinstance(output, tuple) else output
        index = len(outputs)
        outputs.append((output.mean().item(), output.var().item()))

        def arrived(gradient: torch.Tensor) -> None:
            gradients[index] = (gradient.mean().item(), gradient.var().item())

        output.register_hook(arrived)

    module.apply(function)
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(shape, generator=generator)
    for part in module.modules():
        if type(part).__module__.startswith("torch.nn") and not list(part.children()):
            part.register_forward_hook(watch)
    y = module.train()(x)
    y.backward(torch.randn(y.shape, generator=generator))
    return outputs, [gradients[index] for index in range(len(outputs))]


def close(report: LabReport, scheme: int, seed: int, expected: Any) -> None:
    """All numbers of one pass agree to a millionth."""
    outputs, gradients = expected
    result = report.schemes[scheme]
    assert len(outputs) == len(report.calls)
    for mine, theirs in ((result.outputs, outputs), (result.gradients, gradients)):
        for moments, (mean, variance) in zip(mine, theirs, strict=True):
            assert moments.variance[seed] == pytest.approx(variance, rel=1e-6, abs=1e-30)
            # A mean is the difference of large sums: what counts is its error against the spread.
            assert moments.mean[seed] == pytest.approx(mean, rel=1e-6, abs=1e-6 * math.sqrt(variance))


# Each as a person writes it, and the scheme that says the same.
def _kaiming(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        nn.init.zeros_(module.bias)


def _xavier(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.xavier_normal_(module.weight)
        nn.init.zeros_(module.bias)


def _normal(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight)
        nn.init.zeros_(module.bias)


WRITTEN: dict[str, Callable[[nn.Module], None]] = {
    "kaiming normal": _kaiming,
    "xavier normal": _xavier,
    "normal 1": _normal,
    "torch default": lambda module: None,
}


@cache
def deep() -> LabReport:
    return init_lab(perceptron(), [*WRITTEN, "recommended"], seeds=3, batch=32)


@pytest.mark.parametrize("name", WRITTEN)
def test_numbers_equal_a_reference_script(name: str) -> None:
    report = deep()
    scheme = [result.name for result in report.schemes].index(name)
    finite = None
    for seed in report.seeds:
        torch.manual_seed(seed)
        layers = [part for _ in range(DEPTH) for part in (nn.Linear(WIDTH, WIDTH), nn.ReLU())]
        outputs, gradients = reference(nn.Sequential(*layers[:-1]), WRITTEN[name], (32, WIDTH), seed)
        if name == "normal 1":
            # Beyond the square root of the largest float32 the script's own var() overflows; the lab's does not.
            finite = [index for index, (_, variance) in enumerate(outputs) if math.isfinite(variance)]
            assert len(finite) < len(outputs)
            result = report.schemes[scheme]
            for index in finite:
                assert result.outputs[index].variance[seed] == pytest.approx(outputs[index][1], rel=1e-6)
            continue
        close(report, scheme, seed, (outputs, gradients))


@pytest.mark.parametrize("name", ["convolutions", "orthogonal LSTM"])
def test_numbers_equal_a_reference_script_for_other_layers(name: str) -> None:
    """Batch normalization in training mode, strided slices, a layer that returns a tuple."""
    case = CASES[name]
    document = parsed(case.drawn())
    report = init_lab(document, ["as drawn"], seeds=2, batch=16)
    shape = (16, *document.inputs["x"].shape)
    for seed in report.seeds:
        torch.manual_seed(seed)
        close(report, 0, seed, reference(case.written(), case.function, shape, seed))


@pytest.mark.parametrize("asked", [{"seeds": 0}, {"batch": 0}, {"batch": -1}])
def test_without_a_seed_or_a_sample_there_is_nothing_to_measure(asked: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="needs a seed and a sample"):
        init_lab(perceptron(2, 4), **asked)


def test_a_deep_perceptron_shows_what_the_papers_say() -> None:
    """He and others (2015): a variance of 2 / fan_in keeps 50 layers alive, half of it loses 2 ** -50."""
    report = deep()
    linear = [index for index, one in enumerate(report.calls) if one.weighs]
    assert len(linear) == DEPTH

    def ratios(name: str, what: str) -> list[float]:
        """Last layer against first of what flows forward, first against last of what flows back, per seed."""
        result = next(result for result in report.schemes if result.name == name)
        first, last = linear[0], linear[-2]
        rows = result.outputs if what == "outputs" else result.gradients
        pairs = zip(rows[first].variance, rows[last].variance, strict=True)
        return [(b / a if what == "outputs" else a / b) if a and b else math.inf for a, b in pairs]

    for name in ("kaiming normal", "recommended"):
        assert all(1e-3 < ratio < 1e3 for ratio in ratios(name, "outputs"))
        assert all(1e-3 < ratio < 1e3 for ratio in ratios(name, "gradients"))
    assert all(2**-58 < ratio < 2**-38 for ratio in ratios("xavier normal", "outputs"))
    assert all(2**-58 < ratio < 2**-38 for ratio in ratios("xavier normal", "gradients"))
    # Each layer multiplies by fan_in / 2.
    expected = (WIDTH / 2) ** (DEPTH - 2)
    for ratio in ratios("normal 1", "outputs"):
        assert ratio == math.inf or expected / 1e9 < ratio < expected * 1e9
        assert ratio > 1e30
    assert all(ratio < 1e-15 for ratio in ratios("torch default", "gradients"))


def test_what_is_not_finite_is_none() -> None:
    report = init_lab(perceptron(70, 64), ["normal 1"], seeds=1, batch=4)
    assert report.schemes[0].outputs[-1].variance == [None]
    assert report.schemes[0].outputs[0].variance[0] is not None
    LabReport.model_validate_json(report.model_dump_json())


def test_every_ready_scheme_runs_on_every_kind_of_layer() -> None:
    for name in ("convolutions", "orthogonal LSTM", "truncated normals", "embeddings"):
        report = init_lab(parsed(CASES[name].drawn()), list(READY), seeds=1, batch=2)
        assert [result.name for result in report.schemes] == list(READY)
        for result in report.schemes:
            assert len(result.outputs) == len(result.gradients) == len(report.calls)
            assert all(moments.variance[0] is not None for moments in result.outputs)


def test_own_schemes_replace_rules_and_layers_initializers() -> None:
    members = [
        layer("a", "Linear", in_features=4, out_features=4) | {"init": [statement("*", "constant_", val=0.0)]},
        layer("b", "Linear", in_features=4, out_features=4),
    ]
    drawn = network(
        members,
        [call("x1", "a", "x"), call("x2", "b", "x1")],
        inputs={"x": {"shape": [4]}},
        init=[rule(["Linear"], statement("*", "constant_", val=0.5))],
    )
    ones = [InitRule.model_validate(rule(["Linear"], statement("weight", "ones_"), statement("bias", "zeros_")))]
    report = init_lab(parsed(drawn), ["as drawn", Scheme(name="mine", rules=ones)], seeds=1, batch=64)
    drawn_result, mine = report.schemes
    assert [moments.variance[0] for moments in drawn_result.outputs] == [0.0, 0.0]
    assert mine.outputs[0].variance[0] == pytest.approx(4, rel=0.3)
    assert mine.outputs[1].variance[0] == pytest.approx(16 * 4, rel=0.3)
    assert mine.rules == ones


def test_a_layer_called_twice_has_two_rows() -> None:
    nodes = [call("a", "fc", "x"), function("b", "torch.relu", input=ref("a")), call("c", "fc", "b")]
    drawn = network([layer("fc", "Linear", in_features=8, out_features=8)], nodes)
    report = init_lab(parsed(drawn), ["torch default"], seeds=1, batch=8)
    assert [(one.name, one.call) for one in report.calls] == [("fc", 0), ("fc", 1)]


def test_torchs_own_random_numbers_are_left_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(4)
    torch.manual_seed(5)
    init_lab(perceptron(3, 8), ["kaiming normal"], seeds=2, batch=4)
    assert torch.equal(torch.rand(4), expected)


def test_questions_at_the_same_time_do_not_disturb_each_other() -> None:
    """Random numbers belong to the process: whoever draws them is alone."""
    documents = [parsed(CASES[name].drawn()) for name in ("convolutions", "orthogonal LSTM", "truncated normals")]
    alone = [init_lab(document, seeds=2, batch=4) for document in documents]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda document: init_lab(document, seeds=2, batch=4), documents))
    assert together == alone


def test_errors_and_unknown_schemes_are_problems() -> None:
    wrong = parsed(chain(layer("a", "Linear", in_features=5, out_features=2), shape=[8]))
    with pytest.raises(GraphError) as caught:
        init_lab(wrong)
    assert [problem.code for problem in caught.value.problems] == ["shape_mismatch"]
    with pytest.raises(GraphError, match="there is no such scheme") as caught:
        init_lab(perceptron(2, 4), ["kaimin"])
    misfit = [InitRule.model_validate(rule(["Linear"], statement("*", "kaiming_normal_")))]
    with pytest.raises(GraphError) as caught:
        init_lab(perceptron(2, 4), [Scheme(name="mine", rules=misfit)])
    assert [problem.code for problem in caught.value.problems] == ["initializer_failed"]


@pytest.mark.parametrize(
    ("shape", "arguments", "batch", "what"),
    [
        ([6000], {"in_features": 6000, "out_features": 6000}, 2, "parameters"),
        ([1000, 1000], {"in_features": 1000, "out_features": 1000}, 300, "bytes of results"),
        ([1000, 1000], {"in_features": 1000, "out_features": 1000}, 200, "floating point operations"),
    ],
)
def test_what_is_too_large_is_refused_before_it_is_run(
    shape: list[int], arguments: dict[str, int], batch: int, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab, "_one_pass", lambda *_: pytest.fail("it ran"))
    document = parsed(chain(layer("a", "Linear", **arguments), shape=shape))
    with pytest.raises(GraphError) as caught:
        init_lab(document, seeds=3, batch=batch)
    assert caught.value.problems[0].code == "too_large"
    assert what in caught.value.problems[0].message


def test_answers_are_bounded() -> None:
    """A million rows would be an answer of a hundred megabytes."""
    with pytest.raises(GraphError, match="calls of layers") as caught:
        init_lab(perceptron(1000, 2), list(READY), seeds=32, batch=2)
    assert caught.value.problems[0].code == "too_large"


def test_time_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "SECONDS", -1.0)
    with pytest.raises(GraphError) as caught:
        init_lab(perceptron(2, 4), ["torch default"])
    assert caught.value.problems[0].code == "too_large"
