"""Two-layer perceptron of embeddings, feed-forward parts and heads."""

from torch import Tensor, nn


class MLP(nn.Module):
    """Linear, GELU, dropout, linear, dropout.

    Args:
        in_dim (int): Input channels.
        hidden_dim (int): Hidden channels.
        out_dim (int): Output channels.
        tanh_gelu (bool): Use the tanh approximation of GELU. Defaults to False, the exact one.
        dropout (float): Dropout probability after both layers. Defaults to 0.
    """

    def __init__(
        self,
        in_dim: int,
        hidden_dim: int,
        out_dim: int,
        tanh_gelu: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.fc1 = nn.Linear(in_dim, hidden_dim)
        self.act = nn.GELU(approximate='tanh' if tanh_gelu else 'none')
        self.fc2 = nn.Linear(hidden_dim, out_dim)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., in_dim) to (..., out_dim)."""
        return self.drop(self.fc2(self.drop(self.act(self.fc1(x)))))
