"""One module per channel: each puts a text in front of a person and says honestly whether it got there."""
