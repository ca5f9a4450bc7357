"""Finds identifiers of people in text: kinds, places and how sure each find is."""
