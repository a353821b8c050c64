"""``pycocotools`` with what MMPose asks of ``xtcocotools`` beyond it."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Optional, Union

import numpy as np
from pycocotools import coco, cocoeval

from ..core.errors import ConfigError

__all__ = ['COCO', 'COCOeval']

IOU_TYPES = ('segm', 'bbox', 'keypoints')
BOX_FILL = 0.53
"""Part of its box that a person fills, where annotations have no area."""


class COCO(coco.COCO):
    """Annotations, each of which has ``iscrowd``.

    Args:
        annotation_file (str, optional): A JSON file of COCO's format. Defaults to None.
    """

    def __init__(self, annotation_file: Optional[str] = None) -> None:
        super().__init__(annotation_file)
        for annotation in self.dataset.get('annotations', ()):
            annotation.setdefault('iscrowd', False)

    def loadRes(self, resFile: Union[str, list, np.ndarray]) -> coco.COCO:
        """Read predictions, of which there may be none.

        Args:
            resFile (str | list | ndarray): A JSON file, or its content.
        """
        if isinstance(resFile, str):
            resFile = json.loads(Path(resFile).read_text(encoding='utf-8'))
        if len(resFile):
            return super().loadRes(resFile)
        nothing = COCO()
        nothing.dataset = dict(self.dataset, annotations=[])
        nothing.createIndex()
        return nothing


class COCOeval(cocoeval.COCOeval):
    """Average precision and recall, for keypoints of any number.

    Args:
        cocoGt (COCO, optional): The annotations. Defaults to None.
        cocoDt (COCO, optional): The predictions. Defaults to None.
        iouType (str): ``'keypoints'``, ``'bbox'`` or ``'segm'``. Defaults to ``'keypoints'``.
        sigmas (array-like, optional): Standard deviation of each keypoint relative to the scale
            of the person. Defaults to COCO's.
        use_area (bool): Take the area of the annotation as the scale squared, and otherwise 0.53
            of its box. Defaults to True.

    Raises:
        ConfigError: If ``iouType`` is one that xtcocotools alone knows.
    """

    def __init__(
        self,
        cocoGt: Optional[coco.COCO] = None,
        cocoDt: Optional[coco.COCO] = None,
        iouType: str = 'keypoints',
        sigmas: Optional[np.ndarray] = None,
        use_area: bool = True,
    ) -> None:
        if iouType not in IOU_TYPES:
            raise ConfigError(
                f'iou_type={iouType!r} should be one of {IOU_TYPES}: pycocotools, which stands in '
                'for xtcocotools, knows no other. On Python 3.10 and 3.11 xtcocotools can be '
                'installed, together with NumPy 1.26'
            )
        super().__init__(cocoGt, cocoDt, iouType)
        if sigmas is not None:
            self.params.kpt_oks_sigmas = np.asarray(sigmas)
        self.use_area = use_area

    def _prepare(self) -> None:
        """Sort annotations and predictions by image and category."""
        if self.params.iouType != 'keypoints':
            super()._prepare()
            return
        self._gts, self._dts = defaultdict(list), defaultdict(list)
        self.evalImgs, self.eval = defaultdict(list), {}
        annotations = self._chosen(self.cocoGt)
        # An id of 0 would read as "matched with none".
        offset = 1 - min((one['id'] for one in annotations), default=1)
        for annotation in annotations:
            one = dict(annotation, id=annotation['id'] + offset)
            one['ignore'] = bool(one['iscrowd']) or not _any_visible(one)
            if not self.use_area or 'area' not in one:
                one['area'] = BOX_FILL * one['bbox'][2] * one['bbox'][3]
            self._gts[one['image_id'], one['category_id']].append(one)
        for one in self._chosen(self.cocoDt):
            if _any_visible(one):
                self._dts[one['image_id'], one['category_id']].append(one)

    def _chosen(self, source: coco.COCO) -> list[dict]:
        """Return the annotations of the images and categories that are asked for."""
        categories = self.params.catIds if self.params.useCats else []
        return source.loadAnns(source.getAnnIds(imgIds=self.params.imgIds, catIds=categories))


def _any_visible(annotation: dict) -> bool:
    """Say whether a keypoint is visible, or predicted with a confidence."""
    return bool(np.any(np.asarray(annotation['keypoints'])[2::3] > 0))
