"""Queue of true motion for the discriminator, filled from synthetic batches."""

from typing import Optional

import torch
from torch import Tensor, nn

from ...core.checks import check_shape
from ...core.errors import ConfigError, DataError, ShapeError
from ...core.layout import SMPL_BODY_POSE
from ...registry import MODELS


@MODELS.register_module()
class MotionQueue(nn.Module):
    """First-in-first-out queue of true body motion, saved in checkpoints.

    Push synthetic or motion-capture clips only, never labels of real video.

    Args:
        size (int): Clips to hold. Defaults to 256 (8 MB at 120 frames).
        max_len (int): Frames per clip, ``max_len`` of the datasets or more; shorter clips are
            padded. Defaults to 120.
        channels (int): Channels per frame. Defaults to 69.

    Raises:
        ConfigError: If a size is not positive.
    """

    def __init__(self, size: int = 256, max_len: int = 120, channels: int = SMPL_BODY_POSE) -> None:
        super().__init__()
        if min(size, max_len, channels) < 1:
            raise ConfigError(
                '`size`, `max_len` and `channels` of MotionQueue should be positive, got '
                f'{size}, {max_len} and {channels}'
            )
        self.register_buffer('body_pose', torch.zeros(size, max_len, channels))
        self.register_buffer('valid', torch.zeros(size, max_len, dtype=torch.bool))
        self.register_buffer('num_pushed', torch.zeros((), dtype=torch.long))
        # Copy of the buffer, so that the length does not wait for the GPU; None: not read yet.
        self._num_pushed: Optional[int] = 0

    def __len__(self) -> int:
        if self._num_pushed is None:
            self._num_pushed = int(self.num_pushed)
        return min(self._num_pushed, len(self.body_pose))

    def _load_from_state_dict(self, *args, **kwargs) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self._num_pushed = None

    @torch.no_grad()
    def push(self, body_pose: Tensor, valid: Tensor) -> None:
        """Store clips in place of the oldest.

        Args:
            body_pose (Tensor): Shape (B, L, 69), radians; L up to ``max_len``.
            valid (Tensor): Frames that exist (B, L), bool.

        Raises:
            ShapeError: If a shape is wrong or the clips are too long.
        """
        size, max_len, channels = self.body_pose.shape
        shape = check_shape(body_pose, f'B L {channels}', name='body_pose')
        check_shape(valid, 'B L', name='valid', **shape)
        if shape['L'] > max_len:
            raise ShapeError(
                f'`body_pose` has {shape["L"]} frames, the queue holds clips of at most {max_len}: '
                'raise `model.critic.queue.max_len`'
            )
        body_pose, valid = body_pose[-size:], valid[-size:]
        skipped = shape['B'] - len(body_pose)
        slots = torch.arange(skipped, shape['B'], device=self.num_pushed.device)
        slots = (self.num_pushed + slots) % size
        padding = max_len - shape['L']
        masked = body_pose.detach().masked_fill(~valid[..., None], 0).to(self.body_pose)
        self.body_pose[slots] = nn.functional.pad(masked, (0, 0, 0, padding))
        self.valid[slots] = nn.functional.pad(valid, (0, padding))
        self.num_pushed += shape['B']
        if self._num_pushed is not None:
            self._num_pushed += shape['B']

    def sample(
        self, num: int, generator: Optional[torch.Generator] = None
    ) -> tuple[Tensor, Tensor]:
        """Draw clips with replacement.

        Args:
            num (int): How many.
            generator (torch.Generator, optional): Defaults to None, the global one.

        Returns:
            tuple[Tensor, Tensor]: Body poses (num, max_len, 69) and valid frames (num, max_len).

        Raises:
            DataError: If the queue is empty.
        """
        index = self._draw(num, generator)
        return self.body_pose[index], self.valid[index]

    def sample_frames(self, num: int) -> Tensor:
        """Draw single frames with replacement: a clip, then one of its frames.

        Args:
            num (int): How many.

        Returns:
            Tensor: Body poses (num, 69).

        Raises:
            DataError: If the queue is empty.
        """
        clip = self._draw(num)
        valid = self.valid[clip]
        # A clip without valid frames holds zeros, the rest pose, in all frames.
        chances = torch.where(valid.any(dim=1, keepdim=True), valid, True).float()
        return self.body_pose[clip, torch.multinomial(chances, 1).squeeze(1)]

    def _draw(self, num: int, generator: Optional[torch.Generator] = None) -> Tensor:
        """Draw the slots (num,) of clips."""
        if not len(self):
            raise DataError(
                'the queue of true motion is empty: push a synthetic batch first (check '
                '`len(queue)`)'
            )
        device = None if generator is None else generator.device
        index = torch.randint(len(self), (num,), generator=generator, device=device)
        return index.to(self.body_pose.device, non_blocking=True)
