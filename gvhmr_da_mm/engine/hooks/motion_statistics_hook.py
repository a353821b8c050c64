"""Fitting of the motion statistics before training from scratch."""

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from ...codecs import MotionCodec
from ...core.checks import check_at_least
from ...core.errors import ConfigError, DataError
from ...datasets.motion_labels import choose_clips, motion_labels
from ...registry import HOOKS
from ..unwrap import unwrap_model


@HOOKS.register_module()
class MotionStatisticsHook(Hook):
    """Fit mean and standard deviation of the motion vector on synthetic training clips.

    Nothing is fitted if a loaded checkpoint has the statistics, or if the config names a file of
    them. Published weights without their statistics are refused. The first rank reads the clips;
    all ranks get its result. Priority ``NORMAL``, no state.

    Args:
        num_clips (int): Largest number of clips to read. Defaults to 1000.
        seed (int): Seed of the choice of clips. Defaults to 0.
    """

    def __init__(self, num_clips: int = 1000, seed: int = 0) -> None:
        check_at_least(1, num_clips=num_clips)
        self.num_clips = num_clips
        self.seed = seed

    def before_train(self, runner: Runner) -> None:
        """Fit the model's codec unless it has statistics already.

        Raises:
            ConfigError: If published weights were loaded without their statistics.
            DataError: If no training dataset is synthetic.
        """
        model = unwrap_model(runner)
        codec = model.motion_codec
        if bool(codec.fitted):
            return
        if codec.expects_statistics:
            raise ConfigError(
                'the published checkpoint was loaded, which has no motion statistics, and its '
                'weights need those that they were trained with; set `motion_codec.statistics` of '
                'the model to a .npz file with the published `mean` and `std`'
            )
        result = [None]
        if is_main_process():
            result[0] = self._measure(runner, codec)
        broadcast_object_list(result)
        codec.set_statistics(*result[0])

    def _measure(self, runner: Runner, codec: MotionCodec) -> tuple[Tensor, Tensor]:
        dataset = runner.train_dataloader.dataset
        synthetic = dataset.sources.get('synthetic', [])
        indices = [index for source in synthetic for index in range(source.start, source.stop)]
        if not indices:
            raise DataError(
                'the motion statistics cannot be fitted, as no training dataset has the domain '
                "'synthetic'; load a checkpoint, or set `motion_codec.statistics` to a .npz file"
            )
        chosen = choose_clips(indices, self.num_clips, self.seed)
        codec.fit(motion_labels(dataset, chosen, self.seed))
        runner.logger.info(f'Motion statistics fitted on {len(chosen)} clips.')
        return codec.mean.cpu(), codec.std.cpu()
