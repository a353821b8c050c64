"""Quality of the pseudo-label filter: how confidences separate good labels from bad ones.

The labels of real clips are read here, after training, to measure the filter only.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from torch import Tensor

from benchmarks.adaptation.score_quality import summarise_points
from gvhmr_da_mm.datasets import MotionDataset
from gvhmr_da_mm.datasets.clip import pack_clip
from gvhmr_da_mm.evaluation.functional import mpjpe, pa_mpjpe
from gvhmr_da_mm.models import DomainAdaptiveGVHMR
from gvhmr_da_mm.models.adaptation import PseudoLabels
from gvhmr_da_mm.registry import DATASETS

BATCH_SIZE = 16
KEEP_ALL_THRESHOLD = -1.0
"""Below every confidence."""
Windows = list[tuple[dict, int, int]]


def measure_filter(
    model: DomainAdaptiveGVHMR, datasets: Sequence[Mapping[str, Any]], clips: int
) -> dict[str, Any]:
    """Measure the filter of a trained model on the unlabelled training clips.

    Args:
        model (DomainAdaptiveGVHMR): Trained; its present threshold is used.
        datasets (Sequence[Mapping]): Configs of the real training datasets.
        clips (int): Windows of each dataset at most, spread evenly over it.

    Returns:
        dict[str, Any]: ``combined`` (see
        :func:`~.score_quality.score_quality`; errors are PA-MPJPE in mm),
        ``combined_mpjpe`` (the same for root-relative MPJPE), ``sources`` and ``datasets`` (the
        same by source of confidence and by dataset), ``threshold``, ``clips`` and ``points``, which
        holds every clip's values.
    """
    model.eval()
    points: dict[str, list] = {}
    for config in datasets:
        unlabelled = DATASETS.build(dict(config))
        labelled = DATASETS.build(
            {
                **config,
                'real_supervision': 'labels',
                'transductive': False,
                'on_bad_sample': 'error',
            }
        )
        windows = choose_windows(labelled, clips)
        for first in range(0, len(windows), BATCH_SIZE):
            batch = windows[first : first + BATCH_SIZE]
            rows = _measure(model, unlabelled, labelled, batch)
            for name, values in rows.items():
                points.setdefault(name, []).extend(values)
    return dict(
        summarise_points(points),
        threshold=float(model.pseudo_labeler.threshold),
        clips=len(points['confidence']),
        points=points,
    )


def choose_windows(labelled: MotionDataset, clips: int) -> Windows:
    """Cut the labelled parts of a dataset into windows, and select some evenly.

    Args:
        labelled (MotionDataset): The dataset with labels.
        clips (int): Windows at most.

    Returns:
        list[tuple[dict, int, int]]: Entry of the clip, first frame, one past the last.
    """
    labelled.full_init()
    parts = {}
    for index in range(len(labelled)):
        info = labelled.get_data_info(index)
        parts[info['sequence'], info['start'], info['end']] = info
    length = labelled.max_len
    windows = [
        (info, start, min(start + length, end))
        for (_, first, end), info in parts.items()
        for start in range(first, end, length)
        if min(start + length, end) - start >= labelled.min_frames
    ]
    chosen = np.linspace(0, len(windows) - 1, num=min(clips, len(windows))).round().astype(int)
    return [windows[index] for index in chosen]


def _measure(
    model: DomainAdaptiveGVHMR, unlabelled: MotionDataset, labelled: MotionDataset, windows: Windows
) -> dict[str, list]:
    """Return confidences, scores and label errors of some windows."""
    data = pseudo_collate(list(_items(unlabelled, windows)))
    inputs = model.data_preprocessor(data)['inputs']
    all_labels = _pseudo_label(model, inputs, KEEP_ALL_THRESHOLD)
    kept_labels = _pseudo_label(model, inputs, model.pseudo_labeler.threshold)
    truth = _true_joints(model, labelled, windows)
    errors = [_errors(model, labels, truth, inputs) for labels in (all_labels, kept_labels)]
    keep = kept_labels.keep.tolist()
    scores = _scores(all_labels)
    return dict(
        dataset=[unlabelled.dataset] * len(windows),
        sequence=[info['sequence'] for info, _, _ in windows],
        start=[start for _, start, _ in windows],
        keep=keep,
        confidence=all_labels.confidence.tolist(),
        # Of the label as it is trained on; of dropped clips, of the label from all candidates.
        pa_mpjpe=[errors[kept]['pa_mpjpe'][index] for index, kept in enumerate(keep)],
        mpjpe=[errors[kept]['mpjpe'][index] for index, kept in enumerate(keep)],
        **{f'score_{name}': value.tolist() for name, value in scores.items()},
    )


def _items(dataset: MotionDataset, windows: Windows) -> Iterator[dict]:
    for info, start, end in windows:
        clip = dataset.read_clip(info, start, end)
        yield pack_clip(
            clip,
            dataset=dataset.dataset,
            domain=dataset.domain,
            max_len=dataset.max_len,
            flip_features=dataset.flip_features,
        )


def _pseudo_label(
    model: DomainAdaptiveGVHMR, inputs: dict[str, Tensor], threshold: float
) -> PseudoLabels:
    """Make pseudo-labels as training does, with the same random views every time."""
    before = model.pseudo_labeler.threshold
    model.pseudo_labeler.threshold = threshold
    torch.manual_seed(0)
    try:
        return model.pseudo_label(inputs)
    finally:
        model.pseudo_labeler.threshold = before


def _scores(labels: PseudoLabels) -> dict[str, Tensor]:
    """Return the mean score (B,) over the views of each source; NaN where it has no evidence."""
    return {
        name: score.masked_fill(~evidence, float('nan')).nanmean(dim=0)
        for name, (score, evidence) in labels.scores.items()
    }


def _true_joints(
    model: DomainAdaptiveGVHMR, labelled: MotionDataset, windows: Windows
) -> list[Tensor]:
    """Return the true joints (F, 22, 3) of each window in the camera."""
    body = model.student.body_model
    joints = []
    for info, start, end in windows:
        labels = labelled.read_clip(info, start, end).labels
        names = ('body_pose', 'betas', 'global_orient_c', 'transl_c')
        joints.append(body.fk(*(labels[name] for name in names)))
    return joints


@torch.no_grad()
def _errors(
    model: DomainAdaptiveGVHMR, labels: PseudoLabels, truth: list[Tensor], inputs: dict[str, Tensor]
) -> dict[str, list[float]]:
    """Return the mean errors of each window's label, mm."""
    predicted = model.student.body_model.fk_matrices(*labels.prediction.camera_pose)
    errors: dict[str, list[float]] = dict(pa_mpjpe=[], mpjpe=[])
    for index, target in enumerate(truth):
        joints = predicted[index][inputs['valid'][index]].to(target)
        errors['pa_mpjpe'].append(float(pa_mpjpe(joints, target).mean()))
        errors['mpjpe'].append(float(mpjpe(joints, target, pelvis=(0,)).mean()))
    return errors
