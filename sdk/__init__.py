"""The Python SDK: the language of flows, the engine that runs them, and the client that registers and starts them."""
