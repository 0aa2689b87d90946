"""How much a client has used: counts per day, the monthly quota, the chart of both."""
