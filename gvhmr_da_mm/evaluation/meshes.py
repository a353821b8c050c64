"""Meshes and joints of predictions and ground truth, in the one topology both can be compared in.

Note:
    - number of frames: F
    - number of joints of the protocol's regressor: J
"""

from pathlib import Path
from typing import Optional, Union

import torch
from torch import Tensor

from ..body_models import SMPLXBody, get_body_model, load_regressor
from ..body_models.loading import body_model_file
from ..body_models.regressors import regressor_file
from .protocols import Protocol

PathLike = Union[str, Path]
TARGET_GENDERS = ('male', 'female')
"""Genders of the bodies in the test sets."""


class ProtocolMeshes:
    """The body models of a protocol: neutral SMPL-X for predictions, gendered SMPL for the truth.

    Models and regressors are loaded when they are first needed and shared by all metrics.

    Args:
        protocol (Protocol): Says which regressor and which hands.
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
        self._regressor: Optional[Tensor] = None

    def required_files(self) -> dict[Path, str]:
        """Return every file that scoring reads, each with how to get it."""
        data_root = self.folders['data_root']
        files = [body_model_file('smplx', 'neutral', data_root)]
        files += [body_model_file('smpl', gender, data_root) for gender in TARGET_GENDERS]
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

    def predicted(
        self, body_pose: Tensor, betas: Tensor, global_orient: Tensor, transl: Tensor
    ) -> Tensor:
        """Return the SMPL vertices (F, 6890, 3) of neutral SMPL-X parameters.

        Args:
            body_pose (Tensor): Axis-angle, (F, 63), rad.
            betas (Tensor): Shape, (F, 10).
            global_orient (Tensor): Axis-angle, (F, 3), rad.
            transl (Tensor): Translation, (F, 3), metres.
        """
        model = self.predicted_model
        return model.to_smpl_vertices(model(*self._send(body_pose, betas, global_orient, transl)))

    def target(
        self, gender: str, body_pose: Tensor, betas: Tensor, global_orient: Tensor, transl: Tensor
    ) -> Tensor:
        """Return the vertices (F, 6890, 3) of gendered SMPL parameters.

        Args:
            gender (str): 'male', 'female' or 'neutral'.
            body_pose (Tensor): Axis-angle, (F, 69), rad.
            betas (Tensor): Shape, (F, 10).
            global_orient (Tensor): Axis-angle, (F, 3), rad.
            transl (Tensor): Translation, (F, 3), metres.
        """
        parameters = self._send(body_pose, betas, global_orient, transl)
        return get_body_model('smpl', gender, **self.folders, device=str(self.device))(*parameters)

    def joints(self, verts: Tensor) -> Tensor:
        """Regress the protocol's joints (F, J, 3) from SMPL vertices (F, 6890, 3), in float64.

        Float64 because the alignments and third differences that follow lose digits.
        """
        if self._regressor is None:
            regressor = load_regressor(self.protocol.regressor, **self.folders)
            self._regressor = regressor.to_dense().to(self.device)
        return (self._regressor @ verts).double()

    def _send(self, *parameters: Tensor) -> list[Tensor]:
        return [parameter.to(self.device, torch.float32) for parameter in parameters]
