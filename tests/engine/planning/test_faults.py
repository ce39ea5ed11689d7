"""Errors of the libraries told apart."""

from __future__ import annotations

import pytest
import torch

from engine.device.devices import GIB, Device
from engine.errors import DeviceLost
from engine.planning.faults import fault_of, faults_in_words
from engine.planning.plans import plan_for


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), "memory"),
        (MemoryError(), "memory"),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory"),
            "memory",
        ),
        (RuntimeError("MPS backend out of memory (MPS allocated: 17.5 GB, max allowed: 18.1 GB)"), "memory"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), "memory"),
        (RuntimeError("CUDA error: unspecified launch failure"), "device"),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), "device"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), "device"),
        (RuntimeError("HIP error: the operation cannot be performed"), "device"),
        (RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"), None),
        (ValueError("CUDA error"), None),
        (KeyError("out of memory"), None),
    ],
)
def test_faults(error, fault):
    assert fault_of(error) == fault


def test_what_is_told_is_a_sentence_and_what_is_ours_passes_through(large):
    card = Device("cuda", "NVIDIA Tiny 1", 24 * GIB, 23 * GIB, 4)
    plan = plan_for(large, card)
    with (
        pytest.raises(DeviceLost, match="NVIDIA Tiny 1, 24 GB stopped answering") as caught,
        faults_in_words(plan, card),
    ):
        raise RuntimeError("CUDA error: unspecified launch failure")
    assert isinstance(caught.value.__cause__, RuntimeError)
    with pytest.raises(KeyError), faults_in_words(plan, card):
        raise KeyError("a fault of our own")


def test_a_real_allocation_that_cannot_be():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert fault_of(caught.value) == "memory"
