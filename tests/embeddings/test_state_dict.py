"""Weights that do not fit are refused before a single tensor is copied."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vscan.embeddings.state_dict import load_state
from vscan.errors import ModelError

if TYPE_CHECKING:
    import torch

State = dict[str, "torch.Tensor"]


@pytest.fixture(scope="module")
def state() -> State:
    """Tensors of a small network."""
    import torch

    torch.manual_seed(0)
    return {f"{n}": torch.randn(3, 4) for n in ("one.weight", "two.weight")}


def _module(state: State) -> torch.nn.Module:
    import torch

    module = torch.nn.Module()
    for name in ("one", "two"):
        layer = torch.nn.Linear(4, 3, bias=False)
        torch.nn.init.zeros_(layer.weight)
        setattr(module, name, layer)
    return module


def _save(path: Path, state: State) -> Path:
    from safetensors.torch import save_file

    save_file(state, path)
    return path


def test_whole_weights_are_loaded(tmp_path: Path, state: State) -> None:
    """Every tensor of the file is in the network afterwards, whatever its precision was."""
    module = _module(state)
    half = {f"module.{name}": tensor.half() for name, tensor in state.items()}
    load_state(module, _save(tmp_path / "w.safetensors", half), "Net")
    for name, tensor in module.state_dict().items():
        assert bool((state[name].half().float() == tensor).all())


def _other_shape(state: State) -> State:
    return state | {"two.weight": state["two.weight"].T.contiguous()}


def _missing(state: State) -> State:
    return {"one.weight": state["one.weight"]}


def _one_more(state: State) -> State:
    return state | {"three.weight": state["one.weight"].clone()}


def _whole_numbers(state: State) -> State:
    return state | {"two.weight": state["two.weight"].int()}


def _not_a_number(state: State) -> State:
    return state | {"two.weight": state["two.weight"] * float("nan")}


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (_other_shape, "two.weight is 4x3 there, 3x4 in Net"),
        (_missing, r"1 tensors are missing \(two.weight\)"),
        (_one_more, r"1 tensors have no place \(three.weight\)"),
        (_whole_numbers, "torch.int32"),
        (_not_a_number, "two.weight holds values that are not finite"),
    ],
)
def test_a_misfit_is_refused_and_nothing_is_loaded(
    tmp_path: Path, state: State, change: Callable[[State], State], cause: str
) -> None:
    """The error names file and cause, and the network holds none of the file's tensors."""
    path = _save(tmp_path / "w.safetensors", change(state))
    module = _module(state)
    with pytest.raises(ModelError, match=cause) as caught:
        load_state(module, path, "Net")
    assert str(path) in caught.value.message
    assert caught.value.remedy != ""
    assert all(not bool(tensor.any()) for tensor in module.state_dict().values())


@pytest.mark.parametrize("keep", [0, 7, 60, 150], ids=lambda n: f"{n} bytes")
def test_a_torn_file_is_refused(tmp_path: Path, state: State, keep: int) -> None:
    """A file cut short anywhere is a clear error."""
    path = _save(tmp_path / "w.safetensors", state)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelError, match=r"not a whole \.safetensors file"):
        load_state(_module(state), path, "Net")
