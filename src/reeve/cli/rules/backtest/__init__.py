"""`reeve rules backtest`: what has happened, run through other rules."""
