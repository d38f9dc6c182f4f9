"""`nn.TransformerEncoder` written out in Linear layers, so that quantizers reach its attention.

`nn.MultiheadAttention` keeps its three input projections in one bare parameter, which no quantizer
takes for a Linear, and graph tracing treats the whole encoder as one opaque layer. The open form
computes the same function. Importing this file imports torch.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention


class OpenEncoderLayer(nn.Module):
    """The same function as the given `nn.TransformerEncoderLayer` (batch first) and its weights."""

    def __init__(self, layer: nn.TransformerEncoderLayer) -> None:
        super().__init__()
        attention = layer.self_attn
        if not attention.batch_first or attention.in_proj_weight is None:
            raise ValueError("Only batch-first encoder layers with equal query, key and value width open.")
        self.width, self.heads = attention.embed_dim, attention.num_heads
        self.norm_first = layer.norm_first
        self.projections = nn.Linear(self.width, 3 * self.width, bias=attention.in_proj_bias is not None)
        self.projections.weight = attention.in_proj_weight
        if attention.in_proj_bias is not None:
            self.projections.bias = attention.in_proj_bias
        self.output = nn.Linear(self.width, self.width, bias=attention.out_proj.bias is not None)
        # A plain Linear: the original's subclass exists to keep quantizers away.
        self.output.load_state_dict(attention.out_proj.state_dict())
        self.linear1, self.linear2 = layer.linear1, layer.linear2
        self.norm1, self.norm2 = layer.norm1, layer.norm2
        self.dropout, self.dropout1, self.dropout2 = layer.dropout, layer.dropout1, layer.dropout2
        self.activation = layer.activation

    def _attend(self, states: Tensor, kept: Tensor | None) -> Tensor:
        rows, length, _ = states.shape
        parts = self.projections(states).view(rows, length, 3, self.heads, self.width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = scaled_dot_product_attention(query, key, value, attn_mask=kept)
        mixed = mixed.transpose(1, 2).reshape(rows, length, self.width)
        out: Tensor = self.dropout1(self.output(mixed))
        return out

    def _feed_forward(self, states: Tensor) -> Tensor:
        out: Tensor = self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(states)))))
        return out

    def forward(self, states: Tensor, kept: Tensor | None) -> Tensor:
        """States [N, L, D] and a mask [N, 1, 1, L], True where a key may be seen, to [N, L, D]."""
        if self.norm_first:
            states = states + self._attend(self.norm1(states), kept)
            return states + self._feed_forward(self.norm2(states))
        states = self.norm1(states + self._attend(states, kept))
        out: Tensor = self.norm2(states + self._feed_forward(states))
        return out


class OpenEncoder(nn.Module):
    """The same function as the given `nn.TransformerEncoder`, for padding masks."""

    def __init__(self, encoder: nn.TransformerEncoder) -> None:
        super().__init__()
        self.layers = nn.ModuleList(OpenEncoderLayer(layer) for layer in encoder.layers)
        self.norm = encoder.norm

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """States [N, L, D] to [N, L, D]; `src_key_padding_mask` [N, L] is True at padding."""
        if mask is not None:
            raise ValueError("An encoder called with an attention mask cannot be opened for INT8.")
        kept = None if src_key_padding_mask is None else ~src_key_padding_mask[:, None, None, :]
        for layer in self.layers:
            src = layer(src, kept)
        return src if self.norm is None else self.norm(src)


def open_encoders(model: nn.Module) -> nn.Module:
    """Replace every `nn.TransformerEncoder` of PyTorch's own layers in the model, in place; returns the model.

    One with layers of another class, or that takes states another way than batch first, stays as it is.
    """
    for name, child in model.named_children():
        if type(child) is nn.TransformerEncoder and all(
            type(layer) is nn.TransformerEncoderLayer
            and layer.self_attn.batch_first
            and layer.self_attn.in_proj_weight is not None
            for layer in child.layers
        ):
            setattr(model, name, OpenEncoder(child))
        else:
            open_encoders(child)
    return model
