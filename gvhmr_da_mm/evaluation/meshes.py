"""Meshes and joints of predictions and ground truth in SMPL's topology.

Note:
    - number of frames: F
    - number of joints of the protocol's regressor: J
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional, Union

import torch
from torch import Tensor

from ..body_models import SMPLXBody, get_body_model, get_regressed_body, load_regressor
from ..body_models.loading import body_model_file
from ..body_models.mesh_body import MeshBody
from ..body_models.regressors import regressor_file
from ..core.camera import transform_smpl
from ..core.layout import SMPL_BODY_POSE
from .protocols import Protocol

PathLike = Union[str, Path]
TARGET_GENDERS = ('male', 'female')
"""Genders of the bodies in the test sets."""


class ProtocolMeshes:
    """Body models of a protocol: a neutral one for predictions, a gendered one for the truth.

    Predictions are SMPL-X, or SMPL if their body pose is that of SMPL.

    Models and regressors are loaded when they are first needed and shared by all metrics.

    Note:
        ``parameters`` of a body are, in this order, ``body_pose`` (F, 63) of SMPL-X or (F, 69) of
        SMPL, axis-angle in rad; ``betas`` (F, 10); ``global_orient`` (F, 3), axis-angle in rad; and
        ``transl`` (F, 3) in metres.

    Args:
        protocol (Protocol): Defines regressor, hands and target body.
        data_root (str | Path, optional): Data root. Defaults to None: the environment's.
        support_dir (str | Path, optional): Folder of the resource files. Defaults to None: that of
            the data root.
        device (str): Where meshes are computed. Defaults to 'cpu'.
    """

    def __init__(
        self,
        protocol: Protocol,
        data_root: Optional[PathLike] = None,
        support_dir: Optional[PathLike] = None,
        device: str = 'cpu',
    ) -> None:
        self.protocol = protocol
        self.folders = dict(data_root=data_root, support_dir=support_dir)
        self.device = torch.device(device)
        self._regressor: Optional[tuple[Tensor, Tensor]] = None

    def required_files(self) -> dict[Path, str]:
        """Return every file that scoring reads, with the way to get it."""
        data_root = self.folders['data_root']
        files = [body_model_file('smplx', 'neutral', data_root)]
        body = self.protocol.target_body
        files += [body_model_file(body, gender, data_root) for gender in TARGET_GENDERS]
        names = (self.protocol.regressor, 'smplx2smpl')
        return dict(files + [regressor_file(name, **self.folders) for name in names])

    @property
    def predicted_model(self) -> SMPLXBody:
        """The body model of the predictions."""
        return get_body_model(
            'smplx',
            **self.folders,
            flat_hand_mean=self.protocol.flat_hand_mean,
            device=str(self.device),
        )

    @property
    def _predicted_smpl(self) -> MeshBody:
        return get_body_model('smpl', data_root=self.folders['data_root'], device=str(self.device))

    def target_model(self, gender: str) -> MeshBody:
        """The body model of the truth."""
        kind = self.protocol.target_body
        return get_body_model(kind, gender, **self.folders, device=str(self.device))

    def predicted(self, *parameters: Tensor) -> Tensor:
        """Return the SMPL vertices (F, 6890, 3) of neutral SMPL-X or SMPL parameters.

        Args:
            parameters (Tensor): See the class note.
        """
        sent = self._send(*parameters)
        if _is_smpl(parameters):
            return self._predicted_smpl(*sent)
        model = self.predicted_model
        return model.to_smpl_vertices(model(*sent))

    def target(self, gender: str, *parameters: Tensor) -> Tensor:
        """Return the SMPL vertices (F, 6890, 3) of the protocol's target body.

        Args:
            gender (str): 'male', 'female' or 'neutral'.
            parameters (Tensor): See the class note.
        """
        body = self.target_model(gender)
        verts = body(*self._send(*parameters))
        return body.to_smpl_vertices(verts) if self.protocol.target_body == 'smplx' else verts

    def target_in_camera(self, T_w2c: Tensor, gender: str, *parameters: Tensor) -> Tensor:
        """Return the vertices of :meth:`target` in the camera, by moving the root.

        Args:
            T_w2c (Tensor): World to camera, (F, 4, 4).
            gender (str): As for :meth:`target`.
            parameters (Tensor): See the class note.
        """
        body_pose, betas, global_orient, transl = parameters
        root = self.target_model(gender).skeleton(betas.to(self.device))[..., 0, :].double()
        moved = (value.to(root) for value in (global_orient, transl, T_w2c))
        return self.target(gender, body_pose, betas, *transform_smpl(*moved, root))

    def predicted_points(
        self, vertex_ids: Sequence[int], *parameters: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the protocol's joints and some SMPL vertices of a prediction, without the mesh.

        Args:
            vertex_ids (Sequence[int]): N SMPL vertices.
            parameters (Tensor): See the class note.

        Returns:
            tuple[Tensor, Tensor]: Joints (F, J, 3) and vertices (F, N, 3), float64.
        """
        if _is_smpl(parameters):
            return self._points('smpl', vertex_ids, parameters)
        hands = self.protocol.flat_hand_mean
        return self._points('smplx', vertex_ids, parameters, flat_hand_mean=hands)

    def target_points(
        self, vertex_ids: Sequence[int], gender: str, *parameters: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return joints and vertices of the truth; see :meth:`target`, :meth:`predicted_points`."""
        return self._points(self.protocol.target_body, vertex_ids, parameters, gender=gender)

    def _points(
        self, kind: str, vertex_ids: Sequence[int], parameters: Sequence[Tensor], **options: Any
    ) -> tuple[Tensor, Tensor]:
        body = get_regressed_body(
            kind,
            self.protocol.regressor,
            tuple(vertex_ids),
            **self.folders,
            device=str(self.device),
            **options,
        )
        points = body(*self._send(*parameters)).double()
        count = points.shape[-2] - len(vertex_ids)
        return points[..., :count, :], points[..., count:, :]

    def joints(self, verts: Tensor) -> Tensor:
        """Regress the protocol's joints (F, J, 3) from SMPL vertices (F, 6890, 3).

        They are float64: the alignments and third differences that follow lose digits.
        """
        if self._regressor is None:
            regressor = load_regressor(self.protocol.regressor, **self.folders).to(self.device)
            used = regressor.any(dim=0).nonzero()[:, 0]
            self._regressor = regressor[:, used], used
        weights, used = self._regressor
        return (weights @ verts.index_select(-2, used)).double()

    def _send(self, *parameters: Tensor) -> list[Tensor]:
        return [parameter.to(self.device, torch.float32) for parameter in parameters]


def _is_smpl(parameters: Sequence[Tensor]) -> bool:
    return parameters[0].shape[-1] == SMPL_BODY_POSE
