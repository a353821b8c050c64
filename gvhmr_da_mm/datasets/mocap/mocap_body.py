"""Joints and outline of a body of any shape, for filming recorded motion."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Optional, Union

import numpy as np
import torch
from torch import Tensor

from ...body_models.body_conversion import fit_betas
from ...body_models.loading import GENDERS, BodyArrays, body_model_file, load_body_arrays
from ...core.conventions import PARENTS_22
from ...core.kinematics import forward_kinematics
from ...core.layout import NUM_BETAS, NUM_JOINTS
from ...fileio.paths import require_files

END_JOINTS = (7, 8, 10, 11, 15, 20, 21)
"""Ankles, feet, head and wrists: the box depends on the extent of the body beyond them."""
MODEL_OF_BODY = {'smplx': 'smplx', 'smplh': 'smpl'}
"""Model file with the rest skeleton of a recorded body; SMPL+H has that of SMPL."""
MAX_BETA = 3.0


class _Skeleton:
    """Rest joints (22, 3) that are linear in ten betas."""

    def __init__(self, terms: Tensor) -> None:
        self.terms = terms

    def skeleton(self, betas: Tensor) -> Tensor:
        """Return the rest joints (..., 22, 3) in metres of betas (..., 10)."""
        return _linear(self.terms, betas)


class MocapBody(_Skeleton):
    """Joints and outline of neutral SMPL-X, and a distribution of shapes.

    The outline is the joints and the outermost vertices of head, hands and feet, each moved rigidly
    with its bone: enough for a box, at a fraction of the cost of the mesh. It is small enough to
    be pickled to workers.

    Note:
        F frames, N points of the outline.

    Args:
        data_root (str | Path): Data root, with ``body_models``.
        model_path (str | Path, optional): Folder with the SMPL-X model files. Defaults to
            ``body_models/smplx``.
        recorded (Iterable[tuple[str, str]]): Body (``smplx`` or ``smplh``) and gender of each
            recording, whose rest skeletons its positions are relative to. Defaults to ().

    Attributes:
        missing (list[Path]): Model files of recorded genders that are absent; the neutral one
            replaces them.

    Raises:
        MissingFilesError: If a neutral model file is absent.
    """

    def __init__(
        self,
        data_root: Union[str, Path],
        model_path: Optional[Union[str, Path]] = None,
        recorded: Iterable[tuple[str, str]] = (),
    ) -> None:
        self._files = {
            gender: body_model_file('smplx', gender, data_root, model_path) for gender in GENDERS
        }
        require_files(dict([self._files['neutral']]), owner=type(self).__name__)
        neutral = _load(self._files['neutral'][0], 'smplx')
        super().__init__(neutral.joints)
        self.outline_terms, self.outline_joints = neutral.outline, neutral.outline_joints
        skeletons: dict[tuple[str, str], _Skeleton] = {('smplx', 'neutral'): self}
        for gender in GENDERS[1:]:
            if self._files[gender][0].exists():
                path = self._files[gender][0]
                skeletons['smplx', gender] = _Skeleton(_load(path, 'smplx').joints)
        self.shapes = [_to_neutral(skeletons[key], self) for key in skeletons]
        self.missing: list[Path] = []
        for body, gender in sorted(set(recorded) - set(skeletons)):
            kind = MODEL_OF_BODY[body]
            path, hint = body_model_file(
                kind, gender, data_root, model_path if kind == 'smplx' else None
            )
            if not path.exists():
                self.missing.append(path)
                path, hint = body_model_file(kind, 'neutral', data_root)
                if kind == 'smplx':
                    skeletons[body, gender] = self
                    continue
            require_files({path: hint}, owner=type(self).__name__)
            skeletons[body, gender] = _Skeleton(_load(path, kind).joints)
        self._skeletons = skeletons

    def recorded_skeleton(self, body: str, gender: str, betas: Tensor) -> Tensor:
        """Return the rest joints (22, 3) of the recorded person."""
        return self._skeletons[body, gender].skeleton(betas)

    def neutral_betas(self, skeleton: Tensor) -> Tensor:
        """Fit betas (10,) of the neutral body to the bones of a rest skeleton (22, 3)."""
        return fit_betas(skeleton, self)

    def draw_betas(self, rng: np.random.Generator) -> Tensor:
        """Draw a shape: a gender with a model file, and normally distributed betas.

        Returns:
            Tensor: Betas (10,) of the neutral body, which labels use.
        """
        mean, slope = self.shapes[int(rng.integers(len(self.shapes)))]
        own = torch.from_numpy(rng.standard_normal(NUM_BETAS).astype(np.float32))
        return mean + slope @ own.clamp(-MAX_BETA, MAX_BETA)

    def pose(self, R_local: Tensor, pelvis: Tensor, betas: Tensor) -> Tensor:
        """Return the outline in the world.

        Args:
            R_local (Tensor): Root and joint rotations (F, 22, 3, 3).
            pelvis (Tensor): Position of the pelvis (F, 3) in metres.
            betas (Tensor): Shape (10,).

        Returns:
            Tensor: Points (F, N, 3) in metres; the first 22 are the joints.
        """
        rest = self.skeleton(betas)
        R, joints = forward_kinematics(R_local, rest - rest[0], PARENTS_22)
        bones = _linear(self.outline_terms, betas) - rest[self.outline_joints]
        reach = (R[:, self.outline_joints] @ bones[..., None])[..., 0]
        points = torch.cat((joints, joints[:, self.outline_joints] + reach), dim=1)
        return points + pelvis[:, None]


def _linear(terms: Tensor, betas: Tensor) -> Tensor:
    return terms[..., 0] + (terms[..., 1:] * betas[..., None, None, :]).sum(dim=-1)


class _Points(NamedTuple):
    """Points of a body that are linear in ten betas: (N, 3, 11), the mean first."""

    joints: Tensor
    outline: Tensor
    outline_joints: Tensor


def _load(path: Path, kind: str) -> _Points:
    status = path.stat()
    return _load_cached(path, kind, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=16)
def _load_cached(path: Path, kind: str, modified_ns: int, size: int) -> _Points:
    """Read a model file, which takes seconds, and keep the points of the outline."""
    arrays = load_body_arrays(path, kind)
    shapes = np.concatenate(
        (arrays.v_template[:, :, None], arrays.shapedirs[:, :, :NUM_BETAS]), axis=2
    )
    joints = np.einsum('jv,vck->jck', arrays.J_regressor[:NUM_JOINTS], shapes)
    vertices, owners = _outline(arrays)
    outline = shapes[vertices]
    return _Points(*(torch.from_numpy(x).float() for x in (joints, outline)), owners)


def _outline(arrays: BodyArrays) -> tuple[np.ndarray, Tensor]:
    """Return the outermost vertices (N,) of the end joints, and their joints (N,)."""
    parents = np.array(arrays.parents)
    owner = arrays.weights.argmax(axis=1)
    while (owner >= NUM_JOINTS).any():  # Fingers, jaw and eyes belong to wrists and head.
        owner = np.where(owner >= NUM_JOINTS, parents[owner], owner)
    chosen: list[int] = []
    for joint in END_JOINTS:
        vertices = np.flatnonzero(owner == joint)
        points = arrays.v_template[vertices]
        ends = np.concatenate((points.argmin(axis=0), points.argmax(axis=0)))
        chosen += vertices[np.unique(ends)].tolist()
    return np.array(chosen), torch.from_numpy(owner[chosen])


def _to_neutral(gendered: _Skeleton, neutral: _Skeleton) -> tuple[Tensor, Tensor]:
    """Return the affine map from the betas of a gendered body to those of the neutral one."""
    if gendered is neutral:
        return torch.zeros(NUM_BETAS), torch.eye(NUM_BETAS)
    mean = fit_betas(gendered.skeleton(torch.zeros(NUM_BETAS)), neutral)
    columns = [fit_betas(gendered.skeleton(unit), neutral) - mean for unit in torch.eye(NUM_BETAS)]
    return mean, torch.stack(columns, dim=1)
