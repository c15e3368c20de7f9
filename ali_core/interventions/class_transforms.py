"""θ: one similarity per class, applied to samples by their label."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ali_core.errors import AliError
from ali_core.geometry import AffineMap

if TYPE_CHECKING:
    import torch

    SamplesT = TypeVar("SamplesT", NDArray[np.floating[Any]], torch.Tensor)
    _Tensors = tuple[torch.Tensor, torch.Tensor, dict[int, torch.Tensor]]
else:
    SamplesT = TypeVar("SamplesT")

__all__ = ["ClassTransforms"]

BLOCK = 1 << 22
"""Numbers that are converted to float64 at a time."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassTransforms:
    r"""The maps :math:`\theta_c(x) = s_c Q_c x + T_c` of C classes in D dimensions.

    Parameters
    ----------
    scales
        s, shape (C,), float64.
    rotations
        Q of each class, shape (D, D), or None where it is the identity.
    offsets
        T, shape (C, D), float64.

    Examples
    --------
    >>> import numpy as np
    >>> theta = ClassTransforms(
    ...     scales=np.array([1.0, 0.5]), rotations=(None, None), offsets=np.array([[0.0, 0.0], [1.0, 0.0]])
    ... )
    >>> theta.apply(np.array([[2.0, 2.0], [2.0, 2.0]]), np.array([0, 1])).tolist()
    [[2.0, 2.0], [2.0, 1.0]]
    """

    scales: NDArray[np.float64]
    rotations: tuple[NDArray[np.float64] | None, ...]
    offsets: NDArray[np.float64]
    _tensors: "dict[tuple[str, str], _Tensors]" = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def identity(cls, n_classes: int, dim: int) -> "ClassTransforms":
        """Return the maps that change nothing."""
        return cls(scales=np.ones(n_classes), rotations=(None,) * n_classes, offsets=np.zeros((n_classes, dim)))

    def __getitem__(self, class_index: int) -> AffineMap:
        """Return the map of one class."""
        return AffineMap(
            scale=float(self.scales[class_index]),
            rotation=self.rotations[class_index],
            offset=self.offsets[class_index],
        )

    def updated(self, class_index: int, theta: AffineMap) -> "ClassTransforms":
        """Return the maps with that of one class replaced by ``theta``."""
        scales, offsets, rotations = self.scales.copy(), self.offsets.copy(), list(self.rotations)
        scales[class_index], offsets[class_index] = theta.scale, theta.offset
        rotations[class_index] = theta.rotation
        return replace(self, scales=scales, rotations=tuple(rotations), offsets=offsets)

    def apply(self, vectors: SamplesT, labels: Any) -> SamplesT:  # noqa: ANN401
        """Move each sample by the map of its class: x'_i = θ_{y_i}(x_i).

        Parameters
        ----------
        vectors
            numpy array or torch tensor of shape (N, D), floating point; a tensor may be on any device and carry a
            gradient.
        labels
            Class codes, shape (N,), integers in [0, C); -1 for samples without a label, which stay where they are.

        Returns
        -------
        numpy.ndarray or torch.Tensor
            Shape (N, D), of the type, dtype and device of ``vectors``. Arrays are computed in float64 before they
            are rounded to their dtype; tensors in their own dtype, half precision in float32.

        Raises
        ------
        AliError
            When shapes do not fit or a label is no class code.
        """
        if tuple(vectors.shape) != (len(labels), self.offsets.shape[1]):
            raise AliError(
                f"vectors must have the shape ({len(labels)}, {self.offsets.shape[1]}), one row a label and one "
                f"column a dimension of the transforms; got {tuple(vectors.shape)}"
            )
        _check_samples(vectors, labels)
        if isinstance(vectors, np.ndarray):
            return self._apply_to_array(vectors, np.asarray(labels))
        return self._apply_to_tensor(vectors, labels)

    def _apply_to_array(self, vectors: NDArray[np.floating[Any]], labels: NDArray[Any]) -> NDArray[np.floating[Any]]:
        self._check_codes(labels)
        moved, n_rows = np.array(vectors), max(1, BLOCK // vectors.shape[1])
        for class_index in np.unique(labels[labels >= 0]):
            theta, members = self[int(class_index)], np.flatnonzero(labels == class_index)
            for start in range(0, len(members), n_rows):
                rows = members[start : start + n_rows]
                moved[rows] = theta.apply(vectors[rows].astype(np.float64))
        return moved

    def _apply_to_tensor(self, vectors: "torch.Tensor", labels: Any) -> "torch.Tensor":  # noqa: ANN401
        import torch  # noqa: PLC0415  # only users of tensors pay for its import

        codes = torch.as_tensor(labels, device=vectors.device).long()
        known = codes.cpu().numpy()
        self._check_codes(known)
        dtype = torch.float64 if vectors.dtype == torch.float64 else torch.float32
        scales, offsets, rotations = self._on(vectors.device, dtype)
        points = vectors.to(dtype)
        turned = points.clone() if rotations else points
        for class_index, rotation in rotations.items():
            rows = torch.as_tensor(np.flatnonzero(known == class_index), device=vectors.device)
            if len(rows):
                turned.index_copy_(0, rows, points[rows] @ rotation.T)
        moved = scales[codes][:, None] * turned + offsets[codes]
        if (known < 0).any():
            moved = torch.where((codes < 0)[:, None], points, moved)
        return moved.to(vectors.dtype)

    def _on(self, device: "torch.device", dtype: "torch.dtype") -> "_Tensors":
        """Return scales, offsets and rotations as tensors; converted once for each device and dtype."""
        import torch  # noqa: PLC0415

        key = (str(device), str(dtype))
        if key not in self._tensors:
            rotations = {code: rotation for code, rotation in enumerate(self.rotations) if rotation is not None}
            self._tensors[key] = (
                torch.tensor(self.scales, dtype=dtype, device=device),
                torch.tensor(self.offsets, dtype=dtype, device=device),
                {code: torch.tensor(found, dtype=dtype, device=device) for code, found in rotations.items()},
            )
        return self._tensors[key]

    def _check_codes(self, labels: NDArray[Any]) -> None:
        if len(labels) and (labels.min() < -1 or labels.max() >= len(self.scales)):
            raise AliError(
                f"labels must be class codes from 0 to {len(self.scales) - 1}; got values from {labels.min()} "
                f"to {labels.max()}"
            )


def _check_samples(vectors: Any, labels: Any) -> None:  # noqa: ANN401
    if tuple(getattr(labels, "shape", (len(labels),))) != (len(vectors),):
        raise AliError(f"labels must be one per sample, shape ({len(vectors)},); got {tuple(labels.shape)}")
    if hasattr(labels, "is_floating_point"):
        whole = not labels.is_floating_point()
    else:
        whole = len(labels) == 0 or np.asarray(labels).dtype.kind in "iu"
    if not whole:
        raise AliError("labels must be class codes, integers; LabelledEmbedding.labels holds them")
    floating = (
        np.issubdtype(vectors.dtype, np.floating) if isinstance(vectors, np.ndarray) else vectors.is_floating_point()
    )
    if not floating:
        raise AliError(f"vectors must be floating point; got {vectors.dtype}")
