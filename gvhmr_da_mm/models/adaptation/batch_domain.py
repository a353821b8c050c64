"""Domain and labels of a batch."""

from mmpose.structures import PoseDataSample
from torch import Tensor

from ...core.errors import DataError

Samples = list[PoseDataSample]


def single_domain(data_samples: Samples) -> str:
    """Return the domain of a batch.

    Args:
        data_samples (list[PoseDataSample]): The batch.

    Returns:
        str: ``'synthetic'`` or ``'real'``.

    Raises:
        DataError: If the batch mixes domains.
    """
    domains = {sample.domain for sample in data_samples}
    if len(domains) != 1:
        raise DataError(
            f'a batch should hold clips of one domain, got {sorted(domains)}; use '
            '`batch_sampler=dict(type=AlternatingMultiSourceSampler)` in the train dataloader'
        )
    return domains.pop()


def all_labelled(data_samples: Samples) -> bool:
    """Return whether the clips of a batch have labels (``real_supervision='labels'``).

    Args:
        data_samples (list[PoseDataSample]): The batch.

    Returns:
        bool: Whether all have.

    Raises:
        DataError: If only some have labels.
    """
    labelled = [sample.dataset for sample in data_samples if 'gt_instances' in sample]
    if labelled and len(labelled) < len(data_samples):
        raise DataError(
            f'a real batch holds clips with labels ({sorted(set(labelled))}) and without; use the '
            'same `real_supervision` for all real datasets'
        )
    return bool(labelled)


def named_losses(domain: str, losses: dict[str, Tensor]) -> dict[str, Tensor]:
    """Prefix each term's name with the domain and detach the values.

    Args:
        domain (str): The prefix.
        losses (dict[str, Tensor]): Terms by name.

    Returns:
        dict[str, Tensor]: Values to log.
    """
    return {f'{domain}_{name}': value.detach() for name, value in losses.items()}
