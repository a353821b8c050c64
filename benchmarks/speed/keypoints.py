"""Videos predicted from keypoints alone by the small network, with all steps at test time.

Each case is one person in 120 frames, 4 s: with the flip test and post-processing of the config,
and in `_fitted` with the fit to the keypoints. Weights are random, which costs as much as others.
There is no plain way to compare with.
"""

from functools import partial

from torch import Tensor

from benchmarks.speed.case import Case, Pair, Settings
from benchmarks.speed.mocap import RECORDINGS
from benchmarks.speed.models import full_config, full_model
from gvhmr_da_mm.apis.keypoint_model import KeypointModel
from gvhmr_da_mm.datasets import AMASSDataset

CONFIG = 'gvhmr_keypoints_s.py'
FRAMES = 120


def video(settings: Settings, stage: str) -> Pair:
    """Predict a video; ``stage`` is one of :data:`~gvhmr_da_mm.apis.keypoint_model.STAGES`."""
    test_cfg = full_config(CONFIG, settings).model.test_cfg
    model = KeypointModel(full_model(CONFIG, settings), test_cfg)
    dataset = AMASSDataset(
        settings.data_root, motions=RECORDINGS, up='y', min_len=FRAMES, min_frames=FRAMES
    )
    clip = dataset.read_clip(dataset.get_data_info(0), 0, FRAMES)
    clip.kp2d = model.detect(clip, seed=0)

    def predict() -> Tensor:
        return model.predict(clip, stage).pred_instances.body_pose

    return Pair(predict)


def cases() -> list[Case]:
    """Return the cases of this family."""
    return [
        Case('keypoint_video', partial(video, stage='network')),
        Case('keypoint_video_fitted', partial(video, stage='fitted')),
    ]
