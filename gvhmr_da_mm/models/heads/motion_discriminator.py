"""Recurrent discriminator of body motion, and its least-squares losses."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Optional, Union

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...core.checks import check_choice, check_shape
from ...core.errors import ConfigError, ShapeError
from ...core.filtering import length_to_mask
from ...core.layout import NUM_BODY_JOINTS, SMPL_BODY_POSE
from ...core.rotation import matrix_to_axis_angle
from ...registry import MODELS

POOLINGS = ('attention', 'max', 'avg')
MIN_DEVIATION = 0.05
"""Lower bound, rad, of the deviation that inputs are divided by: some joints hardly move."""


def discriminator_pose(body_pose: Tensor) -> Tensor:
    """Turn an SMPL-X body pose into the 69-vector of SMPL, hands at rest.

    Args:
        body_pose (Tensor): Axis-angle (..., L, 63) in radians, or matrices (..., L, 21, 3, 3).

    Returns:
        Tensor: Shape (..., L, 69), radians.
    """
    if body_pose.shape[-3:] == (NUM_BODY_JOINTS, 3, 3):
        body_pose = matrix_to_axis_angle(body_pose).flatten(-2)
    check_shape(body_pose, f'* {NUM_BODY_JOINTS * 3}', name='body_pose')
    return nn.functional.pad(body_pose, (0, SMPL_BODY_POSE - body_pose.shape[-1]))


@MODELS.register_module()
class MotionDiscriminator(BaseModule):
    """LSTM, pooling over the valid frames and an MLP that scores how true a motion looks.

    The LSTM runs forward in time over the valid frames, moved to the front, so padding does not
    change a score. The valid frames may lie anywhere.

    Channels are standardised by the mean and deviation of the true motion seen so far (see
    :meth:`observe`); without it the small angles of most joints train the LSTM very slowly.

    Note:
        B clips, L frames, C hidden channels.

    Args:
        input_size (int): Channels of a frame. Defaults to 69, SMPL's body pose without the root.
        hidden_size (int): LSTM channels. Defaults to 1024.
        num_layers (int): LSTM layers. Defaults to 2.
        dropout (float): Between layers and in the MLPs. Defaults to 0.1.
        pooling (str): ``'attention'``, ``'max'`` or ``'avg'``. Defaults to ``'attention'``.
        attention_layers (int): Hidden layers of the attention's MLP. Defaults to 1.
        attention_size (int): Their channels. Defaults to 256.
        frame_stride (int): Step between the valid frames that are used. Defaults to 3: as good a
            filter as with all frames, at a third of the cost.
        init_cfg (dict, optional): Initialisation. Defaults to None.

    Raises:
        ConfigError: If ``pooling`` is unknown or a size is not positive.
    """

    def __init__(
        self,
        input_size: int = SMPL_BODY_POSE,
        hidden_size: int = 1024,
        num_layers: int = 2,
        dropout: float = 0.1,
        pooling: str = 'attention',
        attention_layers: int = 1,
        attention_size: int = 256,
        frame_stride: int = 3,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        check_choice(pooling, POOLINGS, 'pooling')
        sizes = dict(
            input_size=input_size,
            num_layers=num_layers,
            attention_layers=attention_layers,
            attention_size=attention_size,
            frame_stride=frame_stride,
        )
        if min(sizes.values()) < 1 or hidden_size < 2:
            raise ConfigError(
                f'`hidden_size` should be at least 2, got {hidden_size}, and the other sizes at '
                f'least 1, got {sizes}'
            )
        self.input_size = input_size
        self.pooling = pooling
        self.frame_stride = frame_stride
        self.register_buffer('num_observed', torch.zeros((), dtype=torch.float64))
        self.register_buffer('input_mean', torch.zeros(input_size))
        self.register_buffer('input_var', torch.ones(input_size))
        # One module a layer with dropout between them: cuDNN draws the dropout inside an LSTM from
        # a state that no checkpoint holds, so training would not resume exactly.
        self.lstm = nn.ModuleList(
            nn.LSTM(hidden_size if layer else input_size, hidden_size, batch_first=True)
            for layer in range(num_layers)
        )
        self.dropout = nn.Dropout(dropout)
        if pooling == 'attention':
            layers, channels = [], hidden_size
            for _ in range(attention_layers):
                layers += [nn.Linear(channels, attention_size), nn.ReLU(), nn.Dropout(dropout)]
                channels = attention_size
            self.attention = nn.Sequential(*layers, nn.Linear(channels, 1))
        self.classifier = nn.Sequential(
            nn.Linear(hidden_size, hidden_size // 2),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden_size // 2, 1),
        )

    def forward(self, body_pose: Tensor, valid: Optional[Tensor] = None) -> Tensor:
        """Score clips.

        Args:
            body_pose (Tensor): Shape (B, L, 69), radians; see :func:`discriminator_pose`.
            valid (Tensor, optional): Frames that exist: a mask (B, L), bool, or the number of
                leading frames (B,), integer. Defaults to None, all of them.

        Returns:
            Tensor: Scores (B,) in [0, 1], 1 for true motion; 0 for a clip without valid frames.

        Raises:
            ShapeError: If an input does not have the documented shape.
        """
        shape = check_shape(body_pose, f'B L {self.input_size}', name='body_pose')
        valid = self._mask(body_pose, valid, shape)
        # A stable sort moves the valid frames to the front and keeps their order.
        order = torch.argsort((~valid).to(torch.uint8), dim=1, stable=True)[:, :: self.frame_stride]
        valid_in_order = valid.gather(1, order)
        deviation = self.input_var.sqrt().clamp(min=MIN_DEVIATION)
        frames = (body_pose - self.input_mean) / deviation
        frames = frames.gather(1, order[..., None].expand(-1, -1, self.input_size))
        # Not a product: padding may hold NaN.
        frames = frames.masked_fill(~valid_in_order[..., None], 0)
        features = self._recur(frames)
        score = self.classifier(self._pool(features, valid_in_order)).squeeze(-1).sigmoid()
        return torch.where(valid.any(dim=1), score, torch.zeros_like(score))

    @torch.no_grad()
    def score(self, body_pose: Tensor, valid: Optional[Tensor] = None) -> Tensor:
        """Score clips (B,) without gradient and without dropout, in either mode."""
        training = self.training
        self.eval()
        try:
            return self(body_pose, valid)
        finally:
            self.train(training)

    @torch.no_grad()
    def observe(self, body_pose: Tensor, valid: Tensor) -> None:
        """Update the mean and variance that inputs are standardised by with true motion.

        Args:
            body_pose (Tensor): True motion (B, L, 69), radians; of all ranks.
            valid (Tensor): Frames that exist (B, L), bool.

        Source: updating mean and sum of squares by batches, Chan et al., 1983.
        """
        frames = body_pose.masked_fill(~valid[..., None], 0).flatten(0, 1).double()
        sums = torch.stack((frames.sum(dim=0), frames.square().sum(dim=0)))
        sums = torch.cat((valid.sum().to(sums).expand(2, 1), sums), dim=1)
        count, (mean, square) = sums[0, 0], sums[:, 1:] / sums[0, 0].clamp(min=1)
        total = self.num_observed + count
        share = count / total.clamp(min=1)
        known_mean = self.input_mean.double()
        # The first share is 1, so that the initial values vanish.
        change = mean - known_mean
        var = (1 - share) * self.input_var + share * (square - mean.square())
        var = var + share * (1 - share) * change.square()
        self.input_mean.copy_(known_mean + share * change)
        self.input_var.copy_(var.clamp(min=0))
        self.num_observed.copy_(total)

    def _mask(self, body_pose: Tensor, valid: Optional[Tensor], shape: dict[str, int]) -> Tensor:
        if valid is None:
            return body_pose.new_ones(body_pose.shape[:2], dtype=torch.bool)
        if valid.ndim == 1 and not valid.is_floating_point() and valid.dtype != torch.bool:
            check_shape(valid, 'B', name='valid', B=shape['B'])
            return length_to_mask(valid, shape['L'])
        if valid.dtype != torch.bool:
            raise ShapeError(
                f'`valid` should be a bool mask (B, L) or integer lengths (B,), got '
                f'{valid.dtype} of shape {tuple(valid.shape)}'
            )
        check_shape(valid, 'B L', name='valid', B=shape['B'], L=shape['L'])
        return valid

    def _recur(self, frames: Tensor) -> Tensor:
        # cuDNN's LSTM has no backward pass in eval mode.
        cudnn = torch.backends.cudnn.enabled and (self.training or not torch.is_grad_enabled())
        # CPUs without AVX-512 have no LSTM in half precision.
        with torch.backends.cudnn.flags(enabled=cudnn), torch.autocast('cpu', enabled=False):
            for layer, lstm in enumerate(self.lstm):
                frames = lstm(self.dropout(frames) if layer else frames)[0]
        return frames

    def _pool(self, features: Tensor, valid: Tensor) -> Tensor:
        """Pool (B, L, C) over the valid frames to (B, C), finite even where there is none."""
        mask = valid[..., None]
        if self.pooling == 'avg':
            return (features * mask).sum(1) / mask.sum(1).clamp(min=1)
        if self.pooling == 'max':
            return _fill(features, ~mask).amax(dim=1) * valid.any(1, keepdim=True)
        weights = _fill(self.attention(features), ~mask).softmax(dim=1)
        return (features * weights).sum(dim=1)


def _fill(values: Tensor, mask: Tensor) -> Tensor:
    """Replace values by their lowest finite number: a softmax over -inf alone would be NaN."""
    return values.masked_fill(mask, torch.finfo(values.dtype).min)


def _squared_distance(scores: Tensor, target: Union[float, Tensor]) -> Tensor:
    """Average over samples; exactly zero, with a graph, without samples."""
    return (scores - target).square().sum() / max(scores.numel(), 1)


def score_together(discriminator: nn.Module, *motions: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
    """Score several batches of clips in one pass.

    An LSTM reads all of its weights for every frame, however many clips there are: one pass over
    two batches costs less than two passes.

    Args:
        discriminator (nn.Module): Such as :class:`MotionDiscriminator`.
        motions (tuple[Tensor, Tensor]): Body poses (B, L, 69) in radians and valid frames (B, L);
            B and L may differ.

    Returns:
        tuple[Tensor, ...]: Scores (B,) of each batch, in the dtype of its poses.
    """
    longest = max(valid.shape[1] for _, valid in motions)
    poses, masks = [], []
    for body_pose, valid in motions:
        missing = longest - valid.shape[1]
        poses.append(nn.functional.pad(body_pose, (0, 0, 0, missing)))
        masks.append(nn.functional.pad(valid, (0, missing)))
    scores = discriminator(torch.cat(poses), torch.cat(masks))
    # To full precision: autocast would leave a loss in half of it.
    parts = scores.split([len(valid) for _, valid in motions])
    return tuple(part.to(body_pose) for part, (body_pose, _) in zip(parts, motions))


def discriminator_loss(
    real_scores: Tensor, fake_scores: Tensor, target: Union[float, Tensor] = 0.0
) -> tuple[Tensor, Tensor]:
    """Pull the scores of true motion to 1 and those of predictions to their target (LSGAN).

    Args:
        real_scores (Tensor): Scores of true motion, any shape.
        fake_scores (Tensor): Scores of *detached* predictions, any shape.
        target (float | Tensor): Discriminator target of the predictions. Defaults to 0.

    Returns:
        tuple[Tensor, Tensor]: The terms of true motion and of predictions, scalars without
        weight; their sum is the loss.

    Source: Mao et al., *Least Squares Generative Adversarial Networks*, ICCV 2017.
    """
    return _squared_distance(real_scores, 1.0), _squared_distance(fake_scores, target)


def generator_adversarial_loss(fake_scores: Tensor) -> Tensor:
    """Pull the scores of the student's predictions to 1; they must not be detached.

    Compute the scores inside :func:`frozen` so that only the student gets a gradient.
    """
    return _squared_distance(fake_scores, 1.0)


@contextmanager
def frozen(module: nn.Module) -> Iterator[nn.Module]:
    """Let gradients pass through a module without reaching its parameters.

    Only the forward pass has to run inside; each parameter's flag is restored afterwards.

    Example:
        >>> with frozen(discriminator):
        ...     loss = generator_adversarial_loss(discriminator(body_pose, valid))
    """
    parameters = list(module.parameters())
    flags = [parameter.requires_grad for parameter in parameters]
    try:
        for parameter in parameters:
            parameter.requires_grad_(False)
        yield module
    finally:
        for parameter, flag in zip(parameters, flags):
            parameter.requires_grad_(flag)
