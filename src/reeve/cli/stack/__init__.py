"""`reeve up`, `reeve run` and `reeve bench`: the processes that Reeve is, started and measured."""
