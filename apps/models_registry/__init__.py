"""Models, versions, artifacts, adapters, training manifests and runs, promotion."""
