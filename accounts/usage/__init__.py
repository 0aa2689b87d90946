"""A client's usage: counts per day, the monthly quota, the chart of both."""
