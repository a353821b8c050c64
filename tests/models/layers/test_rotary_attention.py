"""Attention and its rotary positions."""

import pytest
import torch
import torch.nn.functional as F

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.models.layers import KeyWindow, RotaryAttention, RotaryTable

CPU = torch.device('cpu')


def test_rotation_turns_adjacent_pairs():
    table = RotaryTable.build(3, 4, torch.float64, CPU)
    x = torch.tensor([1.0, 0.0, 0.0, 1.0], dtype=torch.float64).expand(3, 4)
    angles = torch.arange(3, dtype=torch.float64)[:, None] * torch.tensor([1.0, 0.01]).double()
    cos, sin = angles.cos(), angles.sin()
    expected = torch.stack((cos[:, 0], sin[:, 0], -sin[:, 1], cos[:, 1]), dim=-1)
    torch.testing.assert_close(table.rotate(x), expected)


def test_products_depend_on_distance_only():
    table = RotaryTable.build(50, 8, torch.float64, CPU)
    query, key = (table.rotate(torch.randn(8, dtype=torch.float64).expand(50, 8)) for _ in 'qk')
    product = query @ key.T
    torch.testing.assert_close(product[:-7, :-7], product[7:, 7:])
    torch.testing.assert_close(query.norm(dim=-1), query[:1].norm(dim=-1).expand(50))


def test_float32_table_is_exact_far_from_the_start():
    single, double = (RotaryTable.build(5000, 8, t, CPU) for t in (torch.float32, torch.float64))
    assert (single.cos.double() - double.cos).abs().max() < 1e-7


def test_matches_explicit_softmax():
    attention = RotaryAttention(16, num_heads=2).double()
    x = torch.randn(2, 9, 16, dtype=torch.float64)
    table = RotaryTable.build(9, 8, torch.float64, CPU)
    window = KeyWindow.build(9, 4, torch.tensor([9, 6]))

    def heads(layer):
        return layer(x).reshape(2, 9, 2, 8).permute(0, 2, 1, 3)

    logits = table.rotate(heads(attention.query)) @ table.rotate(heads(attention.key)).mT / 8**0.5
    weights = logits.masked_fill(~window.mask(), -torch.inf).softmax(dim=-1)
    expected = attention.proj((weights @ heads(attention.value)).permute(0, 2, 1, 3).flatten(2))
    torch.testing.assert_close(attention(x, table, window), expected)


def test_gradients():
    attention = RotaryAttention(4, num_heads=1).double()
    table = RotaryTable.build(3, 4, torch.float64, CPU)
    window = KeyWindow.build(3, 2, torch.tensor([2]))
    x = torch.randn(1, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: attention(x, table, window), (x,))


def test_odd_heads_are_refused():
    with pytest.raises(ConfigError, match='multiple of 2'):
        RotaryAttention(12, num_heads=4)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_both_forms_of_the_rotation_agree(dtype, monkeypatch):
    table = RotaryTable.build(7, 8, dtype, CPU)
    x = torch.randn(2, 7, 3, 8, dtype=dtype).transpose(1, 2).requires_grad_()
    complex_form = table.rotate(x)
    monkeypatch.setattr(torch.compiler, 'is_compiling', lambda: True)
    real_form = table.rotate(x)
    torch.testing.assert_close(complex_form, real_form)
    seed = torch.randn_like(x)
    gradients = [torch.autograd.grad(form, x, seed)[0] for form in (complex_form, real_form)]
    torch.testing.assert_close(*gradients)


def test_mixed_precision_on_a_cpu_attends_in_float32(monkeypatch):
    seen, compute = [], F.scaled_dot_product_attention

    def record(query, *args, **kwargs):
        seen.append(query.dtype)
        return compute(query, *args, **kwargs)

    monkeypatch.setattr(F, 'scaled_dot_product_attention', record)
    attention, x = RotaryAttention(16, num_heads=2), torch.randn(2, 9, 16)
    table = RotaryTable.build(9, 8, torch.float32, CPU)
    with torch.autocast('cpu', torch.bfloat16):
        mixed = attention(x, table)
    assert seen == [torch.float32] and mixed.dtype == torch.bfloat16
    torch.testing.assert_close(mixed.float(), attention(x, table), atol=0.02, rtol=0.05)
