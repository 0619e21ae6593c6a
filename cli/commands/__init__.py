"""One module for each command: what it takes, and what it prints. They are imported when they are called."""
