"""Stand-in body models and support files, and their writer in the published formats."""

import pickle
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from scipy.sparse import csc_matrix, csr_matrix
from torch import Tensor

from gvhmr_da_mm.body_models.loading import NUM_SMPL_JOINTS, NUM_SMPLX_JOINTS
from gvhmr_da_mm.body_models.regressors import REGRESSOR_FILES
from gvhmr_da_mm.core.conventions import COCO_JOINT_NAMES, GENDERS, PARENTS_22, PARENTS_24
from gvhmr_da_mm.core.layout import NUM_SMPL_VERTS, NUM_VERTS

from .landmarks import (
    SMPL_VERTEX_IDS,
    SMPLX_VERTEX_IDS,
    face_landmarks,
    landmark_targets,
    order_vertices,
)
from .mannequin_mesh import NUM_BODY, MannequinMesh, farthest_points, load_mannequin, thin_mesh
from .regressors import joint_regressor, mesh_transfer
from .shape_space import (
    GENDER_FACTOR,
    GENDER_OFFSET,
    bend_directions,
    expression_directions,
    shape_directions,
)

NUM_SMPLX_VERTS = 10475
SMPLX_ORIGIN, SMPL_ORIGIN = (0.0, 0.12, 0.01), (0.0, -0.03, 0.0)
"""Origin of each body model in the mannequin; they differ, as those of the real ones."""
ROOT_PARENT = 2**32 - 1
JAW, FIRST_HAND_JOINT = 22, 25
LEFT_HAND, RIGHT_HAND = 22, 23
REGRESSOR_VERTS = 12
COCO_ENTRIES = 132
"""Non-zeros of (COCO regressor x mesh transfer) that the published code requires."""
RELAXED_FINGER = (0, 0, -0.3)


@dataclass
class ModelArrays:
    """Mesh and skeleton of a body model before gender.

    Note:
        Shape letters: V vertices, T faces, J joints.

    Args:
        template (ndarray): Rest vertices (V, 3).
        faces (ndarray): Shape (T, 3).
        weights (ndarray): Skin weights (V, J).
        shapedirs (ndarray): Shape (V, 3, 10).
        posedirs (ndarray): Shape (V, 3, 9 (J - 1)).
        regressor (csr_matrix): Shape (J, V).
        parents (tuple): Parent of each joint, -1 for the root.
        kept (ndarray): Their vertices in the mannequin (V,).
        extra (dict): Arrays of the model file that do not depend on gender.
    """

    template: np.ndarray
    faces: np.ndarray
    weights: np.ndarray
    shapedirs: np.ndarray
    posedirs: np.ndarray
    regressor: csr_matrix
    parents: tuple
    kept: np.ndarray
    extra: dict = field(default_factory=dict)

    def gendered(self, gender: str) -> tuple[np.ndarray, np.ndarray]:
        """Return template (V, 3) and shape directions (V, 3, 10) of a gender."""
        template = self.template + self.shapedirs @ GENDER_OFFSET[gender]
        return template, self.shapedirs * GENDER_FACTOR[gender]


class StandInBody:
    """Stand-ins for SMPL-X and SMPL, and the matrices between them.

    Attributes:
        smplx (ModelArrays): 10475 vertices, 55 joints.
        smpl (ModelArrays): 6890 vertices, 24 joints.
        smplx_to_smpl (csr_matrix): Shape (6890, 10475).
        coco17 (csr_matrix): Shape (17, 6890).
        threedpw14 (csr_matrix): Shape (14, 6890), LSP order.
        verts437 (ndarray): Sorted SMPL-X vertex ids (437,).
    """

    def __init__(self) -> None:
        mesh = load_mannequin()
        self.smplx = _smplx_arrays(mesh)
        self.smpl = _smpl_arrays(mesh)
        labels = mesh.weights.argmax(1)
        self.smplx_to_smpl = mesh_transfer(mesh.vertices, labels, self.smpl.kept, self.smplx.kept)
        self.coco17 = self._coco_regressor(mesh)
        self.threedpw14 = self._lsp_regressor(mesh)
        self.verts437 = np.sort(farthest_points(self.smplx.template, NUM_VERTS, 0))

    def _coco_regressor(self, mesh: MannequinMesh) -> csr_matrix:
        points, joints = mesh.vertices[self.smpl.kept], mesh.joints
        face = [SMPL_VERTEX_IDS[name] for name in COCO_JOINT_NAMES[:5]]
        centres = joints[[16, 17, 18, 19, 20, 21, 1, 2, 4, 5, 7, 8]].copy()
        # COCO annotators place hips a little above and outside the joint.
        centres[6:8] += [[0.012, 0.02, 0], [-0.012, 0.02, 0]]
        entries = np.diff(self.smplx_to_smpl.indptr)
        remaining = COCO_ENTRIES - entries[face].sum()
        counts = remaining // 12 + (np.arange(12) < remaining % 12)
        rows = joint_regressor(points, centres, counts, usable=entries == 1)
        picks = csr_matrix((np.ones(5), (np.arange(5), face)), shape=(5, len(points)))
        return csr_matrix(np.vstack((picks.toarray(), rows.toarray())))

    def _lsp_regressor(self, mesh: MannequinMesh) -> csr_matrix:
        joints = mesh.joints
        limbs = joints[[8, 5, 2, 1, 4, 7, 21, 19, 17, 16, 18, 20]]
        neck, top = joints[12] - [0, 0.01, 0], joints[15] + [0, 0.15, 0]
        centres = np.vstack((limbs, neck, top))
        points = mesh.vertices[self.smpl.kept]
        return joint_regressor(points, centres, 8, np.ones(len(points), dtype=bool))

    def support_files(self) -> dict[str, Tensor]:
        """Return the resource files of the published repository by name."""
        contents = {
            'smpl24': torch.from_numpy(self.smpl.regressor.toarray()).float(),
            'coco17': torch.from_numpy(self.coco17.toarray()).float(),
            '3dpw14': _to_torch_sparse(self.threedpw14),
            'smplx2smpl': _to_torch_sparse(self.smplx_to_smpl),
            'verts437': torch.from_numpy(self.verts437),
        }
        return {REGRESSOR_FILES[name]: content for name, content in contents.items()}


def _to_torch_sparse(matrix: csr_matrix) -> Tensor:
    coo = matrix.tocoo()
    index = torch.from_numpy(np.stack((coo.row, coo.col)).astype(np.int64))
    value = torch.from_numpy(coo.data.astype(np.float32))
    return torch.sparse_coo_tensor(index, value, coo.shape, check_invariants=True).coalesce()


def _body_weights(weights: np.ndarray) -> np.ndarray:
    """Add the finger weights of the mannequin (V, 54) to the wrists: (V, 22)."""
    body = weights[:, :NUM_BODY].copy()
    body[:, 20] += weights[:, 22] + weights[:, 24:39].sum(1)
    body[:, 21] += weights[:, 23] + weights[:, 39:54].sum(1)
    return body


def _largest(weights: np.ndarray, count: int) -> np.ndarray:
    """Keep each row's ``count`` largest weights and make them sum to 1."""
    smallest = np.argsort(-weights, axis=1, kind='stable')[:, count:]
    kept = weights.copy()
    np.put_along_axis(kept, smallest, 0, axis=1)
    return kept / kept.sum(1, keepdims=True)


def _ordered_mesh(mesh: MannequinMesh, count: int, start: int, ids: dict) -> tuple:
    kept, faces = thin_mesh(mesh, count, start)
    order = order_vertices(mesh.vertices[kept], ids, landmark_targets(mesh.joints))
    place = np.empty(count, dtype=np.int64)
    place[order] = np.arange(count)
    return kept[order], place[faces]


def _smplx_arrays(mesh: MannequinMesh) -> ModelArrays:
    kept, faces = _ordered_mesh(mesh, NUM_SMPLX_VERTS, 0, SMPLX_VERTEX_IDS)
    points, source = mesh.vertices[kept], mesh.weights[kept]
    body = _body_weights(source)
    source = _largest(source, 4)
    weights = np.zeros((len(kept), NUM_SMPLX_JOINTS))
    weights[:, :NUM_BODY] = source[:, :NUM_BODY]
    weights[:, FIRST_HAND_JOINT:] = source[:, 24:]
    chin = np.clip((0.40 - points[:, 1]) / 0.03, 0, 1) * np.clip((points[:, 2] - 0.01) / 0.03, 0, 1)
    jaw = chin * weights[:, 15]
    weights[:, JAW], weights[:, 15] = jaw, weights[:, 15] - jaw
    head = mesh.joints[15]
    face = head + [[0, -0.055, 0.02], [0.032, 0.035, 0.06], [-0.032, 0.035, 0.06]]
    centres = np.vstack((mesh.joints[:NUM_BODY], face, mesh.joints[24:]))
    hands = tuple(
        wrist if bone == 0 else FIRST_HAND_JOINT + 15 * hand + 3 * finger + bone - 1
        for hand, wrist in enumerate((20, 21))
        for finger in range(5)
        for bone in range(3)
    )
    bend = bend_directions(points, mesh.joints, NUM_SMPLX_JOINTS)
    curl = np.tile(RELAXED_FINGER, 15).astype(np.float32)
    mirrored = np.tile(np.multiply(RELAXED_FINGER, [1, -1, -1]), 15).astype(np.float32)
    identity = np.eye(45, dtype=np.float32)
    extra = {
        'hands_componentsl': identity,
        'hands_componentsr': identity,
        'hands_meanl': curl,
        'hands_meanr': mirrored,
        'hands_coeffsl': np.zeros((1, 45), np.float32),
        'hands_coeffsr': np.zeros((1, 45), np.float32),
        'vt': np.zeros((1, 2), np.float32),
        'ft': np.zeros(faces.shape, np.uint32),
        'expression': expression_directions(points, jaw),
        **face_landmarks(points, faces),
    }
    return ModelArrays(
        template=points - SMPLX_ORIGIN,
        faces=faces,
        weights=weights,
        shapedirs=shape_directions(points, body, mesh.joints),
        posedirs=bend,
        regressor=joint_regressor(
            points, centres, REGRESSOR_VERTS, np.ones(len(points), dtype=bool)
        ),
        parents=(*PARENTS_22, 15, 15, 15, *hands),
        kept=kept,
        extra=extra,
    )


def _smpl_arrays(mesh: MannequinMesh) -> ModelArrays:
    # Another start gives another mesh, so that the transfer between them is not trivial.
    start = len(mesh.vertices) // 3
    kept, faces = _ordered_mesh(mesh, NUM_SMPL_VERTS, start, SMPL_VERTEX_IDS)
    points, source = mesh.vertices[kept], mesh.weights[kept]
    weights = np.zeros((len(kept), NUM_SMPL_JOINTS))
    weights[:, :NUM_BODY] = source[:, :NUM_BODY]
    weights[:, LEFT_HAND] = source[:, 24:39].sum(1)
    weights[:, RIGHT_HAND] = source[:, 39:54].sum(1)
    centres = mesh.joints[:NUM_SMPL_JOINTS].copy()
    centres[LEFT_HAND:] += [[0.077, 0.003, -0.001], [-0.077, 0.003, -0.001]]
    return ModelArrays(
        template=points - SMPL_ORIGIN,
        faces=faces,
        weights=_largest(weights, 4),
        shapedirs=shape_directions(points, _body_weights(source), mesh.joints),
        posedirs=np.zeros((1,)),  # SMPL's are zero; the writer stores their shape only
        regressor=joint_regressor(
            points, centres, REGRESSOR_VERTS, np.ones(len(points), dtype=bool)
        ),
        parents=PARENTS_24,
        kept=kept,
    )


class _ZeroArray:
    """Array of zeros that is pickled as a call of ``numpy.zeros``, which takes no space."""

    def __init__(self, *shape: int) -> None:
        self.shape = shape

    def __reduce__(self) -> tuple:
        return np.zeros, (self.shape, 'float32')


def _kintree(parents: tuple) -> np.ndarray:
    first = [ROOT_PARENT if parent < 0 else parent for parent in parents]
    return np.array([first, range(len(parents))], dtype=np.uint32)


def _write_smplx(model: ModelArrays, gender: str, path: Path) -> None:
    template, shapedirs = model.gendered(gender)
    extra = dict(model.extra)
    shapedirs = np.concatenate((shapedirs, extra.pop('expression')), axis=-1)
    np.savez_compressed(
        path,
        v_template=template.astype(np.float32),
        f=model.faces.astype(np.uint32),
        shapedirs=shapedirs.astype(np.float32),
        posedirs=model.posedirs.astype(np.float32),
        J_regressor=model.regressor.toarray().astype(np.float32),
        kintree_table=_kintree(model.parents),
        weights=model.weights.astype(np.float32),
        **extra,
    )


def _write_smpl(model: ModelArrays, gender: str, path: Path) -> None:
    template, shapedirs = model.gendered(gender)
    content = {
        'v_template': template.astype(np.float32),
        'f': model.faces.astype(np.uint32),
        'shapedirs': shapedirs.astype(np.float16),
        'posedirs': _ZeroArray(len(template), 3, 9 * (len(model.parents) - 1)),
        'J_regressor': csc_matrix(model.regressor),
        'weights': model.weights.astype(np.float32),
        'kintree_table': _kintree(model.parents),
        'J': (model.regressor @ template).astype(np.float32),
        'bs_style': 'lbs',
        'bs_type': 'lrotmin',
    }
    with open(path, 'wb') as file:
        pickle.dump(content, file, protocol=3)


def write_body_models(body: StandInBody, root: Path) -> None:
    """Write ``body_models/{smplx,smpl}`` and ``support`` below ``root``."""
    smplx, smpl, support = root / 'body_models/smplx', root / 'body_models/smpl', root / 'support'
    for folder in (smplx, smpl, support):
        folder.mkdir(parents=True, exist_ok=True)
    for gender in GENDERS:
        _write_smplx(body.smplx, gender, smplx / f'SMPLX_{gender.upper()}.npz')
        _write_smpl(body.smpl, gender, smpl / f'SMPL_{gender.upper()}.pkl')
    for name, content in body.support_files().items():
        torch.save(content, support / name)
