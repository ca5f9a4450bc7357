"""What every app shares: errors, digests, actors, plug-ins. No tables of its own."""
