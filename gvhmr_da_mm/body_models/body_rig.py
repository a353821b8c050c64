"""Rigged mesh of a body model, for export to games and modelling programs."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .mesh_body import MeshBody

MAX_INFLUENCES = 4
"""Bones per vertex, the limit of most programs."""


@dataclass(frozen=True)
class BodyRig:
    """A mesh in the rest pose, bound to the joints.

    Note:
        V vertices, P joints, T triangles.

    Attributes:
        vertices (np.ndarray): (V, 3), m.
        normals (np.ndarray): Unit normals (V, 3).
        faces (np.ndarray): Triangles (T, 3), counter-clockwise as seen from outside.
        joints (np.ndarray): Rest joints (P, 3), m.
        bone_ids (np.ndarray): Joints that move each vertex (V, 4).
        weights (np.ndarray): Skinning weights of these joints (V, 4); rows sum to 1.
    """

    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    joints: np.ndarray
    bone_ids: np.ndarray
    weights: np.ndarray

    def pose(self, R_global: np.ndarray, joints: np.ndarray) -> np.ndarray:
        """Return the posed vertices (V, 3) of one frame, m.

        Args:
            R_global (np.ndarray): Global rotations of the joints (P, 3, 3).
            joints (np.ndarray): Positions of the joints (P, 3), m.
        """
        offset = joints - np.einsum('pij,pj->pi', R_global, self.joints)
        moved = np.einsum('vkij,vj->vki', R_global[self.bone_ids], self.vertices)
        return ((moved + offset[self.bone_ids]) * self.weights[..., None]).sum(axis=1)


@torch.no_grad()
def make_body_rig(body: MeshBody, betas: Tensor) -> BodyRig:
    """Bind a person's mesh to the posed joints.

    A rig has no pose blend shapes, so its mesh differs from the body model's by millimetres at bent
    joints. Joints with a fixed pose (hands, face) are part of the mesh.

    Args:
        body (MeshBody): The body model.
        betas (Tensor): Shape of the person (10,).
    """
    posed = body.num_posed
    vertices = body(torch.zeros(3 * (posed - 1)), betas).double().numpy()
    weights = body.weights[:, :posed].double().numpy().copy()
    for column, anchor in enumerate(body.anchors.tolist()):
        weights[:, anchor] += body.weights[:, posed + column].double().numpy()
    bone_ids = np.argsort(-weights, axis=1)[:, :MAX_INFLUENCES]
    weights = np.take_along_axis(weights, bone_ids, axis=1)
    bone_ids[weights == 0] = 0  # required by glTF
    faces = _outward(vertices, body.faces.numpy().astype(np.int64))
    return BodyRig(
        vertices=vertices,
        normals=_normals(vertices, faces),
        faces=faces,
        joints=body.skeleton(betas).double().numpy(),
        bone_ids=bone_ids,
        weights=weights / weights.sum(axis=1, keepdims=True),
    )


def _outward(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Reverse all triangles if the volume they enclose is negative."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return faces if (a * np.cross(b, c)).sum() >= 0 else faces[:, ::-1]


def _normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, faces[:, corner], np.cross(b - a, c - a))
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.where(lengths > 0, normals / np.maximum(lengths, 1e-30), [0.0, 1.0, 0.0])
