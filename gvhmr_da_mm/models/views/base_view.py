"""Interface of views: augmentations of network inputs with an exact inverse on predictions."""

from abc import ABCMeta, abstractmethod
from typing import Any, Optional

import torch
from torch import Tensor

from ...structures.motion import MotionPrediction
from .functional import Inputs


class BaseView(metaclass=ABCMeta):
    """An augmentation of a batch of clips with an exact inverse on predictions.

    For a perfect predictor ``invert(predict(apply(inputs)))`` equals ``predict(inputs)``. A view
    holds settings only; the random values of a batch are in the returned state. Register your own
    views with ``@TRANSFORMS.register_module()``.
    """

    @abstractmethod
    def apply(
        self, inputs: Inputs, generator: Optional[torch.Generator] = None
    ) -> tuple[Inputs, dict[str, Any]]:
        """Augment a batch.

        Args:
            inputs (dict[str, Tensor]): Network inputs with a batch dimension; see
                :func:`gvhmr_da_mm.structures.empty_inputs`. Never changed in place.
            generator (torch.Generator, optional): Source of randomness. Defaults to None, the
                global one.

        Returns:
            tuple[dict, dict]: New inputs with the same keys and shapes, and the state that
            :meth:`invert` needs.
        """

    def invert(
        self,
        prediction: MotionPrediction,
        state: dict[str, Any],
        inputs: Inputs,
        root_offset: Optional[Tensor] = None,
    ) -> MotionPrediction:
        """Express a prediction on the augmented inputs in the original camera and box.

        The default, for views that do not change camera, box and time, returns it unchanged.

        Args:
            prediction (MotionPrediction): Of the augmented inputs.
            state (dict): As :meth:`apply` returned it.
            inputs (dict[str, Tensor]): The inputs that were given to :meth:`apply`.
            root_offset (Tensor, optional): Rest position of the pelvis (B, L, 3) for the
                predicted betas, ``skeleton(betas)[..., 0, :]``. SMPL turns about the pelvis, not
                the origin, so views that turn the camera need it to be exact. Defaults to None:
                ``transl_c`` is taken for the pelvis.

        Returns:
            MotionPrediction: ``x`` is None if the motion was changed.
        """
        return prediction

    def __repr__(self) -> str:
        settings = ', '.join(f'{key}={value}' for key, value in vars(self).items())
        return f'{type(self).__name__}({settings})'
