"""Other people's models and ours, measured on the same clips."""
