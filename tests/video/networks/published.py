"""Tiny HMR2.0 with the published tensor names, implemented from its description."""

import torch
import torch.nn.functional as F

DIM, DEPTH, HEADS, TOKEN, LAYERS, INNER_HEADS, HEAD_DIM = 32, 2, 4, 1024, 2, 2, 16
BACKBONE = dict(type='VisionTransformer', embed_dim=DIM, depth=DEPTH, num_heads=HEADS)
HEAD = dict(
    type='TokenDecoder', context_dim=DIM, depth=LAYERS, num_heads=INNER_HEADS,
    head_dim=HEAD_DIM, mlp_dim=48,
)  # fmt: skip
INNER = INNER_HEADS * HEAD_DIM
LAYER = 'smpl_head.transformer.transformer.layers'


def shapes():
    found = {
        'backbone.patch_embed.proj.weight': (DIM, 3, 16, 16),
        'backbone.patch_embed.proj.bias': (DIM,),
        'backbone.pos_embed': (1, 193, DIM),
        'backbone.last_norm.weight': (DIM,),
        'backbone.last_norm.bias': (DIM,),
        'smpl_head.transformer.to_token_embedding.weight': (TOKEN, 1),
        'smpl_head.transformer.to_token_embedding.bias': (TOKEN,),
        'smpl_head.transformer.pos_embedding': (1, 1, TOKEN),
        'smpl_head.decpose.weight': (144, TOKEN),
        'smpl_head.init_body_pose': (1, 144),
        'discriminator.betas_fc1.weight': (10, 10),
    }

    def linear(name, out, into, bias=True):
        found[f'{name}.weight'] = (out, into) if into else (out,)
        if bias:
            found[f'{name}.bias'] = (out,)

    for i in range(DEPTH):
        block = f'backbone.blocks.{i}'
        linear(f'{block}.norm1', DIM, None)
        linear(f'{block}.norm2', DIM, None)
        linear(f'{block}.attn.qkv', 3 * DIM, DIM)
        linear(f'{block}.attn.proj', DIM, DIM)
        linear(f'{block}.mlp.fc1', 4 * DIM, DIM)
        linear(f'{block}.mlp.fc2', DIM, 4 * DIM)
    for i in range(LAYERS):
        for part in range(3):
            linear(f'{LAYER}.{i}.{part}.norm', TOKEN, None)
        linear(f'{LAYER}.{i}.0.fn.to_qkv', 3 * INNER, TOKEN, bias=False)
        linear(f'{LAYER}.{i}.0.fn.to_out.0', TOKEN, INNER)
        linear(f'{LAYER}.{i}.1.fn.to_q', INNER, TOKEN, bias=False)
        linear(f'{LAYER}.{i}.1.fn.to_kv', 2 * INNER, DIM, bias=False)
        linear(f'{LAYER}.{i}.1.fn.to_out.0', TOKEN, INNER)
        linear(f'{LAYER}.{i}.2.fn.net.0', 48, TOKEN)
        linear(f'{LAYER}.{i}.2.fn.net.3', TOKEN, 48)
    return found


def weights_to_publish(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: 0.2 * torch.randn(*shape, generator=generator) for name, shape in shapes().items()
    }


def attention(query, key, value, heads):
    out = []
    for q, k, v in zip(*(x.chunk(heads, dim=-1) for x in (query, key, value))):
        out.append(torch.softmax(q @ k.mT / q.shape[-1] ** 0.5, dim=-1) @ v)
    return torch.cat(out, dim=-1)


def published_feature(weights, crops):
    """Compute the feature (B, 1024) of RGB crops (B, 3, 256, 256), 0 to 255."""

    def linear(name, x):
        return F.linear(x, weights[f'{name}.weight'], weights.get(f'{name}.bias'))

    def norm(name, x, eps=1e-5):
        return F.layer_norm(
            x, x.shape[-1:], weights[f'{name}.weight'], weights[f'{name}.bias'], eps
        )

    mean, std = (torch.tensor(v)[:, None, None] for v in MEAN_STD)
    image = ((crops / 255 - mean) / std)[..., 32:224]
    padded = F.pad(image, (2, 2, 2, 2))
    patches = torch.stack(
        [
            padded[..., 16 * r : 16 * r + 16, 16 * c : 16 * c + 16].flatten(1)
            for r in range(16)
            for c in range(12)
        ],
        dim=1,
    )
    x = patches @ weights['backbone.patch_embed.proj.weight'].flatten(1).T
    x = x + weights['backbone.patch_embed.proj.bias']
    x = x + weights['backbone.pos_embed'][:, 1:] + weights['backbone.pos_embed'][:, :1]
    for i in range(DEPTH):
        block = f'backbone.blocks.{i}'
        qkv = linear(f'{block}.attn.qkv', norm(f'{block}.norm1', x, 1e-6)).chunk(3, dim=-1)
        x = x + linear(f'{block}.attn.proj', attention(*qkv, HEADS))
        hidden = F.gelu(linear(f'{block}.mlp.fc1', norm(f'{block}.norm2', x, 1e-6)))
        x = x + linear(f'{block}.mlp.fc2', hidden)
    x = norm('backbone.last_norm', x, 1e-6)
    zero = torch.zeros(len(crops), 1, 1)
    token = linear('smpl_head.transformer.to_token_embedding', zero)
    token = token + weights['smpl_head.transformer.pos_embedding']
    for i in range(LAYERS):
        layer = f'{LAYER}.{i}'
        qkv = linear(f'{layer}.0.fn.to_qkv', norm(f'{layer}.0.norm', token)).chunk(3, dim=-1)
        token = token + linear(f'{layer}.0.fn.to_out.0', attention(*qkv, INNER_HEADS))
        query = linear(f'{layer}.1.fn.to_q', norm(f'{layer}.1.norm', token))
        key, value = linear(f'{layer}.1.fn.to_kv', x).chunk(2, dim=-1)
        token = token + linear(f'{layer}.1.fn.to_out.0', attention(query, key, value, INNER_HEADS))
        hidden = F.gelu(linear(f'{layer}.2.fn.net.0', norm(f'{layer}.2.norm', token)))
        token = token + linear(f'{layer}.2.fn.net.3', hidden)
    return token[:, 0]


MEAN_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
