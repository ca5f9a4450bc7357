"""Request, gates, model, gates, response. Nothing returns ungated."""
