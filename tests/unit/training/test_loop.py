"""The loop as its callers see it: events, outcomes, and weights."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from layerloom.schema.problems import ProblemCode
from layerloom.training import Control, TrainingError, problem_of
from unit.training.support import Net, Seen, Set, classes, fit, net, numbers, plan

SCHEDULERS = "torch.optim.lr_scheduler"


def test_learns_and_tells_everything(tmp_path: Path) -> None:
    module = net()
    seen = fit(module, plan(epochs=6), tmp_path)

    assert seen.outcome is not None
    assert (seen.outcome.state, seen.outcome.step, seen.outcome.epoch) == ("succeeded", 48, 6)
    losses = seen.series("train/loss")
    assert list(losses) == list(range(1, 49))
    assert losses[48] < losses[1] / 2
    assert set(seen.series("train/lr").values()) == {0.003}
    assert list(seen.series("validation/accuracy")) == [8, 16, 24, 32, 40, 48]
    assert list(seen.series("train/accuracy")) == list(seen.series("validation/loss"))
    last = seen.of("progress")[-1]
    assert (last.step, last.steps, last.epoch, last.epochs) == (48, 48, 6, 6)
    assert last.samples_per_second > 0
    assert last.eta == 0


def test_columns_are_parallel_and_time_rises(tmp_path: Path) -> None:
    seen = fit(net(), plan(epochs=4), tmp_path)
    for event in seen.of("metrics"):
        lengths = {len(event.steps), len(event.epochs), len(event.times), *map(len, event.series.values())}
        assert len(lengths) == 1
    train = [event for event in seen.of("metrics") if "train/loss" in event.series]
    times = [moment for event in train for moment in event.times]
    assert times == sorted(times)
    assert [round(value * 8) for event in train for value in event.epochs] == list(range(1, 33))


def test_reported_accuracy_is_that_of_the_saved_weights(tmp_path: Path) -> None:
    validation = classes(50, seed=1)
    seen = fit(net(), plan(epochs=3), tmp_path, validation=validation)
    saved = seen.of("checkpoint")[-1]
    assert saved.step == 24

    again = Net()
    again.load_state_dict(torch.load(tmp_path / saved.path / "state.pt", weights_only=True), strict=True)
    again.eval()
    with torch.no_grad():
        output = again(validation.inputs["x"])
    accuracy = (output.argmax(1) == validation.targets).double().mean().item()
    assert seen.series("validation/accuracy")[24] == pytest.approx(accuracy, abs=1e-6)
    loss = nn.functional.cross_entropy(output, validation.targets).item()
    assert seen.series("validation/loss")[24] == pytest.approx(loss, abs=1e-6)


def test_one_seed_gives_one_curve_and_another_another(tmp_path: Path) -> None:
    modules = [net() for _ in range(3)]
    seeds = [5, 5, 6]
    seen = [
        fit(module, plan(seed=seed), tmp_path / str(index))
        for index, (module, seed) in enumerate(zip(modules, seeds, strict=True))
    ]
    assert seen[0].series("train/loss") == seen[1].series("train/loss")
    assert seen[0].series("validation/loss") == seen[1].series("validation/loss")
    assert all(
        torch.equal(left, right)
        for left, right in zip(modules[0].state_dict().values(), modules[1].state_dict().values(), strict=True)
    )
    assert seen[0].series("train/loss") != seen[2].series("train/loss")


def test_statistics_do_not_change_training(tmp_path: Path) -> None:
    quiet = fit(net(), plan(statistics={"budget": 0}), tmp_path / "quiet")
    loud = fit(net(), plan(statistics={"budget": 1.0}), tmp_path / "loud")
    assert quiet.series("train/loss") == loud.series("train/loss")
    assert not quiet.of("statistics")
    assert not quiet.of("histograms")
    assert loud.of("statistics")


def test_steps_end_a_run_inside_an_epoch(tmp_path: Path) -> None:
    seen = fit(net(), plan(steps=11), tmp_path)
    assert seen.outcome is not None
    assert (seen.outcome.step, seen.outcome.epoch) == (11, 2)
    assert list(seen.series("validation/loss")) == [8, 11]
    assert seen.of("progress")[-1].steps == 11


def test_a_last_batch_of_one_sample_is_left_out(tmp_path: Path) -> None:
    # 33 samples in batches of 16: batch normalization could not train on the thirty-third.
    seen = fit(net(), plan(epochs=2), tmp_path, data=classes(33))
    assert seen.outcome is not None
    assert seen.outcome.step == 4


def test_frozen_parameters_stay(tmp_path: Path) -> None:
    module = net()
    module.head.requires_grad_(False)
    before = module.head.weight.clone()
    seen = fit(module, plan(), tmp_path)
    assert torch.equal(module.head.weight, before)
    assert "head.weight" not in seen.of("statistics")[0].names


def test_nothing_to_train_is_a_problem(tmp_path: Path) -> None:
    module = net().requires_grad_(False)
    with pytest.raises(TrainingError, match="no trainable parameter"):
        fit(module, plan(), tmp_path)


def test_every_setting_of_precision_and_clipping_learns(tmp_path: Path) -> None:
    for index, settings in enumerate(
        ({"precision": "bf16"}, {"precision": "fp16"}, {"clip": {"norm": 0.5}}, {"clip": {"value": 0.1}})
    ):
        seen = fit(net(), plan(epochs=4, **settings), tmp_path / str(index))
        losses = list(seen.series("train/loss").values())
        assert losses[-1] < losses[0]


def test_clipping_bounds_the_update(tmp_path: Path) -> None:
    sgd = {"name": "torch.optim.SGD", "arguments": {"lr": 1.0}}
    settings = plan(steps=1, optimizer=sgd, clip={"norm": 0.01})
    seen = fit(net(), settings, tmp_path)
    first = seen.of("statistics")[0]
    assert math.hypot(*first.update_norm) == pytest.approx(0.01, rel=1e-3)
    # What is shown is the gradient as it was before clipping.
    assert math.hypot(*first.gradient_norm) > 0.02


def test_a_diverging_run_says_so_and_keeps_the_last_finite_checkpoint(tmp_path: Path) -> None:
    module = net()
    good = fit(module, plan(epochs=1), tmp_path)
    path = good.of("checkpoint")[-1].path
    seen = Seen(None, [])
    wild = plan(epochs=2_000, optimizer={"name": "torch.optim.SGD", "arguments": {"lr": 1e30}})
    with pytest.raises(TrainingError) as caught:
        fit(module, wild, tmp_path, attempt=2, seen=seen)
    assert problem_of(caught.value).code == ProblemCode.DIVERGED
    losses = seen.series("train/loss")
    bad = [step for event in seen.of("metrics") for step in event.nonfinite.get("train/loss", [])]
    assert bad
    assert all(losses[step] is None for step in bad)
    assert not seen.of("checkpoint")
    state = torch.load(tmp_path / path / "state.pt", weights_only=True)
    assert all(value.isfinite().all() for value in state.values() if value.is_floating_point())


def test_muon_names_the_parameters_that_are_no_matrices(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="does not take 4 of the network's 6 parameters") as caught:
        fit(net(), plan(optimizer={"name": "torch.optim.Muon"}), tmp_path)
    assert caught.value.problem.data["parameters"] == ["body.0.bias", "body.1.weight", "body.1.bias", "head.bias"]
    # Arguments are not blamed on the parameters.
    with pytest.raises(TrainingError, match="Muon refuses its arguments"):
        fit(net(), plan(optimizer={"name": "torch.optim.Muon", "arguments": {"lr": -1.0}}), tmp_path)


@pytest.mark.parametrize(
    ("optimizer", "clip", "says"),
    [
        ({"name": "torch.optim.SGD", "arguments": {"weight_decay": 0.1}}, {}, "SGD cannot train this network"),
        ({"name": "torch.optim.Adagrad", "arguments": {"weight_decay": 0.1}}, {}, "Adagrad cannot train this network"),
        ({"name": "torch.optim.SGD"}, {"value": 0.1}, "Clipping cannot train this network"),
        ({"name": "torch.optim.LBFGS"}, {}, "LBFGS cannot use the gradients of an embedding"),
        ({"name": "torch.optim.Muon"}, {}, "Muon cannot use the gradients of an embedding"),
    ],
)
def test_what_sparse_gradients_do_not_allow_is_told_before_the_start(
    tmp_path: Path, optimizer: dict[str, object], clip: dict[str, object], says: str
) -> None:
    class Table(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(6, 3, sparse=True)

        def forward(self, x: Tensor) -> Tensor:
            return self.table(x)

    given = Set({"x": torch.arange(90) % 6}, torch.arange(90) % 3)
    with pytest.raises(TrainingError, match=says) as caught:
        fit(Table(), plan(optimizer=optimizer, clip=clip), tmp_path, data=given, validation=given)
    assert caught.value.problem.code == ProblemCode.PLAN_INVALID


def test_a_network_that_cannot_take_the_data_is_told_with_both(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"data's samples \(x: \[6\] of float32\) in fp32: mat1 and mat2") as caught:
        fit(net(features=5), plan(), tmp_path)
    assert caught.value.problem.code == ProblemCode.DATASET_MISMATCH
    with pytest.raises(TrainingError, match="unexpected keyword argument 'y'"):
        fit(net(), plan(), tmp_path, data=Set({"y": classes().inputs["x"]}, classes().targets))


def test_a_rehearsal_leaves_nothing_behind(tmp_path: Path) -> None:
    class Counting(nn.Module):
        """Takes batches of one, and counts its training passes."""

        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Linear(6, 3)
            self.register_buffer("count", torch.zeros(()))

        def forward(self, x: Tensor) -> Tensor:
            self.get_buffer("count").add_(self.training)
            return self.body(x)

    module = Counting()
    fit(module, plan(batch_size=1, steps=5), tmp_path)
    assert int(module.get_buffer("count")) == 5


def test_training_metrics_of_lbfgs_see_each_batch_once(tmp_path: Path) -> None:
    # It moves too little for anything to change, and does not notice.
    arguments = {"lr": 1e-12, "tolerance_grad": 0, "tolerance_change": 0}
    still = {"name": "torch.optim.LBFGS", "arguments": arguments}
    part = classes(192)

    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Linear(6, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.body(x)

    torch.manual_seed(0)
    # Each is seen 20 times, and of 20 × 192 outputs the last 2,048 would be those of half the batches.
    seen = fit(Plain(), plan(optimizer=still, epochs=1), tmp_path, data=part, validation=part)
    assert seen.series("train/accuracy") == pytest.approx(seen.series("validation/accuracy"))


class Raising(Net):
    """Fails at the fifth training step, as ``error``."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += self.training
        if self.calls > 5:
            raise self.error
        return super().forward(x)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"), ProblemCode.OUT_OF_MEMORY),
        (MemoryError(), ProblemCode.OUT_OF_MEMORY),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), ProblemCode.OUT_OF_MEMORY),
        (OSError(28, "No space left on device"), ProblemCode.DISK_FULL),
        (ZeroDivisionError("division by zero"), ProblemCode.TRAINER_FAILED),
    ],
)
def test_a_failing_module_is_told_by_its_cause(tmp_path: Path, error: BaseException, code: ProblemCode) -> None:
    seen = Seen(None, [])
    with pytest.raises(type(error)) as caught:
        fit(Raising(error), plan(), tmp_path, seen=seen)
    assert problem_of(caught.value).code == code
    # The steps before the failure are there.
    assert list(seen.series("train/loss")) == [1, 2, 3, 4, 5]


class Pair(nn.Module):
    """Two inputs by name, two outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(6, 3), nn.Linear(2, 3)

    def forward(self, a: Tensor, b: Tensor) -> dict[str, Tensor]:
        left, right = self.left(a), self.right(b)
        return {"sum": left + right, "aside": right}


def test_inputs_go_by_name_and_outputs_add_up(tmp_path: Path) -> None:
    torch.manual_seed(0)
    train, check = classes(96), classes(48, seed=1)
    module = Pair()
    settings = plan(steps=1, batch_size=96, optimizer={"name": "torch.optim.SGD", "arguments": {"lr": 0.0}})
    given = Set({"b": train.inputs["x"][:, :2], "a": train.inputs["x"]}, train.targets)
    seen = fit(
        module,
        settings,
        tmp_path,
        data=given,
        validation=Set({"a": check.inputs["x"], "b": check.inputs["x"][:, :2]}, check.targets),
    )
    with torch.no_grad():
        output = module(**given.inputs)
    expected = sum(nn.functional.cross_entropy(value, train.targets) for value in output.values())
    assert seen.series("train/loss")[1] == pytest.approx(float(expected), rel=1e-5)


def test_tokens_are_compared_position_by_position(tmp_path: Path) -> None:
    torch.manual_seed(0)
    ids = torch.randint(0, 7, (64, 5))
    module = nn.Sequential()
    module.append(nn.Embedding(7, 8))
    module.append(nn.Linear(8, 7))

    class Copy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = module

        def forward(self, x: Tensor) -> Tensor:
            return self.body(x)

    given = Set({"x": ids}, ids)
    seen = fit(
        Copy(),
        plan(epochs=20, optimizer={"name": "torch.optim.Adam", "arguments": {"lr": 0.05}}),
        tmp_path,
        task="tokens",
        data=given,
        validation=given,
    )
    assert list(seen.series("validation/accuracy").values())[-1] == 1.0


def test_an_autoencoder_learns_its_input(tmp_path: Path) -> None:
    labelled = classes()
    settings = plan(epochs=5, loss={"name": "torch.nn.MSELoss"})
    seen = fit(net(out=6), settings, tmp_path, data=labelled)
    assert "validation/mean_absolute_error" in seen.of("metrics")[-1].series
    losses = list(seen.series("validation/loss").values())
    assert losses[-1] < losses[0]


def test_a_module_that_writes_into_its_input_does_not_change_the_data(tmp_path: Path) -> None:
    class Greedy(Net):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x.mul_(2))

    data, check = classes(), classes(48, seed=1)
    before, before_check = data.inputs["x"].clone(), check.inputs["x"].clone()
    torch.manual_seed(0)
    fit(Greedy(), plan(), tmp_path, data=data, validation=check)
    assert torch.equal(data.inputs["x"], before)
    assert torch.equal(check.inputs["x"], before_check)


def test_what_a_module_keeps_while_validating_is_of_use_in_training(tmp_path: Path) -> None:
    class Lazy(Net):
        """Makes a table once, when it is evaluated first."""

        def __init__(self) -> None:
            super().__init__()
            self.table: Tensor | None = None

        def forward(self, x: Tensor) -> Tensor:
            if not self.training and len(x) > 2:
                self.table = self.table if self.table is not None else x.new_ones(3)
            return super().forward(x) * (1 if self.table is None else self.table)

    torch.manual_seed(0)
    seen = fit(Lazy(), plan(), tmp_path)
    assert len(seen.series("validation/loss")) == 3


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"optimizer": {"name": "torch.optim.Nothing"}}, ProblemCode.UNKNOWN_OPTIMIZER),
        ({"optimizer": {"name": "torch.nn.Linear"}}, ProblemCode.UNKNOWN_OPTIMIZER),
        ({"optimizer": {"name": "torch.optim.Adam", "arguments": {"betas": [2, 3]}}}, ProblemCode.PLAN_INVALID),
        ({"optimizer": {"name": "torch.optim.Adam", "arguments": {"speed": 3}}}, ProblemCode.PLAN_INVALID),
        ({"optimizer": {"name": "torch.optim.SparseAdam"}}, ProblemCode.PLAN_INVALID),
        ({"optimizer": {"name": "torch.optim.Muon"}}, ProblemCode.PLAN_INVALID),
        ({"optimizer": {"name": "torch.optim.Adam", "arguments": {"lr": {"$expr": "1"}}}}, ProblemCode.PLAN_INVALID),
        ({"scheduler": {"name": "torch.optim.lr_scheduler.LambdaLR"}}, ProblemCode.UNKNOWN_SCHEDULER),
        ({"scheduler": {"name": "torch.optim.lr_scheduler.StepLR"}}, ProblemCode.PLAN_INVALID),
        ({"loss": {"name": "torch.nn.NoLoss"}}, ProblemCode.UNKNOWN_LOSS),
        ({"loss": {"name": "torch.nn.TripletMarginLoss"}}, ProblemCode.PLAN_INVALID),
        ({"loss": {"name": "torch.nn.CrossEntropyLoss", "arguments": {"reduction": "none"}}}, ProblemCode.PLAN_INVALID),
        ({"metrics": [{"name": "os.system"}]}, ProblemCode.UNKNOWN_METRIC),
        ({"checkpoints": {"monitor": "validation/beauty"}}, ProblemCode.PLAN_INVALID),
        ({"device": "cuda:99"}, ProblemCode.DEVICE_UNAVAILABLE),
        # These torch accepts, and fails with them at a step.
        ({"optimizer": {"name": "torch.optim.Adam", "arguments": {"capturable": True}}}, ProblemCode.PLAN_INVALID),
        ({"optimizer": {"name": "torch.optim.Adam", "arguments": {"differentiable": True}}}, ProblemCode.PLAN_INVALID),
        ({"optimizer": {"name": "torch.optim.LBFGS", "arguments": {"line_search_fn": "a"}}}, ProblemCode.PLAN_INVALID),
        ({"scheduler": {"name": f"{SCHEDULERS}.StepLR", "arguments": {"step_size": 0}}}, ProblemCode.PLAN_INVALID),
        (
            {"scheduler": {"name": f"{SCHEDULERS}.OneCycleLR", "arguments": {"max_lr": 0.1, "total_steps": 20}}},
            ProblemCode.PLAN_INVALID,
        ),
        (
            {"loss": {"name": "torch.nn.CrossEntropyLoss", "arguments": {"weight": ["a", "b", "c"]}}},
            ProblemCode.PLAN_INVALID,
        ),
        ({"batch_size": 1}, ProblemCode.BATCH_OF_ONE),
    ],
)
def test_a_plan_that_does_not_fit_is_refused_before_the_first_step(
    tmp_path: Path, settings: dict[str, object], code: ProblemCode
) -> None:
    seen = Seen(None, [])
    with pytest.raises(TrainingError) as caught:
        fit(net(), plan(**settings), tmp_path, seen=seen)
    assert caught.value.problem.code == code
    assert not seen.of("metrics")


def test_an_output_of_the_wrong_width_is_told_with_both_shapes(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"gives 2 for each sample.*targets are 1"):
        fit(net(out=2), plan(), tmp_path, task="regression")
    with pytest.raises(TrainingError, match="have 7 classes, and the network's output tells 2 apart"):
        fit(net(out=2), plan(), tmp_path, data=classes(of=7), validation=classes(of=7))


def test_an_empty_part_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="need samples"):
        fit(net(), plan(), tmp_path, validation=classes(0))


def test_stopping_before_the_start_leaves_the_initial_weights(tmp_path: Path) -> None:
    control = Control(desired="stop")
    seen = fit(net(), plan(), tmp_path, control=control)
    assert seen.outcome is not None
    assert (seen.outcome.state, seen.outcome.step) == ("stopped", 0)


def test_numbers_of_one_column_fit_outputs_without_it(tmp_path: Path) -> None:
    class Flat(Net):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x).squeeze(1)

    torch.manual_seed(0)
    seen = fit(
        Flat(out=1),
        plan(epochs=25, optimizer={"name": "torch.optim.Adam", "arguments": {"lr": 0.02}}),
        tmp_path,
        task="regression",
        data=numbers(256),
    )
    assert list(seen.series("validation/r2_score").values())[-1] > 0.5
    assert "validation/mean_absolute_error" in seen.of("metrics")[-1].series
