"""Interactive pages of results beside the labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional, Union

import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from ...body_models import get_body_model
from ...core.errors import ConfigError, DataError, list_some
from ...evaluation import matched_samples
from ...evaluation.matched_samples import MIN_OVERLAP
from ...export import read_result
from ...structures import MotionDump
from ...visualization import write_html_viewer
from .found_people import found_people
from .labelled_videos import LabelledPerson, LabelledVideos
from .result_files import result_files

PathLike = Union[str, Path]


@torch.no_grad()
def write_score_pages(
    page: PathLike,
    path: PathLike,
    against: PathLike,
    sequences: Optional[Sequence[str]] = None,
    data_root: Optional[PathLike] = None,
    fps: Optional[float] = None,
    up: Optional[str] = None,
    min_overlap: float = MIN_OVERLAP,
) -> list[Path]:
    """Write a page for each labelled person of a video, with the tracks that lie on them.

    Args:
        page (str | Path): The file, ending in ``.html``; of several people each gets
            ``<name>_<sequence>.html``.
        path (str | Path): As for :func:`score_results`, like the following arguments.
        against (str | Path): As there.
        sequences (Sequence[str], optional): As there.
        data_root (str | Path, optional): As there.
        fps (float, optional): As there.
        up (str, optional): As there.
        min_overlap (float): As there.

    Returns:
        list[Path]: The pages.

    Raises:
        ConfigError: If the result is of several videos.
        DataError: If the result is not in the camera and the world.
    """
    labelled, page = LabelledVideos(against, data_root), Path(page)
    files = result_files(Path(path), labelled, sequences)
    if len(files) != 1:
        raise ConfigError(f'a page is of one video, got {len(files)}: name one by `sequence`')
    ((video, file),) = files.items()
    if file is None:
        raise ConfigError(f'there is no result of {video} in {path}')
    people = labelled.people(video)
    found = found_people(read_result(file, fps, up), people, data_root, to_smplx=True)
    body = get_body_model('smplx', data_root=data_root)
    for person in found:
        missing = [name for name in ('transl_c', 'transl_w') if name not in person.fields]
        if missing:
            raise DataError(f'{file} should be in the camera and in the world, lacks {missing}')
        names = ('body_pose', 'betas', 'global_orient_c', 'transl_c')
        person.fields['keypoints'] = body.fk(*(person.fields[name] for name in names))
    matched = matched_samples(
        [dict(person.sample, dataset=labelled.dataset) for person in people],
        [person.boxes for person in people],
        found,
        min_overlap,
    )
    pages = []
    for sample, person in zip(matched, people):
        name = page
        if len(people) > 1:
            name = page.with_name(f'{page.stem}_{sample["sequence"]}{page.suffix}')
        pages.append(write_html_viewer(name, _dump(sample, person), data_root))
    return pages


def _dump(sample: dict[str, Any], person: LabelledPerson) -> MotionDump:
    """Return a matched sample as a predicted sequence; frames without a match are not drawn."""
    predicted = dict(sample['pred_instances'])
    matched = predicted.pop('matched')
    if not matched.any():
        raise DataError(f'no track of the result lies on {list_some([sample["sequence"]])}')
    predicted['keypoints'] = predicted['keypoints'].clone()
    predicted['keypoints'][~matched] = torch.nan
    metainfo = {
        name: value
        for name, value in sample.items()
        if name not in ('gt_instances', 'pred_instances')
    }
    packed = PoseDataSample(metainfo=dict(metainfo, img_shape=person.img_wh[::-1]))
    packed.pred_instances = InstanceData(**predicted)
    packed.gt_instances = InstanceData(**sample['gt_instances'])
    return MotionDump(packed, dict(K_fullimg=sample['gt_instances']['K_fullimg']))
