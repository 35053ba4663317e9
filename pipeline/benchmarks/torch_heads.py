"""The same heads in torch, if it is installed, written as one who knows torch would.

Images are float32 and scaled beforehand, and gathered once an epoch; the gradient comes from autograd, the step is one
in-place call for all parameters. `together` runs all heads in one convolution, `one_by_one` a model a head.
"""

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..heads.head import Head
from .jobs import LOSS, Job

THREADS = 2
Train = Callable[[], NDArray[np.float64]]


def missing() -> str:
    """Why torch cannot compete; empty when it can."""
    if importlib.util.find_spec("torch") is None:
        return "torch is not installed (pip install 'ovrcnn[bench]')"
    return ""


def import_torch() -> Any:
    """torch, told to use THREADS threads."""
    torch = importlib.import_module("torch")
    torch.set_num_threads(THREADS)
    return torch


def together(job: Job, compiled: bool = False) -> Train:
    """Train all heads of the job at once, from its start at every call; `compiled`: by torch.compile."""
    heads = list(range(len(job.heads)))
    data = Data(job, heads)
    make = compiled_losses if compiled else mean_losses
    forward = make(len(job.heads), job.heads[0].kernel_size)

    def train() -> NDArray[np.float64]:
        return descend(forward, parameters(job.heads), *data.gathered(), job.alpha)

    return train


def one_by_one(job: Job) -> Train:
    """Train a model a head, one after the other."""
    models = [(Data(job, [j]), mean_losses(1, head.kernel_size), [head]) for j, head in enumerate(job.heads)]

    def train() -> NDArray[np.float64]:
        # One gathering of the images serves all models.
        pixels, _ = models[0][0].gathered()
        columns = [
            descend(forward, parameters(heads), pixels, data.gathered_targets(), job.alpha) for data, forward, heads in models
        ]
        return np.concatenate(columns, axis=1)

    return train


class Data:
    """Pixels (N, 1, H, W) and targets (N, heads) as tensors, and the batches to take of them."""

    def __init__(self, job: Job, heads: Sequence[int]) -> None:
        torch, block, dtype = import_torch(), job.block, job.heads[0].dtype
        if block.loss != LOSS or block.gradient != "exact":
            raise ValueError(f"torch is told {LOSS} with the exact gradient only, not {block.loss} with {block.gradient}")
        self.pixels = torch.from_numpy(block.images.astype(dtype) * dtype.type(1 / block.scale))[:, None]
        self.targets = torch.from_numpy(np.stack([block.labels == j for j in heads], axis=1).astype(dtype))
        self.order = torch.from_numpy(np.ascontiguousarray(block.batches.reshape(-1)))
        self.batch = job.batch_size

    def gathered(self) -> tuple[Any, Any]:
        """The epoch's batches of pixels and of targets."""
        return self.pixels.index_select(0, self.order).split(self.batch), self.gathered_targets()

    def gathered_targets(self) -> Any:
        return self.targets.index_select(0, self.order).split(self.batch)


def parameters(heads: Sequence[Head]) -> list[Any]:
    """Kernels (heads * F, 1, k, k), biases (heads * F,), weights (heads, F * P * Q) and output biases (heads,)."""
    torch = import_torch()
    arrays = (
        np.concatenate([head.kernel for head in heads])[:, None],
        np.concatenate([head.bias for head in heads]),
        np.stack([head.weights.reshape(-1) for head in heads]),
        np.stack([head.bias_flat for head in heads]),
    )
    return [torch.from_numpy(array.copy()).requires_grad_() for array in arrays]


def mean_losses(count: int, kernel_size: int) -> Callable[..., Any]:
    """The function that gives the mean losses of a batch for so many heads, (count,)."""
    torch, padding = import_torch(), kernel_size // 2
    functional = torch.nn.functional

    def forward(pixels: Any, targets: Any, kernel: Any, bias: Any, weights: Any, bias_flat: Any) -> Any:
        feature_map = functional.conv2d(pixels, kernel, bias, padding=padding)
        # ReLU after the pool gives the same numbers, and has a quarter of the work.
        pooled = torch.relu(functional.max_pool2d(feature_map, 2))
        logit = (pooled.view(len(pixels), count, -1) * weights).sum(-1) + bias_flat
        return (torch.sigmoid(logit) - targets).square().sum(0) * (0.5 / len(pixels))

    return forward


@cache
def compiled_losses(count: int, kernel_size: int) -> Callable[..., Any]:
    """`mean_losses` by torch.compile, which compiles at the first call with each shape. Kept: to compile takes seconds."""
    torch = import_torch()
    torch._dynamo.config.recompile_limit = 64
    compiled: Callable[..., Any] = torch.compile(mean_losses(count, kernel_size), dynamic=False)
    return compiled


def descend(
    forward: Callable[..., Any], values: list[Any], pixels: Sequence[Any], targets: Sequence[Any], alpha: float
) -> NDArray[np.float64]:
    """Plain gradient descent over the batches; returns the (T, heads) losses."""
    torch = import_torch()
    losses = []
    for x, y in zip(pixels, targets, strict=True):
        each = forward(x, y, *values)
        gradients = torch.autograd.grad(each.sum(), values)
        with torch.no_grad():
            torch._foreach_add_(values, gradients, alpha=-alpha)
        losses.append(each.detach())
    return np.asarray(torch.stack(losses).numpy(), np.float64)
