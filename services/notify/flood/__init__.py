"""Nobody is flooded: what `reeve.domain.flood` decides, with the record around it."""
