"""The public security page: its claims and the evidence behind them."""
