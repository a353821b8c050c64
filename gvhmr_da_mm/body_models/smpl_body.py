"""SMPL body model, that of the ground truth of EMDB and 3DPW."""

from pathlib import Path
from typing import Optional, Union

import numpy as np

from ..core.layout import NUM_BETAS
from ..fileio.paths import require_files
from ..registry import MODELS
from .loading import NUM_SMPL_JOINTS, body_model_file, load_body_arrays
from .mesh_body import MeshBody


@MODELS.register_module()
class SMPLBody(MeshBody):
    """SMPL with all vertices.

    Note:
        P = 24 posed joints, V = 6890 vertices. See :class:`LinearBlendBody` for conventions,
        ``skeleton``, ``fk`` and ``fk_matrices``.

    Args:
        data_root (str | Path, optional): Folder with ``body_models/smpl``. Defaults to
            ``$GVHMR_DATA_ROOT``, else ``data``.
        gender (str): 'neutral', 'male' or 'female'. Defaults to 'neutral'.
        model_path (str | Path, optional): The model file or its folder, instead.
        num_betas (int): Shape components used. Defaults to 10.
        chunk_size (int): Frames computed at once. Defaults to 128.

    Raises:
        MissingFilesError: If the model file does not exist.
        DataError: If it has other content than expected, or loading it could run code.
    """

    def __init__(
        self,
        data_root: Optional[Union[str, Path]] = None,
        gender: str = 'neutral',
        model_path: Optional[Union[str, Path]] = None,
        num_betas: int = NUM_BETAS,
        chunk_size: int = 128,
    ) -> None:
        path, hint = body_model_file('smpl', gender, data_root, model_path)
        require_files({path: hint}, owner=type(self).__name__)
        arrays = load_body_arrays(path, 'smpl')
        super().__init__(arrays, NUM_SMPL_JOINTS, np.zeros((0, 3)), num_betas, chunk_size)
