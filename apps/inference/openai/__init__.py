"""The API that programs written for OpenAI speak: the same gated path, under /v1."""
