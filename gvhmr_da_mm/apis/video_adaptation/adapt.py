"""Adaptation of a model to videos in one call."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional, Union

from ...core.checks import check_at_least
from ...engine.hooks.source_free_hook import check_true_motion
from ...registry.arguments import check_fields
from ...video.stage_clock import Report
from ..inferencers import MotionInferencer
from ..inferencers.video_inputs import separate_inputs
from .report import AdaptationReport
from .stages import VideoAdaptation

PathLike = Union[str, Path]
KNOWN = ('people', 'min_frames', 'camera', 'focal', 'fps')
"""What is known of videos; their people's heights, say, teach nothing."""


def adapt(
    model: Optional[PathLike],
    videos: Union[PathLike, Sequence[PathLike]],
    weights: Optional[PathLike] = None,
    out_dir: PathLike = 'adapted',
    seed: int = 0,
    device: Optional[str] = None,
    data_root: Optional[PathLike] = None,
    keypoints: str = 'mediapipe',
    detector: Optional[dict[str, Any]] = None,
    options: Optional[dict[str, Any]] = None,
    progress: Optional[Report] = None,
    **known: Any,
) -> AdaptationReport:
    """Adapt a model to videos without labels, and keep it only if it is better there.

    People are found as by :class:`.MotionInferencer`. A quarter of the stretches of each person is
    held out: source and adapted model are judged on it, by the keypoints, feet that slide, jitter
    and the source's discriminator. Writes into ``out_dir``:

    - ``adapted.pth``: the model that was kept, for ``weights`` of :class:`.MotionInferencer`
    - ``report.json`` and ``report.html``, see :class:`.AdaptationReport`
    - ``<video>.mp4``: held-out stretches before and after

    A second call with the same arguments uses finished stages again, and goes on with an
    interrupted training.

    Args:
        model (str | Path, optional): The source, as for :class:`.MotionInferencer`: a shipped
            model, or the config of ``weights``. None: :data:`.DEFAULT_MODEL`.
        videos (str | Path | list): Videos, see :func:`.list_videos`.
        weights (str | Path, optional): Checkpoint of the source. Defaults to None: that of the
            shipped model.
        out_dir (str | Path): Folder of the results. Defaults to ``'adapted'``.
        seed (int): Seed of the training. Defaults to 0.
        device (str, optional): Defaults to None: a GPU if there is one.
        data_root (str | Path, optional): Folder of the body models. Defaults to None, see
            :func:`.find_body_root`.
        keypoints (str): Detector, as for :class:`.MotionInferencer`. Defaults to ``mediapipe``.
        detector (dict, optional): Its arguments. Defaults to None.
        options (dict, optional): Changes of ``configs/da_own_videos.py`` by dotted key. Defaults to
            None.
        progress (Callable, optional): Is told the progress, see
            :data:`~gvhmr_da_mm.video.stage_clock.Report`. Defaults to None.
        known (Any): ``people``, ``min_frames``, ``camera``, ``focal`` and ``fps``, as for
            :class:`.MotionInferencer`.

    Returns:
        AdaptationReport: What it has brought, and which model was kept.

    Raises:
        CheckpointError: If the source has no discriminator with true motion.
        ConfigError: If an argument is unknown or impossible, or a drawing would replace a video.
        MissingFilesError: If the model does not exist.
        StorageError: If the folder cannot be written.
    """
    check_at_least(0, seed=seed)
    check_fields(known, KNOWN, '`adapt`')
    start = time.perf_counter()
    inferencer = MotionInferencer(model, weights, device, data_root, keypoints, detector)
    if not (options and 'model.critic' in options):
        check_true_motion(inferencer.model.critic)
    adaptation = VideoAdaptation(inferencer, Path(out_dir), seed, options, progress)
    return adaptation(separate_inputs(videos), inferencer.settings(**known), start)
