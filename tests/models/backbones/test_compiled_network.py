"""The network is one graph: ``torch.compile`` finds nothing to break at."""

import copy

import pytest
import torch

from gvhmr_da_mm.models.backbones import RotaryTemporalTransformer
from gvhmr_da_mm.models.heads import MotionHead
from gvhmr_da_mm.registry import MODELS
from tests.testing import toy_inputs, toy_model_config

WHOLE = dict(fullgraph=True, backend='eager')


@pytest.mark.parametrize('frames, length', [(6, [6, 3]), (100, None)])
def test_no_graph_breaks(frames, length):
    backbone = RotaryTemporalTransformer(
        latent_dim=16, num_layers=1, num_heads=2, max_len=6, imgseq_dim=8, dropout=0.0
    )
    head = MotionHead(16)
    for parameter in backbone.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    shapes = dict(obs=(17, 3), f_cliffcam=(3,), f_cam_angvel=(6,), f_imgseq=(8,))
    inputs = {name: torch.randn(2, frames, *shape) for name, shape in shapes.items()}
    length = None if length is None else torch.tensor(length)
    expected = head(backbone(length=length, **inputs), length)
    backbone.compile(**WHOLE)
    head.compile(**WHOLE)
    compiled = head(backbone(length=length, **inputs), length)
    for name, value in expected.items():
        torch.testing.assert_close(compiled[name], value)
    compiled['pred_x'].sum().backward()


def test_option_of_the_model(toy_root):
    config = toy_model_config(toy_root, num_layers=1)
    plain = MODELS.build(config)
    compiled = MODELS.build(dict(config, compile=WHOLE))
    compiled.load_state_dict(plain.state_dict())
    inputs = toy_inputs(1, 8)
    for model in (compiled, copy.deepcopy(compiled)):
        model.eval()
        torch.testing.assert_close(model.infer(inputs).x, plain.eval().infer(inputs).x)
