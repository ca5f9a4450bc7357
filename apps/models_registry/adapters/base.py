"""What all adapters share: failures of any library become PredictionFailed, chained."""

from __future__ import annotations

from collections.abc import Sequence

from apps.models_registry.contracts import ModelAdapter, Prediction, TextRequest
from apps.models_registry.errors import PredictionFailed


class GuardedAdapter(ModelAdapter):
    """Subclasses write ``_predict``; callers meet one kind of error."""

    def predict(self, batch: Sequence[TextRequest]) -> list[Prediction]:
        try:
            predictions = self._predict(batch)
        except PredictionFailed:
            raise
        except Exception as error:  # the adapter boundary: any library may fail
            raise PredictionFailed(
                f"The model {self.name} could not answer: {type(error).__name__}."
            ) from error
        if len(predictions) != len(batch):
            raise PredictionFailed(
                f"The model {self.name} gave {len(predictions)} answers to "
                f"{len(batch)} texts."
            )
        return predictions

    def _predict(self, batch: Sequence[TextRequest]) -> list[Prediction]:
        raise NotImplementedError
