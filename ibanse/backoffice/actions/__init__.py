"""What staff can do: one module per noun with URL, words and form of each action."""
