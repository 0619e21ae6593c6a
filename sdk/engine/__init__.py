"""The engine: states, signals, and how a flow's tasks are run."""
