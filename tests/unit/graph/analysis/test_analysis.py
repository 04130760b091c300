"""Costs against what torch really holds: saved tensors of real passes, state of real optimizers, a real step's peak."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import nn

from layerloom.catalogue import optimizers, resolve
from layerloom.graph import GraphError, build, check
from layerloom.graph.analysis import analyse, optimizer_bytes
from layerloom.graph.analysis import saved as analysis_saved
from layerloom.graph.examples import examples
from layerloom.graph.lab.samples import batch_of, tensors
from layerloom.schema.document import Document
from layerloom.schema.plan import Choice
from unit.graph.checking.drawing import (
    call,
    chain,
    expr,
    function,
    layer,
    network,
    parsed,
    ref,
    repeat,
    sequential,
    use,
)
from unit.graph.checking.networks import every
from unit.graph.test_init_functions import CASES

NETWORKS: dict[str, Document] = {
    **{example.id: example.document for example in examples()},
    **{name: parsed(drawn) for name, drawn in every().items()},
    **{name: parsed(case.drawn()) for name, case in CASES.items()},
}
DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def really_saved(document: Document, batch: int, precision: str) -> tuple[int, bool]:
    """Bytes of the distinct storages that autograd holds after a real forward pass, results included, and whether a
    recurrent kernel with a workspace took part."""
    module = build(document, seed=0).train()
    inputs = batch_of(document, batch, torch.Generator().manual_seed(0))
    known = {t.untyped_storage().data_ptr() for t in (*module.parameters(), *module.buffers(), *inputs.values())}
    held: dict[int, torch.UntypedStorage] = {}

    def hold(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            held[storage.data_ptr()] = storage
        return tensor

    lowered = torch.autocast("cpu", DTYPES[precision]) if precision in DTYPES else nullcontext()
    with torch.autograd.graph.saved_tensors_hooks(hold, lambda tensor: tensor), lowered:
        output = module(**inputs)
    for tensor in tensors(output):
        hold(tensor)
    recurrent = any(isinstance(part, nn.LSTM) for part in module.modules())
    return sum(storage.nbytes() for storage in held.values()), recurrent


@pytest.mark.parametrize("batch", [3, 33])
@pytest.mark.parametrize("name", NETWORKS)
def test_saved_activations_equal_those_of_a_real_pass(name: str, batch: int) -> None:
    """To the byte; but for LSTMs, whose kernel keeps a workspace of pages, to 10% above the first 100 kB."""
    document = NETWORKS[name]
    training = analyse(document, batch).training
    assert training is not None
    real, recurrent = really_saved(document, batch, "fp32")
    if recurrent:
        assert training.activations == pytest.approx(real, rel=0.1, abs=100_000)
    else:
        assert training.activations == real


@pytest.mark.parametrize("name", ["digits-cnn", "residual-digits", "attention-digits", "transformer", "character-gru"])
def test_saved_activations_in_a_lower_precision(name: str) -> None:
    """Within 2%: what autocast casts is kept, too, but for the copies of a few scalars."""
    document = NETWORKS[name]
    training = analyse(document, 16, precision="bf16").training
    assert training is not None
    real, _ = really_saved(document, 16, "bf16")
    assert training.activations == pytest.approx(real, rel=0.02)


def state_bytes(state: Any) -> int:
    if isinstance(state, torch.Tensor):
        return state.nbytes
    parts = state.values() if isinstance(state, dict) else state if isinstance(state, list | tuple) else ()
    return sum(state_bytes(part) for part in parts)


SHAPES = ((40, 30), (40,), (16, 3, 3, 3), (40, 30), (1,))


@pytest.mark.parametrize("name", optimizers())
def test_optimizer_state_equals_that_of_a_real_optimizer(name: str) -> None:
    """All of torch.optim: to the byte, but for those that keep a history or take sparse gradients (1%)."""
    label = name.rpartition(".")[2]
    shapes = ((40, 30), (40, 30), (7, 9)) if label == "Muon" else SHAPES
    parameters = [nn.Parameter(torch.randn(shape)) for shape in shapes]
    optimizer = resolve(name)(parameters)
    torch.manual_seed(0)

    def closure() -> torch.Tensor:
        for parameter in parameters:
            parameter.grad = torch.randn_like(parameter)
            if label == "SparseAdam":
                rows = torch.zeros(1, 1, dtype=torch.int64)
                parameter.grad = torch.sparse_coo_tensor(
                    rows, torch.ones_like(parameter[:1]).detach(), parameter.shape, check_invariants=True
                )
        return torch.ones(())

    for _ in range(60 if label == "LBFGS" else 3):
        optimizer.step(closure)
    real = sum(state_bytes(state) for state in optimizer.state.values())
    guess = optimizer_bytes(Choice(name=name), parameters)
    if label in ("LBFGS", "SparseAdam"):
        assert guess == pytest.approx(real, rel=0.01)
        assert guess > 0
    else:
        assert guess == real


def test_what_an_optimizer_keeps_depends_on_its_arguments() -> None:
    parameters = [nn.Parameter(torch.empty(10, 10, device="meta"))]
    momentum = Choice(name="torch.optim.SGD", arguments={"momentum": 0.9})
    assert optimizer_bytes(Choice(name="torch.optim.SGD"), parameters) == 0
    assert optimizer_bytes(momentum, parameters) == 400
    betas = Choice.model_validate(
        {"name": "torch.optim.Adam", "arguments": {"betas": {"$tuple": [0.9, 0.99]}, "amsgrad": True}}
    )
    assert optimizer_bytes(betas, parameters) == 3 * 400 + 4
    short = Choice(name="torch.optim.LBFGS", arguments={"history_size": 5})
    assert 5 * 2 * 400 <= optimizer_bytes(short, parameters) < 8 * 2 * 400


@pytest.mark.parametrize(
    ("choice", "code"),
    [
        (Choice(name="torch.optim.Adm"), "unknown_optimizer"),
        (Choice(name="torch.optim.Adam", arguments={"lr": -1.0}), "plan_invalid"),
        (Choice(name="torch.optim.Muon"), "plan_invalid"),
        (Choice.model_validate({"name": "torch.optim.Adam", "arguments": {"lr": {"$expr": "x"}}}), "plan_invalid"),
    ],
)
def test_an_optimizer_that_does_not_fit_is_a_problem(choice: Choice, code: str) -> None:
    analysis = analyse(NETWORKS["iris-mlp"], 8, optimizer=choice)
    assert analysis.training is None
    assert [problem.code for problem in analysis.problems] == [code]
    assert analysis.totals.parameters > 0


def peak(document: Document, batch: int) -> int:
    """Bytes that a second training step of a real module holds at most, by torch's own memory profiler on the CPU."""
    module = build(document, seed=0).train()
    optimizer = torch.optim.AdamW(module.parameters(), foreach=False)
    inputs = batch_of(document, batch, torch.Generator().manual_seed(0))

    def step() -> None:
        optimizer.zero_grad()
        module(**inputs).square().mean().backward()
        optimizer.step()

    step()
    optimizer.zero_grad()
    lasting = sum(t.nbytes for t in (*module.parameters(), *module.buffers(), *inputs.values()))
    lasting += state_bytes({id(key): value for key, value in optimizer.state.items()})
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        step()
    events = [event for event in profile.profiler.kineto_results.events() if event.name() == "[memory]"]
    now = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        now += event.nbytes()
        most = max(most, now)
    assert most > 0
    return lasting + most


@pytest.mark.parametrize("name", ["digits-mlp", "residual-digits", "attention-digits", "character-gru"])
def test_the_estimate_against_the_peak_of_a_real_step(name: str) -> None:
    """Between 0.7 and 1.3 of it: kernels have temporaries of their own, and gradients come while activations go."""
    document = NETWORKS[name]
    training = analyse(document, 64).training
    assert training is not None
    ratio = training.total / peak(document, 64)
    assert 0.7 < ratio < 1.3


def test_memory_of_a_perceptron_by_hand() -> None:
    """Three layers of 100, whose inputs are kept for their weights' gradients, and masks of nothing."""
    items = [
        layer(str(index), target, **size)
        for index, (target, size) in enumerate(5 * [("Linear", {"in_features": 100, "out_features": 100})])
    ]
    document = parsed(network([sequential("body", *items)], [call("a", "body", "x")], inputs={"x": {"shape": [100]}}))
    training = analyse(document, 32, optimizer=Choice(name="torch.optim.SGD")).training
    assert training is not None
    weights = 5 * (100 * 100 + 100) * 4
    # The first layer's input is the batch itself; the last layer's result is the network's.
    row = 32 * 100 * 4
    expected = {"weights": weights, "gradients": weights, "optimizer": 0, "activations": 5 * row, "inputs": row}
    assert training.model_dump() == {**expected, "total": 2 * weights + 6 * row}


def test_frozen_parameters_have_no_gradient_and_no_state() -> None:
    document = NETWORKS["iris-mlp"].model_copy(update={"frozen": ["*"]})
    analysis = analyse(document.model_copy(update={"frozen": ["hidden.*"]}), 8)
    whole = analyse(NETWORKS["iris-mlp"], 8)
    assert analysis.training is not None
    assert whole.training is not None
    hidden = whole.modules["hidden"].parameters * 4
    assert analysis.training.gradients == whole.training.gradients - hidden
    assert analysis.training.optimizer < whole.training.optimizer - hidden
    assert analysis.training.weights == whole.training.weights


def test_shared_weights_count_once() -> None:
    document = NETWORKS["tied-autoencoder"]
    training = analyse(document, 8).training
    assert training is not None
    assert training.weights == sum(tensor.nbytes for tensor in build(document).state_dict(keep_vars=True).values())


@pytest.mark.parametrize("batch", [2, 50])
def test_costs_are_those_of_the_check_at_that_batch(batch: int) -> None:
    document = NETWORKS["residual-digits"]
    analysis, report = analyse(document, batch), check(document, batch)
    assert analysis.totals == report.totals
    assert set(analysis.nodes) == set(report.nodes)
    node = next(iter(report.nodes))
    assert analysis.nodes[node].flops == report.nodes[node].flops
    assert analysis.totals.flops * 2 == analyse(document, 2 * batch).totals.flops


def test_blocks_are_summed_over_their_instances() -> None:
    unit = {
        "arguments": [{"name": "n", "required": True}],
        "members": [layer("fc", "Linear", in_features=expr("n"), out_features=expr("n"))],
        "forward": {"inputs": [{"name": "x"}], "nodes": [call("a", "fc", "x")], "output": ref("a")},
    }
    body = sequential("body", repeat("[8, 8, 8]", use("0", "Unit", n=expr("w")), "w"))
    document = parsed(network([body], [call("a", "body", "x")], blocks={"Unit": unit}))
    analysis = analyse(document, 10)
    block = analysis.blocks["Unit"]
    assert (block.parameters, block.trainable, block.calls) == (3 * 72, 3 * 72, 3)
    assert block.flops == 3 * 2 * 10 * 8 * 8
    assert block.activation_bytes == 3 * 10 * 8 * 4
    assert analysis.blocks["Net"].parameters == analysis.totals.parameters == 3 * 72
    assert analysis.modules["body.1"].flops == 2 * 10 * 8 * 8


def test_a_large_network_is_analysed_without_memory() -> None:
    """Weights of 3.2 GB and activations of 12 GB, on a machine that need not have them."""
    members = [layer(f"fc{index}", "Linear", in_features=20_000, out_features=20_000) for index in range(2)]
    nodes = [call("a", "fc0", "x"), function("b", "torch.relu", input=ref("a")), call("c", "fc1", "b")]
    document = parsed(network(members, nodes, inputs={"x": {"shape": [20_000]}}))
    training = analyse(document, 50_000).training
    assert training is not None
    assert training.weights == 2 * 4 * (20_000**2 + 20_000)
    assert training.activations == 2 * 4 * 50_000 * 20_000
    assert training.optimizer == 2 * training.weights + 4 * 4


def test_errors_are_raised() -> None:
    wrong = parsed(chain(layer("a", "Linear", in_features=5, out_features=2), shape=[8]))
    with pytest.raises(GraphError) as caught:
        analyse(wrong)
    assert [problem.code for problem in caught.value.problems] == ["shape_mismatch"]


def test_a_pass_of_too_many_kernels_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis_saved, "KERNELS", 20)
    analysis = analyse(NETWORKS["character-gru"], 8)
    assert analysis.training is None
    assert [problem.code for problem in analysis.problems] == ["too_large"]


@pytest.mark.parametrize("name", ["digits-cnn", "character-gru", "attention-digits"])
def test_wherever_a_pass_is_cut_short_the_process_lives(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch asks for a tensor's device from C++ that lets no exception through: one raised there is an abort."""
    for kernels in range(12):
        monkeypatch.setattr(analysis_saved, "KERNELS", kernels)
        analysis = analyse(NETWORKS[name], 2)
        assert analysis.training is None, kernels
        assert [problem.code for problem in analysis.problems] == ["too_large"]


def test_torchs_own_random_numbers_are_left_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(4)
    torch.manual_seed(5)
    analyse(NETWORKS["digits-cnn"], 4, optimizer=Choice(name="torch.optim.LBFGS"))
    assert torch.equal(torch.rand(4), expected)
