"""AlexNet's two own layers: local response normalisation (LRN) and overlapping pooling.

LRN comes in two conventions that differ by a factor in alpha, and implementations mix them up: the
paper (Krizhevsky et al. 2012, section 3.3) adds alpha times the SUM of squares, Caffe and torch add
alpha times their MEAN over the window. The paper's alpha = 1e-4 with n = 5 is torch's alpha = 5e-4.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

Convention = Literal["paper", "caffe"]


class LocalResponseNorm(nn.Module):
    """Divide each activity by a power of the summed squares of its neighbours in channel order.

    b_i = a_i / (k + c * sum of a_j^2 for j from max(0, i - n/2) to min(N - 1, i + n/2)) ^ beta,
    with c = alpha under convention "paper" and alpha / n under "caffe". An even n, which Caffe
    refuses, means n + 1 channels, as in the paper's formula. Input and output (B, C, H, W).

    Raises:
        ValueError: the window is not positive, or is even under convention "caffe".
    """

    def __init__(
        self,
        size: int = 5,
        *,
        convention: Convention,
        alpha: float = 1e-4,
        beta: float = 0.75,
        k: float = 2.0,
    ) -> None:
        super().__init__()
        if convention not in ("paper", "caffe"):
            raise ValueError(f"LRN convention {convention!r} is unknown; give 'paper' or 'caffe'")
        if size < 1 or (convention == "caffe" and size % 2 == 0):
            raise ValueError(f"an LRN window of {size} channels is not odd; give 3, 5, 7, ...")
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k
        self.convention = convention

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised activities."""
        half = self.size // 2
        width = 2 * half + 1
        squares = functional.pad(x.square(), (0, 0, 0, 0, half, half))
        mean = functional.avg_pool3d(squares.unsqueeze(1), (width, 1, 1), stride=1)
        scale = self.alpha * width if self.convention == "paper" else self.alpha
        return x / (self.k + scale * mean.squeeze(1)).pow(self.beta)

    def extra_repr(self) -> str:
        """Show the constants and the convention they belong to."""
        return (
            f"{self.size}, convention={self.convention!r}, alpha={self.alpha}, "
            f"beta={self.beta}, k={self.k}"
        )


def paper_lrn() -> LocalResponseNorm:
    """Return AlexNet's normalisation: n 5, alpha 1e-4, beta 0.75, k 2, paper's convention."""
    return LocalResponseNorm(5, convention="paper")


def caffe_lrn() -> LocalResponseNorm:
    """Return the normalisation of the Caffe zoo's nets: n 5, alpha 1e-4, beta 0.75, k 1."""
    return LocalResponseNorm(5, convention="caffe", k=1.0)


def overlapping_pool(*, padding: int = 0, ceil: bool = False) -> nn.MaxPool2d:
    """Return max pooling over 3x3 windows every 2 points (Krizhevsky et al. 2012, section 3.4)."""
    return nn.MaxPool2d(3, stride=2, padding=padding, ceil_mode=ceil)
