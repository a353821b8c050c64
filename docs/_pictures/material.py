"""What the pictures show: a run of ``make demo``, and a video that may be shown."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from film import Film
from mmengine.config import Config
from mmengine.runner import find_latest_checkpoint, load_checkpoint

from gvhmr_da_mm import MotionInferencer
from gvhmr_da_mm.apis import load_config
from gvhmr_da_mm.demo import sample_video
from gvhmr_da_mm.engine.safe_loading import safe_checkpoint_loading
from gvhmr_da_mm.models import DomainAdaptiveGVHMR
from gvhmr_da_mm.registry import MODELS
from gvhmr_da_mm.structures import MotionDump, read_motion_dump
from gvhmr_da_mm.visualization import BodyTrack, ground_truth_track, prediction_track
from gvhmr_da_mm.visualization.training_log import TrainingLog, find_logs, read_training_log

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = {'source': 'configs/gvhmr_demo.py', 'adapted': 'configs/da_demo.py'}
"""Of the runs of the demo."""
SHORT_RUN = Path(__file__).with_name('tuning_run.py')
"""Config of the adaptations whose curves are compared."""
FILM_HEIGHT = 600


class Scene(NamedTuple):
    """A predicted clip of the demo, its film and its true body."""

    dump: MotionDump
    prediction: BodyTrack
    truth: BodyTrack
    film: Film

    @property
    def img_shape(self) -> tuple[int, int]:
        """Height and width of the clip, px."""
        return tuple(self.dump.sample.img_shape[:2])

    @property
    def keypoints(self) -> np.ndarray:
        """Detections (F, 17, 3), px."""
        return self.dump.inputs['kp2d'].numpy()


@dataclass
class Material:
    """Sources of all pictures.

    Args:
        demo (Path): Folder of a run of ``make demo``.
        work_dir (Path): Folder for what is recovered.
    """

    demo: Path
    work_dir: Path

    @property
    def data_root(self) -> Path:
        """Data root of the demo."""
        return self.demo / 'data'

    def scene(self, run: str, clip: str) -> Scene:
        """Return a test clip as a run of the demo predicts it.

        Args:
            run (str): ``source`` or ``adapted``.
            clip (str): ``<dataset>/<sequence>``.

        Raises:
            MissingFilesError: If the demo has not been run.
        """
        dump = read_motion_dump(self._predictions(run) / f'{clip}.npz')
        options = dict(data_root=self.data_root, with_mesh=True, K=dump.inputs['K_fullimg'])
        truth = ground_truth_track(dump.sample, **options)
        film = Film(truth, tuple(dump.sample.img_shape[:2]), FILM_HEIGHT)
        return Scene(dump, prediction_track(dump.sample, **options), truth, film)

    def _predictions(self, run: str) -> Path:
        """Return the folder of the predictions of a run, which are made once."""
        folder = self.work_dir / run
        if not (folder / 'index.json').exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a test that was interrupted
            checkpoint = find_latest_checkpoint(str(self.demo / run))
            command = [sys.executable, 'tools/test.py', CONFIGS[run], str(checkpoint)]
            folders = [
                '--data-root',
                str(self.data_root),
                '--work-dir',
                str(self.work_dir / 'test'),
            ]
            subprocess.run([*command, *folders, '--dump', str(folder)], cwd=ROOT, check=True)
        return folder

    def adaptation(self, name: str, options: Mapping[str, Any]) -> TrainingLog:
        """Return the curves of a short adaptation of the demo, which is run once.

        Args:
            name (str): Of its folder.
            options (Mapping[str, Any]): Overrides of the config by dotted key.

        Raises:
            MissingFilesError: If the demo has not been run.
        """
        folder = self.work_dir / 'tuning' / name
        if not any(folder.glob('epoch_*.pth')):
            shutil.rmtree(folder, ignore_errors=True)  # of a run that was interrupted
            source = find_latest_checkpoint(str(self.demo / 'source'))
            command = [sys.executable, 'tools/train.py', str(SHORT_RUN)]
            folders = ['--data-root', str(self.data_root), '--work-dir', str(folder)]
            overrides = [f'{key}={value}' for key, value in options.items()]
            overrides = ['--cfg-options', f'load_from={source}', *overrides]
            subprocess.run([*command, *folders, *overrides], cwd=ROOT, check=True)
        return read_training_log(find_logs(folder))

    def adapted_model(self) -> tuple[Config, DomainAdaptiveGVHMR]:
        """Return the config and the model of the adaptation of the demo."""
        config = load_config(ROOT / CONFIGS['adapted'], data_root=self.data_root)
        model = MODELS.build(config.model)
        checkpoint = find_latest_checkpoint(str(self.demo / 'adapted'))
        with safe_checkpoint_loading():
            load_checkpoint(model, checkpoint, map_location='cpu')
        return config, model

    @cached_property
    def recovered(self) -> Path:
        """Folder of the people of the video, as the default model recovers them."""
        # NOTICE of the pictures has the text of its licence.
        video = sample_video()
        folder = self.work_dir / 'motions' / video.stem
        if not (folder / 'summary.json').exists():
            for _ in MotionInferencer()(video, out_dir=folder.parent):
                pass
        return folder
