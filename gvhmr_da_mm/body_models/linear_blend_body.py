"""Body model with blend shapes and linear blend skinning."""

from collections.abc import Sequence
from typing import Any, Optional

import numpy as np
import torch
from torch import Tensor, nn

from ..core.checks import check_shape
from ..core.errors import ConfigError, DataError
from ..core.kinematics import forward_kinematics, posed_joints
from ..core.precision import full_precision
from ..core.rotation import axis_angle_to_matrix
from ..core.small_matrices import small_matmul, small_matvec
from .loading import BodyArrays


class LinearBlendBody(nn.Module):
    """SMPL-family body whose first P joints are posed while the others keep a fixed pose.

    Note:
        ``...`` is any leading shape (leading shapes of the arguments broadcast), P the posed joints
        (root first), V the vertices, J all joints of the file. Poses are axis-angle in rad,
        lengths in m. The root *joint* is the centre of ``global_orient``: it is at
        ``skeleton(betas)[0] + transl``. Results have the dtype of the module; arguments are cast
        to it, and autocast is switched off. Buffers are not saved in checkpoints. A cast to another
        dtype starts from the file's own precision.

    Args:
        parents (tuple[int, ...]): Parents of the posed joints.
        chunk_size (int, optional): Frames that :meth:`forward` computes at once; fewer take less
            memory. Defaults to all.
        **constants (np.ndarray): The other constants of :func:`blend_constants`; bodies may share
            them, as each copies them to buffers of its own.
    """

    def __init__(
        self, parents: tuple[int, ...], chunk_size: Optional[int] = None, **constants: np.ndarray
    ) -> None:
        super().__init__()
        self.parents = parents
        self.num_posed = len(parents)
        self.num_betas = constants['joints'].shape[-1] - 1
        self.chunk_size = chunk_size
        # The file's own precision: casts of the buffers start from it, so that .double() is exact.
        self._masters = {key: np.ascontiguousarray(value) for key, value in constants.items()}
        for name, master in self._masters.items():
            buffer = torch.from_numpy(master)
            dtype = torch.get_default_dtype() if buffer.is_floating_point() else buffer.dtype
            self.register_buffer(name, buffer.to(dtype, copy=True), persistent=False)

    def _apply(self, fn, recurse: bool = True) -> 'LinearBlendBody':
        before = self.dtype
        super()._apply(fn, recurse)
        if self.dtype != before:
            for name, master in self._masters.items():
                setattr(self, name, torch.from_numpy(master).to(getattr(self, name), copy=True))
        return self

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the buffers and results."""
        return self.joints.dtype

    @property
    def num_vertices(self) -> int:
        """Number of computed vertices V."""
        return self.weights.shape[0]

    @full_precision
    def rest_joints(self, betas: Tensor) -> Tensor:
        """Return all joints at rest (..., J, 3), m, for betas (..., num_betas)."""
        check_shape(betas, '* K', 'betas', K=self.num_betas)
        return self._linear_in_betas(self.joints, betas.to(self.dtype))

    @full_precision
    def skeleton(self, betas: Tensor) -> Tensor:
        """Return the first P joints at rest (..., P, 3), m, for betas (..., num_betas)."""
        check_shape(betas, '* K', 'betas', K=self.num_betas)
        return self._linear_in_betas(self.joints[: self.num_posed], betas.to(self.dtype))

    def forward(
        self,
        body_pose: Tensor,
        betas: Tensor,
        global_orient: Optional[Tensor] = None,
        transl: Optional[Tensor] = None,
    ) -> Tensor:
        """Return the posed vertices.

        Args:
            body_pose (Tensor): Axis-angle, (..., 3 (P - 1)): 63 for SMPL-X, 69 for SMPL.
            betas (Tensor): Shape, (..., num_betas).
            global_orient (Tensor, optional): Axis-angle, (..., 3). Defaults to no rotation.
            transl (Tensor, optional): (..., 3). Defaults to zero.

        Returns:
            Tensor: (..., V, 3) in m.
        """
        rotations = self._rotations(body_pose, global_orient, betas)
        return self.pose_vertices(*rotations, transl, self.chunk_size)

    def fk(
        self,
        body_pose: Tensor,
        betas: Tensor,
        global_orient: Optional[Tensor] = None,
        transl: Optional[Tensor] = None,
    ) -> Tensor:
        """Return the posed joints (..., P, 3) without the mesh; arguments as :meth:`forward`."""
        return self.fk_matrices(*self._rotations(body_pose, global_orient, betas), transl)

    @full_precision
    def fk_matrices(
        self,
        body_pose_R: Tensor,
        betas: Tensor,
        R: Optional[Tensor] = None,
        transl: Optional[Tensor] = None,
    ) -> Tensor:
        """Return the posed joints from rotation matrices.

        Args:
            body_pose_R (Tensor): (..., P - 1, 3, 3).
            betas (Tensor): Shape, (..., num_betas).
            R (Tensor, optional): Root rotation, (..., 3, 3). Defaults to the identity.
            transl (Tensor, optional): (..., 3). Defaults to zero.

        Returns:
            Tensor: (..., P, 3) in m.
        """
        R_local = self._with_root(body_pose_R, R)
        return _translate(posed_joints(R_local, self.skeleton(betas), self.parents), transl)

    @full_precision
    def pose_vertices(
        self,
        body_pose_R: Tensor,
        betas: Tensor,
        R: Optional[Tensor] = None,
        transl: Optional[Tensor] = None,
        chunk_size: Optional[int] = None,
    ) -> Tensor:
        """Return the posed vertices from rotation matrices.

        Args:
            body_pose_R (Tensor): (..., P - 1, 3, 3).
            betas (Tensor): Shape, (..., num_betas).
            R (Tensor, optional): Root rotation, (..., 3, 3). Defaults to the identity.
            transl (Tensor, optional): (..., 3). Defaults to zero.
            chunk_size (int, optional): Frames computed at once. Defaults to all.

        Returns:
            Tensor: (..., V, 3) in m.
        """
        R_local = self._with_root(body_pose_R, R)
        check_shape(betas, '* K', 'betas', K=self.num_betas)
        leading = torch.broadcast_shapes(R_local.shape[:-3], betas.shape[:-1])
        R_flat = R_local.expand(*leading, -1, -1, -1).reshape(-1, self.num_posed, 3, 3)
        betas_flat = betas.to(self.dtype).expand(*leading, -1).reshape(-1, self.num_betas)
        if chunk_size is None or len(R_flat) <= chunk_size:
            verts = self._skin(R_flat, betas_flat)
        else:
            chunks = zip(R_flat.split(chunk_size), betas_flat.split(chunk_size))
            verts = torch.cat([self._skin(*chunk) for chunk in chunks])
        return _translate(verts.reshape(*leading, self.num_vertices, 3), transl)

    def _skin(self, R_local: Tensor, betas: Tensor) -> Tensor:
        """Blend and skin N frames: (N, P, 3, 3) and (N, num_betas) to (N, V, 3)."""
        rest = torch.addmm(self.template, self._features(R_local, betas), self.blend_dirs)
        rest = rest.unflatten(-1, (3, -1))
        rotation, offset = self._bones(R_local, betas)

        # Vertices in the last dimension: long contiguous rows and one large matrix product.
        columns = torch.cat((rotation.permute(0, 3, 2, 1).flatten(1, 2), offset.mT), dim=1)
        blended = columns @ self.weights.T  # (N, 12, V): the columns of V matrices 3 x 4
        verts = blended[:, 9:]
        for axis in range(3):
            column = blended[:, 3 * axis : 3 * axis + 3]
            verts = torch.addcmul(verts, column, rest[:, axis : axis + 1])
        return verts.mT.contiguous()

    @staticmethod
    def _features(R_local: Tensor, betas: Tensor) -> Tensor:
        """Return the blend shape coefficients, (N, num_betas + 9 (P - 1))."""
        identity = torch.eye(3, dtype=R_local.dtype, device=R_local.device)
        return torch.cat((betas, (R_local[:, 1:] - identity).flatten(1)), dim=1)

    def _bones(self, R_local: Tensor, betas: Tensor) -> tuple[Tensor, Tensor]:
        """Return rotations (N, K, 3, 3) and offsets (N, K, 3) of the joints used for skinning."""
        joints = self._linear_in_betas(self.joints[: self.num_posed], betas)
        rotation, position = forward_kinematics(R_local, joints, self.parents)
        offset = position - small_matvec(rotation, joints)
        if len(self.anchors):
            R_parent = rotation.index_select(1, self.anchors)
            shift = self._linear_in_betas(self.anchor_offsets, betas)
            hanging = position.index_select(1, self.anchors) + small_matvec(R_parent, shift)
            rotation = torch.cat((rotation, small_matmul(R_parent, self.R_anchor)), dim=1)
            offset = torch.cat((offset, hanging), dim=1)
        return rotation, offset

    @staticmethod
    def _linear_in_betas(terms: Tensor, betas: Tensor) -> Tensor:
        """Evaluate (M, 3, 1 + num_betas) terms at (..., num_betas): (..., M, 3)."""
        flat = terms.flatten(0, 1)
        return (betas @ flat[:, 1:].T + flat[:, 0]).unflatten(-1, (-1, 3))

    @full_precision
    def _rotations(
        self, body_pose: Tensor, global_orient: Optional[Tensor], betas: Tensor
    ) -> tuple[Tensor, Tensor, Optional[Tensor]]:
        """Convert axis-angle arguments to the first three of the matrix methods."""
        check_shape(body_pose, '* K', 'body_pose', K=3 * (self.num_posed - 1))
        pose = body_pose.to(self.dtype).unflatten(-1, (-1, 3))
        root = None
        if global_orient is not None:
            check_shape(global_orient, '* 3', 'global_orient')
            root = axis_angle_to_matrix(global_orient.to(self.dtype))
        return axis_angle_to_matrix(pose), betas, root

    def _with_root(self, body_pose_R: Tensor, R: Optional[Tensor]) -> Tensor:
        check_shape(body_pose_R, '* K 3 3', 'body_pose_R', K=self.num_posed - 1)
        body_pose_R = body_pose_R.to(self.dtype)
        if R is None:
            R = torch.eye(3, dtype=self.dtype, device=body_pose_R.device)
        check_shape(R, '* 3 3', 'R')
        leading = torch.broadcast_shapes(body_pose_R.shape[:-3], R.shape[:-2])
        root = R.to(self.dtype).expand(*leading, 3, 3).unsqueeze(-3)
        return torch.cat((root, body_pose_R.expand(*leading, -1, -1, -1)), dim=-3)


def _translate(points: Tensor, transl: Optional[Tensor]) -> Tensor:
    if transl is None:
        return points
    check_shape(transl, '* 3', 'transl')
    return points + transl.to(points.dtype).unsqueeze(-2)


def blend_constants(
    arrays: BodyArrays,
    num_posed: int,
    fixed_pose: np.ndarray,
    num_betas: int,
    vertex_ids: Optional[Sequence[int]] = None,
) -> dict[str, Any]:
    """Return the arguments of a :class:`LinearBlendBody`, in the file's own precision.

    The pose blend shapes of the fixed joints become part of the template, and a fixed joint follows
    its nearest posed ancestor, its *anchor*, by a constant rotation and an offset linear in betas.
    The skinning weight of a fixed joint that does not rotate (face, flat hands) is added to its
    anchor's.

    Args:
        arrays (BodyArrays): The model file's arrays.
        num_posed (int): Number of posed joints P.
        fixed_pose (np.ndarray): Axis-angle of the other joints, (J - P, 3).
        num_betas (int): Shape components used.
        vertex_ids (Sequence[int], optional): Vertices to compute. Defaults to all.

    Raises:
        ConfigError: If the file has fewer shape components than ``num_betas``.
        DataError: If the parent of a posed joint is a fixed one.
    """
    available = arrays.shapedirs.shape[-1]
    if not 0 < num_betas <= available:
        raise ConfigError(
            f'`num_betas` should be between 1 and {available}, which the body model file has, '
            f'got {num_betas}'
        )
    parents = arrays.parents[:num_posed]
    if max(parents) >= num_posed:
        raise DataError(
            f'the parents of the first {num_posed} joints should be among them, got {parents}'
        )
    chosen = slice(None) if vertex_ids is None else np.asarray(vertex_ids)
    shapedirs = arrays.shapedirs[:, :, :num_betas]
    # Joints and their derivatives by betas, (J, 3, 1 + num_betas).
    joints = np.concatenate(
        (
            (arrays.J_regressor @ arrays.v_template)[:, :, None],
            np.einsum('jv,vck->jck', arrays.J_regressor, shapedirs),
        ),
        axis=2,
    )
    R_fixed = axis_angle_to_matrix(torch.from_numpy(fixed_pose).double()).numpy()
    anchors, R_anchor, offsets = _attach(joints, arrays.parents, num_posed, R_fixed)

    split = 9 * (num_posed - 1)
    posedirs = arrays.posedirs[chosen]
    fixed_blend = posedirs[:, :, split:] @ (R_fixed - np.eye(3)).reshape(-1)
    blend = np.concatenate((shapedirs[chosen], posedirs[:, :, :split]), axis=2)
    weights = arrays.weights[chosen].copy()
    follows = np.isclose(offsets, -joints[anchors], rtol=0, atol=1e-12).all((1, 2))
    follows &= (R_anchor == np.eye(3)).all((1, 2))
    for fixed in np.flatnonzero(follows):
        weights[:, anchors[fixed]] += weights[:, num_posed + fixed]
    used = np.flatnonzero(~follows & (weights[:, num_posed:] != 0).any(0))
    return dict(
        parents=parents,
        joints=joints,
        template=(arrays.v_template[chosen] + fixed_blend).T.reshape(-1),
        blend_dirs=blend.transpose(2, 1, 0).reshape(blend.shape[2], -1),
        weights=weights[:, np.concatenate((np.arange(num_posed), used + num_posed))],
        R_anchor=R_anchor[used],
        anchor_offsets=offsets[used],
        anchors=anchors[used],
    )


def _attach(
    joints: np.ndarray, parents: tuple[int, ...], num_posed: int, R_fixed: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Express each fixed joint relative to its anchor.

    Returns:
        tuple[np.ndarray, ...]: For the J - P fixed joints their anchors, rotations relative to the
        anchors (J - P, 3, 3), and the offset o (J - P, 3, 1 + num_betas) such that a vertex v at
        rest, skinned to the joint, moves to ``anchor position + R_anchor (rotation v + o)``.
    """
    anchors, rotations, positions = {}, {}, {}
    for joint in range(num_posed, len(parents)):
        parent = parents[joint]
        if parent >= joint:
            raise DataError(f'the parent of joint {joint} should precede it, got {parent}')
        bone = joints[joint] - joints[parent]
        if parent < num_posed:
            anchors[joint], above, origin = parent, np.eye(3), np.zeros_like(bone)
        else:
            anchors[joint], above, origin = anchors[parent], rotations[parent], positions[parent]
        positions[joint] = origin + above @ bone
        rotations[joint] = above @ R_fixed[joint - num_posed]
    fixed = range(num_posed, len(parents))
    offsets = [positions[j] - rotations[j] @ joints[j] for j in fixed]
    return (
        np.array([anchors[j] for j in fixed], dtype=np.int64),
        np.array([rotations[j] for j in fixed]).reshape(-1, 3, 3),
        np.array(offsets).reshape(-1, 3, joints.shape[2]),
    )
