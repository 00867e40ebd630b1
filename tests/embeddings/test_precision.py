"""Device and precision: what the machine does well, what was asked, or a clear refusal."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from vscan.embeddings import precision
from vscan.embeddings.precision import choose_compute, cpu_flags, gpu_possible
from vscan.errors import ModelError


def _machine(
    monkeypatch: pytest.MonkeyPatch, *, flags: str = "avx2", cuda: int = 0, mps: bool = False
) -> None:
    monkeypatch.setattr(precision, "cpu_flags", lambda: frozenset(flags.split()))
    monkeypatch.setattr(precision, "gpu_possible", lambda: cuda > 0 or mps)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("flags", "cuda", "mps", "expected"),
    [
        ("avx2 avx512f", 0, False, ("cpu", "fp32")),
        ("avx512_bf16", 0, False, ("cpu", "bf16")),
        ("amx_tile amx_bf16", 0, False, ("cpu", "bf16")),
        ("asimd bf16", 0, False, ("cpu", "bf16")),
        ("amx_bf16", 1, False, ("cuda", "fp16")),
        ("", 0, True, ("mps", "fp16")),
        ("", 2, True, ("cuda", "fp16")),
    ],
)
def test_the_choice_is_what_the_machine_does_well(
    monkeypatch: pytest.MonkeyPatch, flags: str, cuda: int, mps: bool, expected: tuple[str, str]
) -> None:
    """fp16 on a GPU, bf16 on a CPU with a unit for it, fp32 elsewhere."""
    _machine(monkeypatch, flags=flags, cuda=cuda, mps=mps)
    chosen = choose_compute()
    assert expected == (chosen.device, chosen.precision)


@pytest.mark.parametrize(
    ("device", "wanted"),
    [("cpu", "bf16"), ("cpu", "fp32"), ("CPU", "FP32"), ("cuda:1", "fp32"), ("cuda", "fp16")],
)
def test_what_is_asked_is_done(monkeypatch: pytest.MonkeyPatch, device: str, wanted: str) -> None:
    """A possible device and precision are taken as asked, bf16 on any CPU."""
    _machine(monkeypatch, cuda=2)
    chosen = choose_compute(device, wanted)
    assert (device.lower(), wanted.lower()) == (chosen.device, chosen.precision)


@pytest.mark.parametrize(
    ("device", "wanted", "cause"),
    [
        ("cuda", "auto", "no CUDA GPU"),
        ("mps", "auto", "no Apple GPU"),
        ("tpu", "auto", "'tpu' is not known"),
        ("cuda:x", "auto", "'cuda:x' is not known"),
        ("cpu", "fp16", "needs a GPU"),
        ("cpu", "int8", "'int8' is not known"),
    ],
)
def test_the_impossible_is_refused(
    monkeypatch: pytest.MonkeyPatch, device: str, wanted: str, cause: str
) -> None:
    """What the machine lacks or nobody knows is an error that says what to use instead."""
    _machine(monkeypatch)
    with pytest.raises(ModelError, match=cause) as caught:
        choose_compute(device, wanted)
    assert "use" in caught.value.remedy


def test_a_gpu_that_is_not_there_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking for the third of two GPUs says how many there are."""
    _machine(monkeypatch, cuda=2)
    with pytest.raises(ModelError, match=r"2 CUDA GPU\(s\)"):
        choose_compute("cuda:2")


def test_bf16_on_a_gpu_without_a_unit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU that would only imitate bf16 is not asked to."""
    _machine(monkeypatch, cuda=1)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)
    with pytest.raises(ModelError, match="no bf16 unit"):
        choose_compute("cuda", "bf16")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "model name : x\nflags\t\t: fpu avx2 amx_bf16\nflags : other\n",
            {"fpu", "avx2", "amx_bf16"},
        ),
        ("Features\t: fp asimd bf16\n", {"fp", "asimd", "bf16"}),
        ("nothing here\n", set()),
    ],
)
def test_flags_are_read_from_the_system(tmp_path: Path, text: str, expected: set[str]) -> None:
    """x86 says `flags`, Arm says `Features`; the first processor counts."""
    path = tmp_path / "cpuinfo"
    path.write_text(text, "utf-8")
    assert expected == cpu_flags(path)


def test_a_system_that_does_not_tell_has_no_flags(tmp_path: Path) -> None:
    """Where there is no such file, nothing is assumed."""
    assert frozenset() == cpu_flags(tmp_path / "absent")


@pytest.mark.parametrize(
    ("names", "possible"),
    [
        (("null", "tty0"), False),
        (("null", "nvidia0", "nvidiactl"), True),
        (("dxg",), True),
        (("kfd",), True),
        (("nvme0",), False),
    ],
)
def test_a_gpu_is_asked_for_only_where_one_could_be(
    tmp_path: Path, names: tuple[str, ...], possible: bool
) -> None:
    """Without a GPU's device file Linux has none; elsewhere, or unread, torch must be asked."""
    for name in names:
        (tmp_path / name).touch()
    assert possible == gpu_possible(tmp_path, "linux")
    assert gpu_possible(tmp_path, "darwin")
    assert gpu_possible(tmp_path / "absent", "linux")
