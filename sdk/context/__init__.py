"""What surrounds all code of flows: configuration, context, loggers, secrets, pickles."""
