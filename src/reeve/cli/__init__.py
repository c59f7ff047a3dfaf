"""The `reeve` command: a package for what a person types, and beside them what all commands share.

`main.py` says which module runs which command. Where a package is one command, its `command.py` reads the
command line; where it holds several, each has the module named like it.
"""
