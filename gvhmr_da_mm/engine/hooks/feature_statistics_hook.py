"""Fits the alignment of image features before training."""

import numpy as np
from mmengine.dist import broadcast, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor
from torch.utils.data import Dataset

from ...core.errors import ConfigError
from ...datasets import ClipKey
from ...models.adaptation import FeatureAlignment
from ...registry import HOOKS
from ..unwrap import unwrap_model


@HOOKS.register_module()
class FeatureStatisticsHook(Hook):
    """Measure image features of both domains on training clips, without labels.

    Nothing happens if the model has no feature alignment, if its statistics came with the
    checkpoint and ``refit`` is off, or if a domain has no clips. All ranks get the result of the
    first. Priority ``NORMAL``, no state.

    Args:
        num_clips (int): Clips of each dataset to read at most. Defaults to 500.
        seed (int): Chooses the clips. Defaults to 0.
        refit (bool): Measure again even if the checkpoint has statistics. Defaults to False.
    """

    def __init__(self, num_clips: int = 500, seed: int = 0, refit: bool = False) -> None:
        if num_clips < 1:
            raise ConfigError(f'`num_clips` should be at least 1, got {num_clips}')
        self.num_clips = num_clips
        self.seed = seed
        self.refit = refit

    def before_train(self, runner: Runner) -> None:
        """Fit the model's feature alignment."""
        model = unwrap_model(runner)
        alignment = getattr(model, 'feature_alignment', None)
        if alignment is None or (bool(alignment.fitted) and not self.refit):
            return
        if is_main_process():
            self._fit(runner, alignment)
        for buffer in alignment.buffers():
            broadcast(buffer)

    def _fit(self, runner: Runner, alignment: FeatureAlignment) -> None:
        dataset = runner.train_dataloader.dataset
        domains = {
            name: self._features(dataset, dataset.sources.get(name, []))
            for name in ('synthetic', 'real')
        }
        if all(domains.values()):
            alignment.fit(**domains)
            counts = ', '.join(f'{len(clips)} {name}' for name, clips in domains.items())
            runner.logger.info(f'Image features aligned ({alignment.mode}): {counts} clips.')

    def _features(self, dataset: Dataset, sources: list) -> list[Tensor]:
        """Read the valid features of some clips of each source."""
        clips = []
        for source in sources:
            rng = np.random.default_rng(self.seed)
            indices = rng.permutation(np.arange(source.start, source.stop))[: self.num_clips]
            for index in indices:
                inputs = dataset[ClipKey(int(index), self.seed)]['inputs']
                if inputs['has_imgfeat']:
                    clips.append(inputs['f_imgseq'][inputs['valid']])
        return clips
