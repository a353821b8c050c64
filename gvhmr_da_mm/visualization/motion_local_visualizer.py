"""MMEngine visualizer of motions."""

from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
import torch
from mmengine.dist import master_only
from mmengine.visualization import Visualizer
from mmpose.structures import PoseDataSample

from ..core.errors import DataError
from ..registry import VISUALIZERS
from .body_track import ground_truth_track, prediction_track
from .contact_sheet import FrameSource, draw_contact_sheet
from .picture_file import write_picture


@VISUALIZERS.register_module()
class MotionLocalVisualizer(Visualizer):
    """Draw samples as contact sheets: the body on video frames, the motion in the world below.

    It draws on the CPU without a display, for every MMEngine backend. With a ``data_root`` in its
    config, the ``--data-root`` option of the tools sets it.

    Args:
        name (str): Name of the instance. Defaults to ``'visualizer'``.
        image (np.ndarray, optional): As in MMEngine.
        vis_backends (list[dict], optional): As in MMEngine.
        save_dir (str, optional): As in MMEngine.
        data_root (str | Path, optional): Data root of the body models. Defaults to None: that of
            the environment.
        draw_mesh (bool): Draw meshes in addition to skeletons. Defaults to True.
        num_frames (int): Frames per sheet. Defaults to 5.
        tile_size (int): Side of a tile in px. Defaults to 280.
        follow (bool): Crop each tile to the person, not the whole frame. Defaults to True.
        kwargs: Other arguments of MMEngine's visualizer.
    """

    def __init__(
        self,
        name: str = 'visualizer',
        image: Optional[np.ndarray] = None,
        vis_backends: Optional[list] = None,
        save_dir: Optional[str] = None,
        data_root: Optional[Union[str, Path]] = None,
        draw_mesh: bool = True,
        num_frames: int = 5,
        tile_size: int = 280,
        follow: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, image, vis_backends, save_dir, **kwargs)
        self.data_root = data_root
        self.draw_mesh = draw_mesh
        self.num_frames = num_frames
        self.tile_size = tile_size
        self.follow = follow

    @master_only
    def add_datasample(
        self,
        name: str,
        image: FrameSource,
        data_sample: PoseDataSample,
        draw_gt: bool = True,
        draw_pred: bool = True,
        draw_bbox: bool = False,
        show: bool = False,
        wait_time: float = 0,
        out_file: Optional[str] = None,
        step: int = 0,
        inputs: Optional[dict[str, Any]] = None,
    ) -> None:
        """Draw a sample; show it or add it to all backends, and optionally write it to a file.

        Args:
            name (str): Identifier of the image, the file name in backends.
            image (FrameSource): RGB images of the video: one, one per frame, a function of the
                frame number in the sample, or None for a dark canvas.
            data_sample (PoseDataSample): With ``pred_instances``, ``gt_instances`` or both.
            draw_gt (bool): Draw the labels if there are any. Defaults to True.
            draw_pred (bool): Draw the prediction if there is one. Defaults to True.
            draw_bbox (bool): Draw the input box of the model; needs ``inputs``. Defaults to
                False.
            show (bool): Open a window instead of writing to the backends. Defaults to False.
            wait_time (float): Seconds to show the window; 0 waits for a key. Defaults to 0.
            out_file (str, optional): File to write the image to, too. Defaults to None.
            step (int): Global step for the backends. Defaults to 0.
            inputs (dict, optional): Inputs of the sample, without batch dimension; ``K_fullimg``,
                ``kp2d`` and ``bbx_xys`` are used. Defaults to None: K is estimated.
        """
        sheet = self.draw_datasample(data_sample, image, draw_gt, draw_pred, draw_bbox, inputs)
        # Not set_image: MMEngine's matplotlib canvas is slow for large images, and unused here.
        self._image = sheet
        if show:
            self.show(sheet, win_name=name, wait_time=wait_time)
        else:
            self.add_image(name, sheet, step)
        if out_file is not None:
            write_picture(out_file, sheet)

    def draw_datasample(
        self,
        data_sample: PoseDataSample,
        image: FrameSource = None,
        draw_gt: bool = True,
        draw_pred: bool = True,
        draw_bbox: bool = False,
        inputs: Optional[dict[str, Any]] = None,
    ) -> np.ndarray:
        """Draw a sample; the arguments are those of :meth:`add_datasample`.

        Returns:
            np.ndarray: RGB image (h, w, 3), uint8.

        Raises:
            DataError: If the sample has nothing to draw or lacks a field.
        """
        inputs = inputs or {}
        options = dict(
            data_root=self.data_root, with_mesh=self.draw_mesh, K=inputs.get('K_fullimg')
        )
        prediction = ground_truth = None
        if draw_pred and 'pred_instances' in data_sample:
            prediction = prediction_track(data_sample, **options)
        if draw_gt:
            ground_truth = ground_truth_track(data_sample, **options)
        sequence = data_sample.get('sequence', 'sequence')
        if prediction is None and ground_truth is None:
            raise DataError(
                f'there is nothing to draw in sample {sequence!r}: it has neither `pred_instances` '
                'nor `gt_instances`, or `draw_pred` and `draw_gt` disable them'
            )
        if 'img_shape' not in data_sample:
            raise DataError(
                f'to draw sample {sequence!r} its metainfo should have `img_shape` (height, width)'
            )
        length = len(prediction if prediction is not None else ground_truth)
        keypoints = _per_frame(inputs, 'kp2d', length)
        return draw_contact_sheet(
            title='  '.join(
                str(data_sample.get(key)) for key in ('dataset', 'sequence') if key in data_sample
            ),
            img_shape=tuple(data_sample.img_shape[:2]),
            prediction=prediction,
            ground_truth=ground_truth,
            frames=image,
            keypoints=keypoints,
            bbox_xys=_per_frame(inputs, 'bbx_xys', length) if draw_bbox else None,
            num_frames=self.num_frames,
            tile_size=self.tile_size,
            follow=self.follow,
        )


def _per_frame(inputs: dict[str, Any], key: str, length: int) -> Optional[np.ndarray]:
    """Return an input as an array of ``length`` frames, without padding."""
    if inputs.get(key) is None:
        return None
    return torch.as_tensor(inputs[key]).detach().cpu().numpy()[:length]
