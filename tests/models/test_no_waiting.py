"""A training step has no operation that would make a GPU wait for the CPU or the reverse."""

import traceback
from collections import Counter

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from gvhmr_da_mm.engine import AdaptationOptimWrapperConstructor
from gvhmr_da_mm.registry import MODELS
from tests.testing import toy_adaptation_config, toy_batch, toy_model_config

WAITS = ('lift_fresh', '_local_scalar_dense', 'nonzero', 'masked_select')
"""Numbers of Python that become a tensor, and tensors that become one or decide a shape."""
ALLOWED = {
    'structures/clip_samples.py:camera_only': 'flags of the clips, copied without waiting',
    'core/filtering.py:length_unless_full': 'on the CPU only',
}


class _Waits(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.found = Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if any(name in str(function) for name in WAITS) or _is_masked(function, args):
            own = [f for f in traceback.extract_stack() if 'gvhmr_da_mm/' in f.filename]
            place = own[-1].filename.rpartition('gvhmr_da_mm/')[2] if own else 'elsewhere'
            self.found[f'{place}:{own[-1].name if own else function}'] += 1
        return function(*args, **(kwargs or {}))


def _is_masked(function, args):
    if str(function) != 'aten.index.Tensor':
        return False
    return any(index is not None and index.dtype == torch.bool for index in args[1])


@pytest.mark.parametrize('noise', ['KeypointNoise', 'DetectorNoise'])
def test_a_step_does_not_wait(toy_root, noise):
    estimator = toy_model_config(toy_root, train_cfg=dict(keypoint_noise=dict(type=noise)))
    views = [dict(type=name) for name in ('HorizontalFlip', 'BoxJitter', 'FeatureNoise')]
    labeler = dict(views=views, num_augmentations=3)
    config = toy_adaptation_config(toy_root, estimator=estimator, pseudo_labeler=labeler)
    model = MODELS.build(config).train()
    parts = {
        name: dict(optimizer=dict(type='AdamW', lr=1e-3)) for name in ('model', 'discriminator')
    }
    wrapper = AdaptationOptimWrapperConstructor(parts)(model)
    for part in wrapper.values():
        part.update_params = lambda loss: loss.backward()
    for domain in ('synthetic', 'real'):
        batch = model.data_preprocessor(toy_batch(domain), training=True)
        model.train_step(batch, wrapper)  # fills caches
        with _Waits() as waits:
            model.train_step(batch, wrapper)
        assert set(waits.found) <= set(ALLOWED), waits.found


def test_it_sees_what_waits():
    with _Waits() as waits:
        joints = torch.randn(2, 17, 3)
        assert joints[:, (1, 2)].shape[1] == 2 and float(joints.sum()) is not None
        joints[joints > 0]
    assert sum(waits.found.values()) == 3
