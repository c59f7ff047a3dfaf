"""The `reeve` command, one module per group."""
