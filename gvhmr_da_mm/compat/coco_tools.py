"""``pycocotools``, extended by the features of ``xtcocotools`` that MMPose uses."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Optional, Union

import numpy as np
from pycocotools import coco, cocoeval

from ..core.errors import ConfigError

__all__ = ['COCO', 'COCOeval']

IOU_TYPES = ('segm', 'bbox', 'keypoints')
PERSON_TO_BOX_AREA = 0.53
"""Area of a person relative to the box, where annotations have no area."""


class COCO(coco.COCO):
    """COCO annotations; ``iscrowd`` is False where the file has none.

    Args:
        annotation_file (str, optional): A JSON file of COCO's format. Defaults to None.
    """

    def __init__(self, annotation_file: Optional[str] = None) -> None:
        super().__init__(annotation_file)
        for annotation in self.dataset.get('annotations', ()):
            annotation.setdefault('iscrowd', False)

    def loadRes(self, resFile: Union[str, list, np.ndarray]) -> coco.COCO:
        """Read predictions; an empty list is allowed, unlike in ``pycocotools``.

        Args:
            resFile (str | list | ndarray): A JSON file, or its content.
        """
        if isinstance(resFile, str):
            resFile = json.loads(Path(resFile).read_text(encoding='utf-8'))
        if len(resFile):
            return super().loadRes(resFile)
        empty = COCO()
        empty.dataset = dict(self.dataset, annotations=[])
        empty.createIndex()
        return empty


class COCOeval(cocoeval.COCOeval):
    """Average precision and recall for any number of keypoints.

    Args:
        cocoGt (COCO, optional): The annotations. Defaults to None.
        cocoDt (COCO, optional): The predictions. Defaults to None.
        iouType (str): ``'keypoints'``, ``'bbox'`` or ``'segm'``. Defaults to ``'keypoints'``.
        sigmas (array-like, optional): Standard deviation of each keypoint relative to the scale
            of the person. Defaults to COCO's.
        use_area (bool): Whether the squared scale is the annotated area; otherwise it is 0.53
            times the area of the box. Defaults to True.

    Raises:
        ConfigError: If only xtcocotools supports ``iouType``.
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
                f'`iou_type` should be one of {IOU_TYPES}, got {iouType!r}: pycocotools, which '
                'replaces xtcocotools here, supports no other. On Python 3.10 and 3.11 install '
                'xtcocotools together with NumPy 1.26'
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
        annotations = self._selected(self.cocoGt)
        # pycocotools takes an id of 0 for "not matched".
        offset = 1 - min((one['id'] for one in annotations), default=1)
        for annotation in annotations:
            one = dict(annotation, id=annotation['id'] + offset)
            one['ignore'] = bool(one['iscrowd']) or not _any_visible(one)
            if not self.use_area or 'area' not in one:
                one['area'] = PERSON_TO_BOX_AREA * one['bbox'][2] * one['bbox'][3]
            self._gts[one['image_id'], one['category_id']].append(one)
        for one in self._selected(self.cocoDt):
            if _any_visible(one):
                self._dts[one['image_id'], one['category_id']].append(one)

    def _selected(self, source: coco.COCO) -> list[dict]:
        """Return the annotations of the images and categories in ``params``."""
        categories = self.params.catIds if self.params.useCats else []
        return source.loadAnns(source.getAnnIds(imgIds=self.params.imgIds, catIds=categories))


def _any_visible(annotation: dict) -> bool:
    """Return whether any keypoint is visible, or has a positive predicted score."""
    return bool(np.any(np.asarray(annotation['keypoints'])[2::3] > 0))
