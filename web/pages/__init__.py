"""The pages: what each asks the views, and what it makes of the answers."""
