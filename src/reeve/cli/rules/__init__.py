"""`reeve rules`: a folder of rules checked, tried, compared with what happened, and made the active one."""
