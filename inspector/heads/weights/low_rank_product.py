"""A product of two thin matrices, measured without ever being formed.

W_QK and W_OV are d_model × d_model but of rank d_head at most: all that is asked of them follows
from d_head × d_head matrices.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Complex, Float
from torch import Tensor


@dataclass(frozen=True)
class ThinProduct:
    r"""M = left · right for each head, in float64, never formed.

    With $L = Q_L R_L$ and $R^\top = Q_R R_R$, $M = Q_L (R_L R_R^\top) Q_R^\top$: M has the
    singular values of the small $R_L R_R^\top$. The eigenvalues of M that are not zero are those
    of the small $R L$. What asks for a square M is NaN where M is none.
    """

    left: Float[Tensor, "head d_model d_head"]
    right: Float[Tensor, "head d_head d_source"]

    @cached_property
    def singular_values(self) -> Float[Tensor, "head d_head"]:
        """Return the singular values, largest first."""
        small = torch.matmul(_triangles(self.left), _triangles(self.right.mT).mT)
        return torch.linalg.svdvals(small)

    @cached_property
    def _swapped(self) -> Float[Tensor, "head d_head d_head"]:
        if self.left.shape[1] != self.right.shape[2]:
            n_heads, d_head, _ = self.right.shape
            return torch.full((n_heads, d_head, d_head), torch.nan, dtype=torch.float64)
        pairs = zip(self.left, self.right, strict=True)
        return torch.stack([right.double() @ left.double() for left, right in pairs])

    @cached_property
    def eigenvalues(self) -> Complex[Tensor, "head d_head"]:
        """Return the eigenvalues that can differ from zero, in no order."""
        swapped = self._swapped
        if self.left.shape[1] != self.right.shape[2]:
            return swapped[..., 0].to(torch.complex128)
        return torch.linalg.eigvals(swapped)

    def spectral_norm(self) -> Float[Tensor, " head"]:
        r"""Return the largest singular value, $\|M\|_2$."""
        return self.singular_values[:, 0]

    def frobenius_norm(self) -> Float[Tensor, " head"]:
        r"""Return $\|M\|_F = \sqrt{\sum_i \sigma_i^2}$."""
        return torch.linalg.vector_norm(self.singular_values, dim=-1)

    def effective_rank(self) -> Float[Tensor, " head"]:
        r"""Return $\exp H(\sigma / \sum \sigma)$, between 1 and d_head; NaN for M = 0.

        Source: Roy & Vetterli (2007), The effective rank, EUSIPCO, def. 1.
        """
        share = self.singular_values / self.singular_values.sum(-1, keepdim=True)
        return torch.exp(-torch.special.xlogy(share, share).sum(-1))

    def stable_rank(self) -> Float[Tensor, " head"]:
        r"""Return $\|M\|_F^2 / \|M\|_2^2$, between 1 and d_head; NaN for M = 0.

        Source: Rudelson & Vershynin (2007), J. ACM 54(4), sec. 1 ("numerical rank").
        """
        return (self.frobenius_norm() / self.spectral_norm()) ** 2

    def symmetry(self) -> Float[Tensor, " head"]:
        r"""Return $(\|S\|_F^2 - \|A\|_F^2) / \|M\|_F^2$ in [−1, 1] for M = S + A; NaN for M = 0.

        S is the symmetric part, A the skew one: 1 is symmetric, −1 skew. The numerator equals
        $\mathrm{tr}(M^2) = \mathrm{tr}((RL)^2)$.
        """
        swapped = self._swapped
        trace = (swapped * swapped.transpose(-1, -2)).sum((-1, -2))
        return trace / self.frobenius_norm() ** 2

    def eigenvalue_positivity(self) -> Float[Tensor, " head"]:
        r"""Return $\sum_i \mathrm{Re}\,\lambda_i / \sum_i |\lambda_i|$ in [−1, 1].

        NaN where every eigenvalue is 0, as for M = 0. For M_OV a positive value says that the
        head keeps the direction of what it looks at.

        Source: the ratio is that of Elhage et al. (2021), A Mathematical Framework for Transformer
            Circuits, "Summarizing OV/QK matrices", who take it of $W_U M_{OV} W_E$: that is
            `copying_score` in `vocabulary_circuits`.
        """
        return self.eigenvalues.real.sum(-1) / self.eigenvalues.abs().sum(-1)


def _triangles(factors: Float[Tensor, "head row column"]) -> Float[Tensor, "head column column"]:
    """Return R of each head's QR decomposition, in float64.

    One head at a time, as LAPACK would do it anyway: so the wide copies are of one head only.
    """
    return torch.stack([torch.linalg.qr(factor.double(), mode="r").R for factor in factors])
