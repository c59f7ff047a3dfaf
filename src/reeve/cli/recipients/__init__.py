"""`reeve recipients`: the people who are told, in files and in the record."""
