"""The engine: how a flow's tasks are run, in which order, and what comes of each."""
