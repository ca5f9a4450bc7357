"""The Open Inference Protocol, version 2: a translation in front of the gated path."""
