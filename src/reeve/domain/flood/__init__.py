"""Nobody is flooded: which messages wait for each other, for a digest, for another day, and which are hidden.

Pure: state and `now` are passed in. The two worst grades (rank 0 and 1) are never touched but by a silence that
says so.
"""
