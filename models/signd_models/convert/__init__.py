"""Other people's models turned into ones that signd runs."""
