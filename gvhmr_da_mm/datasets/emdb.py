"""EMDB: real outdoor and indoor video with a moving camera."""

from pathlib import Path
from typing import Union

import torch
from torch import Tensor

from ..body_models.loading import body_model_file
from ..core.checks import check_choice
from ..core.errors import ConfigError
from ..core.rotation import quaternion_to_matrix
from ..registry import DATASETS
from .labels import converted_training_labels
from .real_video_dataset import RealVideoDataset
from .sources import EMDBSource, SequenceInfo, SequenceReader
from .splits import EMDB_TEST_PREFIXES


def _runs(mask: Tensor) -> list[tuple[int, int]]:
    """Return the runs [start, end) of True."""
    edges = torch.diff(mask.int(), prepend=torch.zeros(1), append=torch.zeros(1))
    starts, ends = (edges == 1).nonzero()[:, 0], (edges == -1).nonzero()[:, 0]
    return list(zip(starts.tolist(), ends.tolist()))


@DATASETS.register_module()
class EMDBDataset(RealVideoDataset):
    """EMDB (Kaufmann et al., ICCV 2023).

    EMDB has no official training split: ``train`` is all sequences that are in neither EMDB-1
    nor EMDB-2. With ``real_supervision='labels'`` the gendered SMPL labels become neutral SMPL-X
    ones (see :mod:`~gvhmr_da_mm.body_models.body_conversion`), on frames whose labels are good.

    Args:
        split (str): ``train``, ``emdb1`` or ``emdb2``. Defaults to ``train``.
        camera (str): Source of the camera's rotation: ``true``, or ``dpvo`` (estimated). Defaults
            to ``true``, as in the published evaluation.
        intrinsics (str): As :class:`SourceDataset`. Defaults to ``estimated``, as in the published
            evaluation.
        kwargs: As :class:`RealVideoDataset`.
    """

    SOURCE = EMDBSource
    TEST_SPLITS = ('emdb1', 'emdb2')

    def __init__(
        self,
        *args,
        split: str = 'train',
        camera: str = 'true',
        intrinsics: str = 'estimated',
        **kwargs,
    ) -> None:
        check_choice(camera, ('true', 'dpvo'), 'camera')
        self.camera = camera
        kwargs.setdefault('dataset', 'emdb_train' if split == 'train' else split)
        super().__init__(*args, split=split, intrinsics=intrinsics, **kwargs)

    @property
    def uses(self) -> tuple[str, ...]:
        """As the base, and ``odometry`` for estimated cameras."""
        return super().uses + (('odometry',) if self.camera == 'dpvo' else ())

    def required_files(self) -> dict[Union[str, Path], str]:
        """Return the files of the base, and the body models that convert labels."""
        files = super().required_files()
        for kind, gender in (('smpl', 'male'), ('smpl', 'female'), ('smplx', 'neutral')):
            if self.labelled_training:
                path, hint = body_model_file(kind, gender, self.data_root)
                files[path] = hint
        return files

    def check_test_split(self, infos: list[SequenceInfo]) -> None:
        """Warn if sequences of the test set are missing."""
        prefixes = EMDB_TEST_PREFIXES.get(self.split, ())
        absent = [p for p in prefixes if not any(info.name.startswith(p) for info in infos)]
        if absent and infos:
            self._warn_once(
                'incomplete',
                f'{len(absent)} of its {len(prefixes)} sequences are not in {self.location}: '
                f'{", ".join(absent)}. Scores cannot be compared with published ones',
            )

    def empty(self) -> Exception:
        """Return the error for a split without a sequence."""
        if self.split != 'train':
            return super().empty()
        return ConfigError(
            f'{self.dataset}: the training split of EMDB is empty, as all '
            f'{len(self.source.sequences())} sequences of {self.location} are test sequences '
            '(EMDB-1 and EMDB-2). Either convert the raw EMDB download to the same format, as it '
            'has more sequences, or set `transductive=True` to adapt on the inputs of the test '
            'clips, and report it with your results'
        )

    def label_ranges(self, reader: SequenceReader) -> list[tuple[int, int]]:
        """Return the runs of frames whose labels are good."""
        first, end = reader.limits
        runs = _runs(reader.values('mask', first, end))
        return [(first + start, first + stop) for start, stop in runs]

    def camera_rotation(self, reader: SequenceReader, start: int, end: int) -> Tensor:
        """Return the true rotation of the camera (L, 3, 3), or the estimated one."""
        if self.camera == 'true':
            return super().camera_rotation(reader, start, end)
        quaternion_xyzw = reader.rows('dpvo_poses', start, end)[:, 3:]
        return quaternion_to_matrix(quaternion_xyzw[:, [3, 0, 1, 2]]).mT

    def read_train_labels(self, reader: SequenceReader, start: int, end: int) -> tuple[dict, str]:
        """Read the labels as neutral SMPL-X; the world is y up, so supervision is full."""
        return converted_training_labels(reader, start, end, self.data_root), 'full'
