"""Logging of the student's learning rate and of the domains' datasets."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from ...core.errors import ConfigError
from ...registry import HOOKS


@HOOKS.register_module()
class DomainMonitorHook(Hook):
    """Log ``lr`` of the student, and the datasets of each domain.

    With two optimisers MMEngine logs ``model.lr`` and ``discriminator.lr`` only. At the start the
    hook also warns about transductive training, on the inputs of test clips. Priority ``NORMAL``,
    no state.

    Args:
        optimizer (str): Key of the student's optimiser. Defaults to ``'model'``.
    """

    def __init__(self, optimizer: str = 'model') -> None:
        self.optimizer = optimizer

    def before_train(self, runner: Runner) -> None:
        """Log the datasets of each domain, and warn about transductive training."""
        dataset = runner.train_dataloader.dataset
        meta = getattr(dataset, 'metainfo', {})
        if meta.get('transductive'):
            runner.logger.warning(
                'transductive: inputs of test clips (never their labels) are training data; '
                'report results as such.'
            )
        for domain, sources in getattr(dataset, 'sources', {}).items():
            listed = ', '.join(f'{s.name} ({s.stop - s.start} clips)' for s in sources)
            runner.logger.info(f'{domain} domain: {listed}')

    def before_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Log the student's learning rate as ``lr``."""
        rates = runner.optim_wrapper.get_lr()
        rate = rates.get(f'{self.optimizer}.lr', rates.get('lr'))
        if rate is None:
            raise ConfigError(
                f'`optimizer` of DomainMonitorHook is {self.optimizer!r}, but the optimisers are '
                f'{sorted(rates)}'
            )
        runner.message_hub.update_scalar('train/lr', rate[0])
