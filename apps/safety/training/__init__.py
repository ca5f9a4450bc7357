"""Everything needed to make the gate weights again from labelled text; never served."""
