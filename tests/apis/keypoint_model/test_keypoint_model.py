"""What the network is given of a clip."""

import pytest
import torch

from gvhmr_da_mm.apis.keypoint_model import KeypointModel, load_keypoint_model
from gvhmr_da_mm.config.loading import CONFIGS, load_config
from gvhmr_da_mm.datasets.clip import Clip
from gvhmr_da_mm.models.refiners import KeypointRefiner
from gvhmr_da_mm.registry import MODELS
from tests.apis.inferencers.conftest import checkpoint  # noqa: F401
from tests.testing import toy_model_config

FRAMES = 150


@pytest.fixture
def clip():
    keypoints = torch.rand(FRAMES, 17, 3) + torch.tensor([300.0, 200.0, 0.0])
    return Clip(
        sequence='walk',
        start=0,
        end=FRAMES,
        img_wh=(640, 480),
        bbx_xys=torch.tensor([300.0, 200.0, 90.0]).expand(FRAMES, 3),
        K_fullimg=torch.tensor([[800.0, 0, 320], [0, 800, 240], [0, 0, 1]]),
        R_w2c=torch.eye(3).expand(FRAMES, 3, 3),
        kp2d=keypoints,
        static_camera=True,
    )


@pytest.mark.parametrize('flip', [False, True])
def test_features_that_are_not_there_take_no_memory(checkpoint, clip, flip, toy_root):  # noqa: F811
    model = load_keypoint_model(
        checkpoint, data_root=toy_root, options={'model.test_cfg.flip_test': flip}
    )
    given = []

    def note(module, args, kwargs):
        given.append(kwargs['f_imgseq'])

    model.estimator.backbone.register_forward_pre_hook(note, with_kwargs=True)
    model.predict(clip, 'network')
    (features,) = given
    assert features.shape == (1 + flip, FRAMES, 1024) and not features.any()
    assert features.untyped_storage().nbytes() < 100


def test_a_clip_can_be_predicted_again(checkpoint, clip, toy_root):  # noqa: F811
    model = load_keypoint_model(
        checkpoint, data_root=toy_root, options={'model.test_cfg.flip_test': True}
    )
    first, second = (model.predict(clip, 'network').pred_instances for _ in range(2))
    assert first.body_pose.equal(second.body_pose)
    assert clip.flip_f_imgseq is None and clip.flip_bbx_xys is None


def test_the_fit_of_a_network_without_one_is_that_of_the_shipped_config(toy_root):
    config = load_config(CONFIGS / 'da_bedlam_emdb_3dpw.py')
    shipped = MODELS.build(config.model.estimator.test_cfg.refiner)
    fit = KeypointModel(MODELS.build(toy_model_config(toy_root)))._recovery['fitted'].refiner
    assert vars(fit) == vars(shipped) != vars(KeypointRefiner())
