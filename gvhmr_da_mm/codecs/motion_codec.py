"""Codec of the 151-vector that the network predicts, and its statistics."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, Optional, Union

import numpy as np
import torch
from torch import Tensor, nn

from gvhmr_da_mm.core.checks import check_shape
from gvhmr_da_mm.core.errors import ConfigError, DataError
from gvhmr_da_mm.core.layout import MOTION, NUM_BETAS, NUM_BODY_JOINTS, ROT6D
from gvhmr_da_mm.core.rotation import (
    axis_angle_to_matrix,
    matrix_to_rot6d,
    rot6d_to_matrix,
)
from gvhmr_da_mm.core.trajectory import local_velocity
from gvhmr_da_mm.fileio.paths import require_files
from gvhmr_da_mm.registry import CODECS

IDENTITY = 'identity'


class DecodedMotion(NamedTuple):
    """A decoded motion vector.

    Args:
        body_pose_R (Tensor): Rotations of the body joints (..., 21, 3, 3).
        betas (Tensor): SMPL-X shape (..., 10).
        R_c (Tensor): Root orientation in the camera (..., 3, 3).
        R_gv (Tensor): Root orientation in gravity-view (..., 3, 3).
        velocity (Tensor): Root displacement in the root's frame (..., 3), metres per frame.
    """

    body_pose_R: Tensor
    betas: Tensor
    R_c: Tensor
    R_gv: Tensor
    velocity: Tensor


@CODECS.register_module()
class MotionCodec(nn.Module):
    """Encode body motion as the normalised 151-vector and decode it.

    The channels are body pose (21 x 6D), betas (10), root orientation in the camera and in
    gravity-view (6D each) and root velocity (3). Their statistics are part of the state dict, as
    weights are of no use without the statistics that they were trained with.

    Note:
        Shape letters: ... any leading dimensions, L frames.

    Args:
        statistics (str | dict, optional): A ``.npz`` or ``.json`` file, or a dict, with ``mean``
            and ``std`` of 151 numbers; or ``'identity'``, no normalisation. Defaults to None: they
            must come from a checkpoint, :meth:`set_statistics` or :meth:`fit` before use.

    Raises:
        MissingFilesError, DataError: If the file is absent or lacks a field.
        ConfigError: If the statistics are unusable.

    Source: GVHMR, Sec. 3.1.
    """

    def __init__(self, statistics: Optional[Union[str, Path, Mapping]] = None) -> None:
        super().__init__()
        # Float64 for any dtype of the model; cast where they are used.
        self.register_buffer('mean', torch.zeros(MOTION.size, dtype=torch.float64))
        self.register_buffer('std', torch.ones(MOTION.size, dtype=torch.float64))
        self.register_buffer('fitted', torch.tensor(False))
        # Set when weights are loaded without the statistics that they were trained with.
        self.expects_statistics = False
        # Copy of `fitted` on the CPU, so that the check does not wait for the GPU.
        self._ready = False
        if isinstance(statistics, Mapping):
            self.set_statistics(**_mean_and_std(statistics, 'statistics'))
        elif statistics == IDENTITY:
            self.set_statistics(self.mean, self.std)
        elif statistics is not None:
            self.set_statistics(**_read_statistics(Path(statistics)))

    def set_statistics(self, mean: Tensor, std: Tensor) -> None:
        """Set mean and standard deviation (151) of the motion vector.

        Raises:
            ConfigError: If a size differs, a value is not finite, or a deviation is not positive.
        """
        mean, std = (torch.as_tensor(value, dtype=torch.float64) for value in (mean, std))
        for name, value in (('mean', mean), ('std', std)):
            if value.shape != (MOTION.size,) or not value.isfinite().all():
                raise ConfigError(
                    f'`{name}` of the motion statistics should be {MOTION.size} finite numbers, '
                    f'got shape {tuple(value.shape)} with {int(value.isfinite().sum())} finite ones'
                )
        if not (std > 0).all():
            raise ConfigError(
                f'`std` of the motion statistics should be positive, got {std.min().item()} in '
                f'channel {std.argmin().item()}; `MotionCodec.fit` keeps them above a minimum'
            )
        # In place, as DistributedDataParallel keeps references to the buffers.
        self.mean.copy_(mean)
        self.std.copy_(std)
        self.fitted.fill_(True)
        self._ready = True

    @torch.no_grad()
    def fit(self, clips: Iterable[Mapping[str, Tensor]], min_std: float = 1e-3) -> None:
        """Compute the statistics from labelled clips.

        Args:
            clips (Iterable[Mapping[str, Tensor]]): Each with the arguments of :meth:`encode`, as
                (L, ...) or (B, L, ...). With the optional key ``valid`` (..., L), frames count
                only if they and their successor are valid, as padding has velocity 0.
            min_std (float): Smallest standard deviation. Without it a nearly constant channel,
                such as an unused beta, would dominate the motion loss. Defaults to 1e-3.

        Raises:
            DataError: If the clips hold fewer than two frames.
        """
        count = 0
        mean = torch.zeros(MOTION.size, dtype=torch.float64)
        squares = torch.zeros_like(mean)
        for clip in clips:
            clip = {name: value.detach().cpu().double() for name, value in clip.items()}
            valid = clip.pop('valid', None)
            vectors = self.pack(**_with_local_frames(**clip))
            if valid is not None:
                valid = valid.bool()
                vectors = vectors[..., :-1, :][valid[..., :-1] & valid[..., 1:]]
            vectors = vectors.reshape(-1, MOTION.size)
            if not len(vectors):
                continue
            # Chan's update: exact, without keeping all clips in memory.
            shift = vectors.mean(dim=0) - mean
            total = count + len(vectors)
            squares += ((vectors - vectors.mean(dim=0)) ** 2).sum(dim=0)
            squares += shift**2 * (count * len(vectors) / total)
            mean += shift * (len(vectors) / total)
            count = total
        if count < 2:
            raise DataError(f'motion statistics need at least 2 valid frames, got {count}')
        self.set_statistics(mean, (squares / count).sqrt().clamp(min=min_std))

    def encode(
        self,
        body_pose: Tensor,
        betas: Tensor,
        global_orient_c: Tensor,
        R_c2gv: Tensor,
        global_orient_w: Tensor,
        transl_w: Tensor,
    ) -> Tensor:
        """Encode a clip given in axis-angle form.

        Args:
            body_pose (Tensor): Body joints (..., L, 63) in radians.
            betas (Tensor): SMPL-X shape (..., L, 10).
            global_orient_c (Tensor): Root orientation in the camera (..., L, 3) in radians.
            R_c2gv (Tensor): Camera to gravity-view (..., L, 3, 3).
            global_orient_w (Tensor): Root orientation in the world (..., L, 3) in radians.
            transl_w (Tensor): Root translation in the world (..., L, 3) in metres.

        Returns:
            Tensor: Normalised motion vector (..., L, 151).

        Raises:
            ConfigError: If there are no statistics yet.
            ShapeError: If an input does not have the documented shape.
        """
        return self.encode_matrices(
            **_with_local_frames(
                body_pose, betas, global_orient_c, R_c2gv, global_orient_w, transl_w
            )
        )

    def encode_matrices(
        self, body_pose_R: Tensor, betas: Tensor, R_c: Tensor, R_gv: Tensor, velocity: Tensor
    ) -> Tensor:
        """Encode what :meth:`decode` returns (see :class:`DecodedMotion`) to (..., 151)."""
        return self.normalize(self.pack(body_pose_R, betas, R_c, R_gv, velocity))

    def decode(self, x: Tensor) -> DecodedMotion:
        """Decode a normalised motion vector.

        Args:
            x (Tensor): Shape (..., 151).

        Returns:
            DecodedMotion: Rotation matrices, betas and velocity.

        Raises:
            ConfigError: If there are no statistics yet.
            ShapeError: If the last dimension is not 151.
        """
        check_shape(x, f'* {MOTION.size}', 'x')
        x = self.denormalize(x)
        body_pose = x[..., MOTION.body_pose].unflatten(-1, (NUM_BODY_JOINTS, ROT6D))
        return DecodedMotion(
            body_pose_R=rot6d_to_matrix(body_pose),
            betas=x[..., MOTION.betas],
            R_c=rot6d_to_matrix(x[..., MOTION.orient_c]),
            R_gv=rot6d_to_matrix(x[..., MOTION.orient_gv]),
            velocity=x[..., MOTION.velocity],
        )

    @staticmethod
    def pack(
        body_pose_R: Tensor, betas: Tensor, R_c: Tensor, R_gv: Tensor, velocity: Tensor
    ) -> Tensor:
        """Concatenate the parts to (..., 151) without normalising them."""
        check_shape(body_pose_R, f'* {NUM_BODY_JOINTS} 3 3', 'body_pose_R')
        parts = (
            matrix_to_rot6d(body_pose_R).flatten(-2),
            betas,
            matrix_to_rot6d(R_c),
            matrix_to_rot6d(R_gv),
            velocity,
        )
        return torch.cat(parts, dim=-1)

    def normalize(self, vector: Tensor) -> Tensor:
        """Subtract the mean from (..., 151) and divide by the standard deviation."""
        self._require_statistics()
        return (vector - self.mean.to(vector)) / self.std.to(vector)

    def denormalize(self, x: Tensor) -> Tensor:
        """Invert :meth:`normalize`."""
        self._require_statistics()
        return x * self.std.to(x) + self.mean.to(x)

    def _require_statistics(self) -> None:
        if not self._ready:
            # The buffers may have been filled in place, e.g. by an averaged model.
            self._ready = bool(self.fitted)
        if not self._ready:
            raise ConfigError(
                'codec missing statistics: mean and std of the motion vector are not set. Load a '
                'checkpoint that has them, let MotionStatisticsHook measure them before training '
                '(`default_hooks.motion_statistics`), or set `statistics` of the `motion_codec` of '
                "the model to a .npz file; 'identity' does without"
            )

    def _load_from_state_dict(self, *args, **kwargs) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self._ready = bool(self.fitted)


def _with_local_frames(
    body_pose: Tensor,
    betas: Tensor,
    global_orient_c: Tensor,
    R_c2gv: Tensor,
    global_orient_w: Tensor,
    transl_w: Tensor,
) -> dict[str, Tensor]:
    """Convert the arguments of ``encode`` to those of ``encode_matrices``."""
    sizes = check_shape(body_pose, f'* L {NUM_BODY_JOINTS * 3}', 'body_pose')
    check_shape(betas, f'* L {NUM_BETAS}', 'betas', **sizes)
    check_shape(R_c2gv, '* L 3 3', 'R_c2gv', **sizes)
    orients = dict(global_orient_c=global_orient_c, global_orient_w=global_orient_w)
    for name, value in dict(**orients, transl_w=transl_w).items():
        check_shape(value, '* L 3', name, **sizes)
    R_c = axis_angle_to_matrix(global_orient_c)
    return dict(
        body_pose_R=axis_angle_to_matrix(body_pose.unflatten(-1, (NUM_BODY_JOINTS, 3))),
        betas=betas,
        R_c=R_c,
        R_gv=R_c2gv @ R_c,
        velocity=local_velocity(axis_angle_to_matrix(global_orient_w), transl_w),
    )


def _mean_and_std(record: Mapping, source: str) -> dict[str, np.ndarray]:
    """Return the fields ``mean`` and ``std`` of a record; raise DataError without them."""
    missing = [name for name in ('mean', 'std') if name not in record]
    if missing:
        raise DataError(
            f'{source} should have the fields `mean` and `std` of {MOTION.size} numbers each; '
            f'{missing} missing, got {sorted(record)}'
        )
    return {name: np.asarray(record[name], dtype=np.float64) for name in ('mean', 'std')}


def _read_statistics(path: Path) -> dict[str, np.ndarray]:
    """Read mean and std from a ``.npz`` or ``.json`` file."""
    if path.suffix not in ('.npz', '.json'):
        raise ConfigError(
            f"`statistics` should be '{IDENTITY}', a .npz or a .json file, got {str(path)!r}"
        )
    require_files({path: 'write it with `MotionCodec.fit` or from a GVHMR checkout'}, 'MotionCodec')
    if path.suffix == '.json':
        return _mean_and_std(json.loads(path.read_text()), str(path))
    with np.load(path) as record:
        return _mean_and_std(record, str(path))
