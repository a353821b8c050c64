"""Drawing of predictions during validation and testing."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner
from mmpose.structures import PoseDataSample

from ...core.checks import check_at_least
from ...core.errors import ConfigError, DataError, MissingFilesError, list_some
from ...registry import HOOKS
from ...structures import sample_inputs
from ...visualization import MotionLocalVisualizer, VideoReader, require_display


@HOOKS.register_module()
class MotionVisualizationHook(Hook):
    """Draw every ``interval``-th sample of validation and test runs.

    The images go to ``<work_dir>/vis/<mode>_iter_<iteration>``, and to the visualizer's backends or
    with ``show`` to a window.
    The runner's visualizer has to be a :class:`MotionLocalVisualizer`. Samples whose video is
    missing are drawn on a dark canvas and named in a warning at the end of the pass. Priority
    ``NORMAL``, no state in checkpoints.

    Args:
        enable (bool): Whether to draw. Defaults to False.
        interval (int): Samples from one drawn sample to the next; the first is drawn. Defaults to
            10.
        max_samples (int): Largest number of images in one pass. Defaults to 8.
        draw_gt (bool): Whether to draw the labels too. Defaults to True.
        draw_bbox (bool): Whether to draw the boxes. Defaults to False.
        video_path (str, optional): Path of the video of a sample, with fields of its metainfo in
            braces, e.g. ``'videos/{dataset}/{sequence}.mp4'``. Defaults to None, a dark canvas for
            all.
        out_dir (str, optional): Folder of the images, below the work dir; None: no files. Defaults
            to ``'vis'``.
        show (bool): Open a window for each image. Defaults to False.
        wait_time (float): Seconds to show a window; 0 waits for a key. Defaults to 0.

    Raises:
        ConfigError: If a number is too small.
    """

    def __init__(
        self,
        enable: bool = False,
        interval: int = 10,
        max_samples: int = 8,
        draw_gt: bool = True,
        draw_bbox: bool = False,
        video_path: Optional[str] = None,
        out_dir: Optional[str] = 'vis',
        show: bool = False,
        wait_time: float = 0.0,
    ) -> None:
        check_at_least(1, interval=interval, max_samples=max_samples)
        check_at_least(0, wait_time=wait_time)
        self.enable = enable
        self.interval = interval
        self.max_samples = max_samples
        self.draw_gt = draw_gt
        self.draw_bbox = draw_bbox
        self.video_path = video_path
        self.out_dir = out_dir
        self.show, self.wait_time = show, wait_time
        self._start_pass()

    def before_run(self, runner: Runner) -> None:
        """Check the visualizer, and that there is a display for windows.

        Raises:
            ConfigError: If the visualizer cannot draw motions, or there is no display.
        """
        if self.enable and not isinstance(runner.visualizer, MotionLocalVisualizer):
            raise ConfigError(
                'MotionVisualizationHook needs `visualizer=dict(type=MotionLocalVisualizer, ...)`, '
                f'got {type(runner.visualizer).__name__}; or set `enable=False`'
            )
        if self.enable and self.show and runner.rank == 0:
            require_display()

    # MMEngine calls these for each split; training draws nothing.
    def _before_epoch(self, runner: Runner, mode: str = 'train') -> None:
        if mode != 'train':
            self._start_pass()

    def _after_epoch(self, runner: Runner, mode: str = 'train') -> None:
        if mode != 'train' and self._missing:
            runner.logger.warning(
                f'{len(self._missing)} of {self._drawn} drawn samples are on a dark canvas: '
                f'{list_some(self._missing, 3, "; ")}. The metrics do not depend on videos'
            )

    def _after_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Optional[dict] = None,
        outputs: Optional[Sequence[PoseDataSample]] = None,
        mode: str = 'train',
    ) -> None:
        if mode != 'train':
            self._draw(runner, mode, data_batch, outputs or ())

    def _start_pass(self) -> None:
        self._seen = self._drawn = 0
        self._missing: list[str] = []

    def _draw(
        self,
        runner: Runner,
        mode: str,
        data_batch: Optional[dict],
        samples: Sequence[PoseDataSample],
    ) -> None:
        # Other ranks have no backends, and would write the same files.
        if not self.enable or runner.rank != 0:
            return
        for index, sample in enumerate(samples):
            wanted = self._seen % self.interval == 0 and self._drawn < self.max_samples
            self._seen += 1
            if not wanted:
                continue
            self._drawn += 1
            # `runner.iter` would build the training loop of a run that only tests.
            loop = runner._train_loop
            step = loop.iter if isinstance(loop, BaseLoop) else 0
            name = re.sub(
                r'[^\w-]+', '-', f'{mode}_{sample.get("dataset")}_{sample.get("sequence")}'
            )
            if sample.get('start'):
                name += f'_{sample.start}'
            out_file = None
            if self.out_dir is not None:
                folder = Path(runner.work_dir) / self.out_dir / f'{mode}_iter_{step}'
                out_file = str(folder / f'{name}.png')
            runner.visualizer.add_datasample(
                name,
                self._video(sample),
                sample,
                draw_gt=self.draw_gt,
                draw_bbox=self.draw_bbox,
                show=self.show,
                wait_time=self.wait_time,
                out_file=out_file,
                step=step,
                inputs=sample_inputs(data_batch, index),
            )

    def _video(self, sample: PoseDataSample) -> Optional[VideoReader]:
        """Open the video of a sample, if there is one."""
        if self.video_path is None:
            return None
        try:
            path = Path(self.video_path.format(**sample.to_dict()))
        except KeyError as error:
            raise ConfigError(
                f'`video_path` {self.video_path!r} names {error}, which is not in the metainfo: '
                f'{sorted(sample.metainfo_keys())}'
            ) from error
        try:
            return VideoReader(path, sample.get('start', 0))
        except (MissingFilesError, DataError) as error:
            # A missing image must not cost the results of a test run.
            self._missing.append(str(error))
            return None
