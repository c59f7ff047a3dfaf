"""The record: MongoDB, one module per collection."""
