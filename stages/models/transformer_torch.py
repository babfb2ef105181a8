"""The tiny causal transformer as a torch user writes it."""

from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention


class Transformer(nn.Module):
    """One block of a causal transformer, with normalisation before attention and MLP."""

    def __init__(
        self,
        positions: int,
        outputs: int,
        *,
        tokens: int,
        answer: int,
        width: int,
        heads: int,
        hidden: int,
    ) -> None:
        super().__init__()
        self.answer, self.heads = answer, heads
        self.token = nn.Embedding(tokens, width)
        self.position = nn.Embedding(positions, width)
        self.norm1 = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.expand = nn.Linear(width, hidden)
        self.contract = nn.Linear(hidden, width)
        self.norm3 = nn.LayerNorm(width)
        self.linear = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        z = self.token(x.long()) + self.position.weight
        z = z + self.project(self.attend(self.norm1(z)))
        z = z + self.contract(gelu(self.expand(self.norm2(z)), approximate="tanh"))
        outputs: Tensor = self.linear(self.norm3(z[:, -self.answer :]))
        return outputs

    def attend(self, z: Tensor) -> Tensor:
        """What each position gathers from itself and those before it, of the shape of z."""
        parts = self.query_key_value(z).unflatten(-1, (3, self.heads, -1))
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        gathered = scaled_dot_product_attention(query, key, value, is_causal=True)
        return gathered.transpose(1, 2).flatten(2)


def model(features: int, outputs: int, **options: int) -> Transformer:
    """The transformer for sequences of `features` tokens."""
    return Transformer(features, outputs, **options)
