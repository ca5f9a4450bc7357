"""What all adapters share: failures of any library become PredictionFailed, chained."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from apps.models_registry.contracts import (
    GenerationEnd,
    ModelAdapter,
    Prediction,
    TextRequest,
)
from apps.models_registry.errors import PredictionFailed


class GuardedAdapter(ModelAdapter):
    """Subclasses write ``_predict``, and ``_stream`` if they can; callers meet one kind
    of error."""

    def predict(self, batch: Sequence[TextRequest]) -> list[Prediction]:
        try:
            predictions = self._predict(batch)
        except PredictionFailed:
            raise
        except Exception as error:  # the adapter boundary: any library may fail
            raise self._failed(error) from error
        if len(predictions) != len(batch):
            raise PredictionFailed(
                f"The model {self.name} gave {len(predictions)} answers to "
                f"{len(batch)} texts."
            )
        return predictions

    def _predict(self, batch: Sequence[TextRequest]) -> list[Prediction]:
        raise NotImplementedError

    def stream(self, asked: TextRequest) -> Generator[str | GenerationEnd]:
        if not self.streams:
            yield from super().stream(asked)
            return
        try:
            yield from self._stream(asked)
        except PredictionFailed:
            raise
        except Exception as error:  # the adapter boundary: any library may fail
            raise self._failed(error) from error

    def _stream(self, asked: TextRequest) -> Generator[str | GenerationEnd]:
        raise NotImplementedError

    def _failed(self, error: Exception) -> PredictionFailed:
        return PredictionFailed(
            f"The model {self.name} could not answer: {type(error).__name__}."
        )
