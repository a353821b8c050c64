"""The stages of an adaptation to videos."""

import logging
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
from mmengine.config import Config
from mmengine.logging import print_log

from ...core.conventions import FPS
from ...core.errors import ConfigError, GVHMRError
from ...datasets.packs.pack_writer import storage_errors
from ...datasets.sources import signature_of
from ...models.model_zoo import find_checkpoint
from ...structures import MotionDump
from ...version import __version__
from ...video.frame_source import FrameSource
from ...video.resampled_video import ResampledVideo
from ...video.stage_clock import Report, StageClock
from ...visualization import prediction_track
from ...visualization.comparison_video import ComparedPart, write_comparison_video
from ..inferencers import MotionInferencer, RecoverySettings, VideoInput, VideoRecovery, list_videos
from ..inferencers.kept_stages import (
    EARLIER,
    KEPT,
    KeptStages,
    move_file,
    read_record,
    stages_of_adaptation,
)
from ..inferencers.video_inputs import free_name, name_of_input
from ..keypoint_model import KeypointModel, load_keypoint_model
from ..keypoint_model.keypoint_model import STAGES, network_config
from .judging import objections, predict_stretches, reported, score_predictions, standing_feet
from .report import PAGE, REPORT, WEIGHTS, AdaptationReport
from .stretches import Stretch, cut_stretches
from .training import save_weights, train, trained_file, training_config
from .video_pack import write_video_pack

PathLike = Union[str, Path]
NO_VIDEO = 'no video could be used'
Predictions = dict[str, list[MotionDump]]


class VideoAdaptation:
    """The stages of an adaptation, see :func:`.adapt`.

    Args:
        inferencer (MotionInferencer): The source.
        out (Path): Folder of the results.
        seed (int): Seed of the training.
        options (dict, optional): Changes of the config of the training.
        progress (Callable, optional): Is told the progress.
    """

    def __init__(
        self,
        inferencer: MotionInferencer,
        out: Path,
        seed: int,
        options: Optional[dict[str, Any]],
        progress: Optional[Report],
    ) -> None:
        self.source, self.out, self.seed, self.options = inferencer, out, seed, options or {}
        self.progress = progress or (lambda stage, done, total: None)
        self.checkpoint = Path(find_checkpoint(inferencer.facts['model']))
        self.network = network_config(
            self.checkpoint, inferencer.facts['config'] or None, inferencer.data_root
        )
        self.videos: dict[str, dict[str, Any]] = {}
        self.frames: dict[str, FrameSource] = {}

    def __call__(
        self, videos: Sequence[PathLike], settings: RecoverySettings, start: float
    ) -> AdaptationReport:
        """Adapt to videos.

        The result of an earlier run is moved to :attr:`.KeptStages.earlier` once this one fails, or
        begins to write: beside the failure, or half of a new result, it would pass for that.
        """
        try:
            with storage_errors(self.out):
                self.out.mkdir(parents=True, exist_ok=True)
                result = self._adapt(videos, settings, start)
        except Exception:
            with suppress(OSError):
                self._set_aside(videos)
                if self.earlier.is_dir():
                    text = f'{self.out}: what an earlier run left is now in {self.earlier}'
                    print_log(text, 'current', logging.WARNING)
            raise
        shutil.rmtree(self.earlier, ignore_errors=True)
        return result

    def _adapt(
        self, videos: Sequence[PathLike], settings: RecoverySettings, start: float
    ) -> AdaptationReport:
        stretches = self.observe(videos, settings)
        trained = [stretch for stretch in stretches if not stretch.held_out]
        held_out = [stretch for stretch in stretches if stretch.held_out]
        adapted, before, after = None, {}, {}
        reasons = [NO_VIDEO]
        if stretches:
            kept = self.out / KEPT / self._signature(stretches, settings)
            pack = kept / 'pack'
            write_video_pack(pack, trained)
            models = {'before': self.source.model}
            predicted = {'before': self._predict(self.source.model, held_out, kept / 'before')}
            config = self._config(pack, kept / 'training')
            problem = train(config, self.progress)
            reasons = [f'the training was stopped: {problem}'] if problem else []
            if not problem:
                adapted = models['after'] = self._load(config)
                predicted['after'] = self._predict(adapted, held_out, kept / 'after')
            scores = self._score(models, predicted)
            before, after = scores['before'], scores.get('after', {})
            if adapted is not None:
                reasons = objections(before, after)
        self._set_aside(videos)
        pictures = self._draw(held_out, predicted) if stretches else {}
        weights = self.out / WEIGHTS
        better = adapted is not None and not reasons
        if better:
            save_weights(weights, trained_file(config), config.model)
        else:
            save_weights(weights, self.checkpoint, self.network)
        result = AdaptationReport(
            kept='adapted' if better else 'source',
            reasons=reasons,
            before=reported(before) if before else {},
            after=reported(after) if after else {},
            videos=self.videos,
            seconds=round(time.perf_counter() - start, 1),
            weights=str(weights),
            settings=dict(self.source.facts, seed=self.seed, options=self.options),
        )
        result.write(self.out, pictures)
        return result

    def observe(self, videos: Sequence[PathLike], settings: RecoverySettings) -> list[Stretch]:
        """Return the stretches of all videos; what fails is recorded, and the others go on.

        Args:
            videos (Sequence[str | Path]): Videos, see :func:`.list_videos`.
            settings (RecoverySettings): What is known, and how people are found.

        Returns:
            list[Stretch]: To adapt on and to judge by.
        """
        names: set[str] = set()
        found: list[Stretch] = []
        for given in videos:
            try:
                listed = list(list_videos(given, settings.fps, names))
            except GVHMRError as error:
                name = free_name(name_of_input(given), names)
                self.videos[name] = dict(failure=str(error), notes=[])
                continue
            for video in listed:
                found += self._observe(video, settings)
        self._check_films()
        self._set_films_aside(videos)
        return found

    def _observe(self, video: VideoInput, settings: RecoverySettings) -> list[Stretch]:
        facts = self.videos[video.name] = dict(trained_s=0.0, heldout_s=0.0, notes=[])
        stages = KeptStages.below(self.out, stages_of_adaptation(self.out, video.name))
        stages.video.mkdir(parents=True, exist_ok=True)
        clock = StageClock(lambda stage, *done: self.progress(f'{video.name}: {stage}', *done))
        try:
            source = video.open()
            recovery = VideoRecovery(
                self.source.model, settings, {}, '', data_root=self.source.data_root
            )
            seen = recovery.observe(source, video.name, stages, clock)
        except GVHMRError as error:
            facts['failure'] = str(error)
            return []
        stretches, facts['notes'] = cut_stretches(video.name, seen)
        if not stretches:
            facts['failure'] = 'nobody in it can be learned from'
            return []
        self.frames[video.name] = source
        for stretch in stretches:
            key = 'heldout_s' if stretch.held_out else 'trained_s'
            facts[key] = round(facts[key] + len(stretch.clip) / FPS, 1)
        return stretches

    @property
    def earlier(self) -> Path:
        """Folder of the result of an earlier run, where the present one failed."""
        return self.out / KEPT / EARLIER

    def _film(self, name: str) -> Path:
        return self.out / f'{name}.mp4'

    def _set_films_aside(self, given: Sequence[PathLike]) -> None:
        """Move what an earlier run drew of videos that this one does not use."""
        for name, film in self._earlier_films(given):
            if name not in self.frames:
                moved = move_file(film, stages_of_adaptation(self.out, name) / EARLIER)
                text = f'{name} is not used: what an earlier run drew of it is now {moved}'
                print_log(text, 'current', logging.WARNING)

    def _set_aside(self, given: Sequence[PathLike]) -> None:
        """Move the result of an earlier run, but for the checkpoint if that is the source."""
        films = [film for _, film in self._earlier_films(given)]
        # The report, which names the films, is moved last: a kill between leaves none behind.
        for file in (*films, *(self.out / name for name in (WEIGHTS, PAGE, REPORT))):
            if file.is_file() and file.resolve() != self.checkpoint.resolve():
                move_file(file, self.earlier / file.relative_to(self.out).parent)

    def _earlier_films(self, given: Sequence[PathLike]) -> Iterator[tuple[str, Path]]:
        """Yield the videos that an earlier run drew, by name, unless they are given to this one."""
        inputs = {Path(video).resolve() for video in given if isinstance(video, (str, Path))}
        inputs |= {file.resolve() for source in self.frames.values() for file in source.files}
        for name, facts in read_record(self.out / REPORT).get('videos', {}).items():
            film = self._film(name)
            if 'comparison' in facts and film.is_file() and film.resolve() not in inputs:
                yield name, film

    def _check_films(self) -> None:
        """Raise an error if a drawing would replace a video."""
        sources = self.frames.values()
        videos = {file.resolve(): file for source in sources for file in source.files}
        replaced = [
            file for film in map(self._film, self.frames) if (file := videos.get(film.resolve()))
        ]
        if replaced:
            raise ConfigError(
                f'the folder of the results, {str(self.out)!r}, should not be that of the videos: '
                f'a drawing would replace {replaced[0]}; choose another folder'
            )

    def _signature(self, stretches: Sequence[Stretch], settings: RecoverySettings) -> str:
        files = [
            file
            for name, source in self.frames.items()
            for file in (*source.files, *settings.files(name))
        ]
        in_memory = any(not source.files for source in self.frames.values())
        return signature_of(
            [self.checkpoint, *files],
            # Frames in memory have no file by which they could be recognised.
            unique=secrets.token_hex() if in_memory else None,
            names=[stretch.name for stretch in stretches],
            settings=settings.recovery(),
            network=self.network.to_dict(),
            options=self.options,
            seed=self.seed,
            version=__version__,
        )

    def _config(self, pack: Path, work_dir: Path) -> Config:
        return training_config(
            self.checkpoint,
            self.network,
            self.source.data_root,
            pack.absolute(),
            work_dir.absolute(),
            self.seed,
            self.options,
        )

    def _load(self, config: Config) -> KeypointModel:
        loaded = load_keypoint_model(trained_file(config), data_root=self.source.data_root)
        return loaded.to(self.source.device)

    def _predict(
        self, model: KeypointModel, stretches: Sequence[Stretch], folder: Path
    ) -> Predictions:
        clock = StageClock(self.progress)
        shown = clock.iterate(f'judge {folder.name}', stretches, len(stretches))
        return predict_stretches(model, shown, folder)

    def _score(
        self, models: dict[str, KeypointModel], predicted: dict[str, Predictions]
    ) -> dict[str, Any]:
        # One judge for both: the discriminator of the source.
        critic = self.source.model.critic
        standing = {
            stage: standing_feet([by_stage[stage] for by_stage in predicted.values()])
            for stage in STAGES
        }
        return {
            when: {
                stage: score_predictions(models[when], dumps, standing[stage], critic)
                for stage, dumps in by_stage.items()
            }
            for when, by_stage in predicted.items()
        }

    def _draw(
        self, stretches: Sequence[Stretch], predicted: dict[str, Predictions]
    ) -> dict[str, np.ndarray]:
        """Draw the held-out stretches of each video, and return a picture of each."""
        pictures, clock = {}, StageClock(self.progress)
        for name, source in self.frames.items():
            parts = [
                ComparedPart(
                    stretch.clip.start,
                    stretch.person,
                    stretch.clip.kp2d.numpy(),
                    {
                        f'{when}, {stage}': prediction_track(
                            dumps[stage][number].sample,
                            self.source.data_root,
                            with_mesh=True,
                            K=stretch.clip.K_fullimg,
                        )
                        for stage in STAGES
                        for when, dumps in predicted.items()
                    },
                )
                for number, stretch in enumerate(stretches)
                if stretch.video == name
            ]
            file = self._film(name)
            width, height = source.img_wh
            picture = write_comparison_video(
                file,
                parts,
                (height, width),
                ResampledVideo(source),
                progress=lambda items: clock.iterate('draw', items, len(items)),
            )
            self.videos[name]['comparison'] = file.relative_to(self.out).as_posix()
            if picture is not None:
                pictures[name] = picture
        return pictures
