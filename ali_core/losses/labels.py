"""Labels, class weights and embeddings as people's loops have them, into what the losses compute with: checked once.

Synopsis::

    codes = class_codes(batch["label"], 32, n_classes=11)           # any integer type, (B,) or (B, 1), or names
    points, codes = planning_samples(vectors, labels)               # finite, float, whatever they were
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from ali_core.errors import AliError

__all__ = ["checked_weights", "class_codes", "planning_samples"]

#: One embedding or label a sample, as a tensor, an array or a list.
Values = ArrayLike | Tensor


def class_codes(
    labels: Values,
    n_samples: int,
    *,
    n_classes: int | None = None,
    class_names: Sequence[str] = (),
    device: torch.device | None = None,
) -> Tensor:
    """Return labels as class codes, int64 of shape (B,).

    Parameters
    ----------
    labels
        Whole numbers of any type (tensor, array, list), shape (B,) or (B, 1); or names, when ``class_names`` are known.
    n_samples
        B.
    n_classes
        C: codes must lie below it; None allows any.
    class_names
        The classes in the order of their codes.
    device
        Where the codes are wanted.

    Raises
    ------
    AliError
        For another shape, fractions, names that are unknown, negative codes (those of samples without a label among
        them), or codes from C on.
    """
    array = labels if isinstance(labels, Tensor) else np.asarray(labels)
    if tuple(array.shape) not in {(n_samples,), (n_samples, 1)}:
        hint = "; of one-hot labels give labels.argmax(1)" if array.ndim == 2 and len(array) == n_samples else ""
        raise AliError(
            f"labels must be one class code a sample, shape ({n_samples},) or ({n_samples}, 1); "
            f"got {tuple(array.shape)}{hint}"
        )
    if isinstance(array, np.ndarray):
        array = torch.tensor(_whole_numbers(array.reshape(-1), class_names))
    if array.is_floating_point() or array.is_complex():
        raise _no_codes(array.dtype)
    codes = array.reshape(-1).to(device=device, dtype=torch.int64)
    if len(codes):
        least, most = torch.stack(torch.aminmax(codes)).tolist()
        _check_range(least, most, len(class_names) or n_classes)
    return codes


def checked_weights(class_weights: Values, n_classes: int | None = None) -> Tensor:
    """Return class weights as a tensor of shape (C,), on the device where they are.

    Raises
    ------
    AliError
        For another shape or another C; for weights on the CPU also when they are negative or not finite.
    """
    weights = class_weights if isinstance(class_weights, Tensor) else torch.tensor(np.asarray(class_weights, float))
    if weights.ndim != 1 or not len(weights) or n_classes not in {None, len(weights)}:
        expected = "C" if n_classes is None else n_classes
        raise AliError(f"class_weights must be one a class, shape ({expected},); got {tuple(weights.shape)}")
    if weights.device.type == "cpu" and not bool((weights >= 0).all() and torch.isfinite(weights).all()):
        raise AliError(f"class_weights must be finite and at least 0; got {weights.tolist()}")
    return weights


def planning_samples(
    vectors: Values, labels: Values, *, n_classes: int | None = None, class_names: Sequence[str] = ()
) -> tuple[NDArray[np.floating[Any]], NDArray[np.int64]]:
    """Return embeddings (N, D) and their class codes (N,) as arrays that class statistics can be computed of.

    Raises
    ------
    AliError
        As :func:`class_codes`; for embeddings of another shape or type, or with NaN or infinity (rows are named).
    """
    points = _as_array(vectors)
    if points.ndim != 2 or not points.shape[1] or points.dtype.kind not in "fiu":
        raise AliError(f"vectors must be numbers of shape (N, D); got {points.dtype} of shape {points.shape}")
    codes = class_codes(labels, len(points), n_classes=n_classes, class_names=class_names)
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if len(bad):
        rows = ", ".join(map(str, bad[:5])) + (", …" if len(bad) > 5 else "")
        raise AliError(
            f"vectors must be finite; {len(bad)} of {len(points)} rows hold NaN or infinity (row {rows}): look for a "
            "loss that became NaN, or for such values among the inputs"
        )
    return points, codes.cpu().numpy()


def _whole_numbers(array: NDArray[Any], class_names: Sequence[str]) -> NDArray[np.int64]:
    """Return class codes: whole numbers as they are, names by their place in ``class_names``."""
    if array.dtype.kind in "biu" or not array.size:
        return array.astype(np.int64)
    if array.dtype.kind in "fc":
        raise _no_codes(array.dtype)
    names = array.tolist()
    if not all(isinstance(name, str) for name in names):
        raise AliError(f"labels must be class codes or names; got {array.dtype} that holds {names[0]!r:.40}")
    if not class_names:
        raise AliError(f"labels are names such as {names[0]!r}; say their order with class_names=[…]")
    known = {name: code for code, name in enumerate(class_names)}
    unknown = sorted(set(names) - known.keys())
    if unknown:
        raise AliError(f"label {unknown[0]!r} is not among class_names ({', '.join(class_names)})")
    return np.array([known[name] for name in names], dtype=np.int64)


def _no_codes(dtype: object) -> AliError:
    return AliError(f"labels must be whole numbers, the codes of their classes; got {dtype}: convert them to integers")


def _check_range(least: int, most: int, n_classes: int | None) -> None:
    if least < 0:
        raise AliError(
            f"labels must be class codes from 0 on; got {least}: leave samples without a label out of the batch"
        )
    if n_classes is not None and most >= n_classes:
        raise AliError(
            f"labels must be codes from 0 to {n_classes - 1} for {n_classes} classes; got {most}: count the classes in "
            "the weights, the names and the plan (n_classes=…) alike"
        )


def _as_array(values: Values) -> NDArray[Any]:
    if not isinstance(values, Tensor):
        return np.asarray(values)
    values = values.detach().cpu()
    return (values.float() if values.dtype == torch.bfloat16 else values).numpy()  # numpy has no bfloat16
