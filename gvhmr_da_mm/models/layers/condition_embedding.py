"""Embeddings of the conditions, which start at zero and are added to the token."""

from torch import Tensor, nn


def _zero_init(layer: nn.Linear) -> nn.Linear:
    """Initialise a layer to return zeros."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class VectorEmbedding(nn.Module):
    """Embed a short vector: linear, SiLU, dropout, zero-initialised linear.

    Args:
        in_dim (int): Size of the condition.
        dim (int): Channels C of the token.
        dropout (float): Dropout probability. Defaults to 0.

    Source: GVHMR, Sec. 3.3.
    """

    def __init__(self, in_dim: int, dim: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.fc1 = nn.Linear(in_dim, dim)
        self.act = nn.SiLU()
        self.drop = nn.Dropout(dropout)
        self.fc2 = _zero_init(nn.Linear(dim, dim))

    def forward(self, condition: Tensor) -> Tensor:
        """Map (..., in_dim) to (..., C)."""
        return self.fc2(self.drop(self.act(self.fc1(condition))))


class ImageEmbedding(nn.Module):
    """Embed an image feature: layer norm, zero-initialised linear.

    Args:
        in_dim (int): Size of the feature.
        dim (int): Channels C of the token.

    Source: GVHMR, Sec. 3.3.
    """

    def __init__(self, in_dim: int, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(in_dim)
        self.proj = _zero_init(nn.Linear(in_dim, dim))

    def forward(self, feature: Tensor) -> Tensor:
        """Map (..., in_dim) to (..., C)."""
        return self.proj(self.norm(feature))
