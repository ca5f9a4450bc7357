"""What every app shares: errors, digests, actors, plug-ins, settings readers. No tables of its own."""
