"""Joint errors in the world over aligned chunks: WA-MPJPE and W-MPJPE.

Note:
    - number of frames: F
    - number of joints: J
    - number of chunks: C
    - frames in a chunk: T

Source: GVHMR, Sec. 4.1 (world-grounded metrics).
"""

import torch
from torch import Tensor

from ...core.alignment import align_chunk
from ...core.checks import check_at_least
from .joint_error import mpjpe
from .point_sets import ArrayLike, as_pair

CHUNK_SIZE = 100


def wa_mpjpe(pred: ArrayLike, target: ArrayLike, chunk_size: int = CHUNK_SIZE) -> Tensor:
    """Joint error after a similarity alignment of each whole chunk.

    Args:
        pred (Tensor | np.ndarray): Predicted joints in its world, (F, J, 3), metres.
        target (Tensor | np.ndarray): True joints in theirs, (F, J, 3), metres.
        chunk_size (int): Frames in a chunk; the last one may be shorter. Defaults to 100.

    Returns:
        Tensor: The error of each frame, (F,), mm.

    Raises:
        ShapeError: If the shapes differ.
        ConfigError: If the chunk size is not positive.
    """
    return _chunked_error(pred, target, chunk_size, fitted_frames=chunk_size)


def w_mpjpe(
    pred: ArrayLike, target: ArrayLike, chunk_size: int = CHUNK_SIZE, fitted_frames: int = 2
) -> Tensor:
    """Joint error after a similarity alignment by the first frames of each chunk.

    Args:
        pred (Tensor | np.ndarray): Predicted joints in its world, (F, J, 3), metres.
        target (Tensor | np.ndarray): True joints in theirs, (F, J, 3), metres.
        chunk_size (int): Frames in a chunk; the last one may be shorter. Defaults to 100.
        fitted_frames (int): Frames the alignment is fitted to. Defaults to 2.

    Returns:
        Tensor: The error of each frame, (F,), mm.

    Raises:
        ShapeError: If the shapes differ.
        ConfigError: If the chunk size or the number of fitted frames is not positive.
    """
    return _chunked_error(pred, target, chunk_size, fitted_frames)


def _chunked_error(
    pred: ArrayLike, target: ArrayLike, chunk_size: int, fitted_frames: int
) -> Tensor:
    """Align all chunks at once; the padding of the last one has no weight in the fit."""
    check_at_least(1, chunk_size=chunk_size, fitted_frames=fitted_frames)
    pred, target = as_pair(pred, target)
    num_frames = len(pred)
    if num_frames == 0:
        return pred.new_zeros(0)
    chunk_size = min(chunk_size, num_frames)
    num_chunks = -(-num_frames // chunk_size)
    frame = torch.arange(num_chunks * chunk_size, device=pred.device)
    exists = (frame < num_frames).view(num_chunks, chunk_size)
    fitted = (frame % chunk_size < fitted_frames).view(num_chunks, chunk_size)
    aligned = align_chunk(
        _to_chunks(pred, num_chunks, chunk_size),
        _to_chunks(target, num_chunks, chunk_size),
        frame_weights=exists & fitted,
    )
    return mpjpe(aligned.flatten(0, 1)[:num_frames], target)


def _to_chunks(joints: Tensor, num_chunks: int, chunk_size: int) -> Tensor:
    """Pad joints (F, J, 3) with zeros and fold them into chunks (C, T, J, 3)."""
    padding = joints.new_zeros(num_chunks * chunk_size - len(joints), *joints.shape[1:])
    return torch.cat([joints, padding]).view(num_chunks, chunk_size, *joints.shape[1:])
