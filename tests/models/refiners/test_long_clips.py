"""Long clips, which are fitted window by window."""

import pytest
import torch

from benchmarks.speed.fit import filmed
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.models import ReprojectionLoss
from gvhmr_da_mm.models.refiners import KeypointRefiner, keypoint_refiner
from gvhmr_da_mm.models.refiners.keypoint_refiner import FITTED_INPUTS, OVERLAP

SHORT = 3 * OVERLAP
FRAMES = 4 * OVERLAP
"""Two of the shortest windows."""
SEAM = slice(FRAMES // 2 - OVERLAP // 2, FRAMES // 2 + OVERLAP // 2)


@pytest.fixture
def video(toy_model):
    """A wrong prediction of a moving body and its mirror image, which ends earlier."""
    prediction, inputs = filmed(toy_model, 2, FRAMES)
    inputs['valid'] = torch.arange(FRAMES) < torch.tensor([[FRAMES], [OVERLAP]])
    return prediction.replace(valid=inputs['valid']), inputs


def refine(model, prediction, inputs, **options):
    refiner = KeypointRefiner(steps=30, **options)
    return refiner(prediction, inputs, ReprojectionLoss(), model)


def test_windows_give_what_one_piece_gives(toy_model, video):
    prediction, inputs = video
    whole, parts = (
        refine(toy_model, prediction, inputs, window=window) for window in (FRAMES, SHORT)
    )
    assert not torch.equal(whole.transl_c, parts.transl_c)
    joints = [toy_model.coco_joints(one) for one in (whole, parts)]
    distance = (joints[0] - joints[1]).norm(dim=-1)
    assert distance[prediction.valid].mean() < 1e-3
    assert distance[0, SEAM].mean() < 3e-3
    accelerations = [one[0, SEAM].diff(n=2, dim=0).norm(dim=-1).amax() for one in joints]
    assert accelerations[1] < 1.05 * accelerations[0]
    changed = (joints[0] - toy_model.coco_joints(prediction)).norm(dim=-1)
    assert changed[0, SEAM].mean() > 0.05
    cameras = [one.pred_cam[prediction.valid] for one in (parts, whole)]
    torch.testing.assert_close(*cameras, atol=0.05, rtol=0)


def test_a_clip_of_one_window_is_fitted_in_one_piece(toy_model, video):
    prediction = video[0][:, :SHORT]
    inputs = {name: video[1][name][:, :SHORT] for name in FITTED_INPUTS}
    one, other = (refine(toy_model, prediction, inputs, window=w) for w in (SHORT, FRAMES))
    assert one.body_pose_R.equal(other.body_pose_R) and one.transl_c.equal(other.transl_c)


def test_no_more_frames_than_a_window_are_held(toy_model, video, monkeypatch):
    lengths = []

    class Recorded(keypoint_refiner.FitObjective):
        def __init__(self, prediction, *args):
            lengths.append(prediction.valid.shape[1])
            super().__init__(prediction, *args)

    monkeypatch.setattr(keypoint_refiner, 'FitObjective', Recorded)
    refined = refine(toy_model, *video, window=SHORT)
    assert refined.valid.equal(video[0].valid) and refined.x is None
    assert len(lengths) == 2 and max(lengths) <= SHORT


def test_padding_behind_the_first_window_changes_nothing(toy_model, video):
    prediction, inputs = video
    refined = refine(toy_model, prediction, inputs, window=SHORT)
    assert refined.body_pose_R[1].isfinite().all() and refined.transl_c[1].isfinite().all()
    whole = refine(toy_model, prediction, inputs, window=FRAMES)
    torch.testing.assert_close(
        refined.transl_c[1, :OVERLAP], whole.transl_c[1, :OVERLAP], atol=1e-3, rtol=0
    )


def test_a_window_that_is_too_short(toy_model):
    with pytest.raises(ConfigError, match='`window` of KeypointRefiner should be at least 720'):
        KeypointRefiner(window=700)
