"""How a log line looks in a terminal and in files: the same for the server, agents and flows."""

LINE_FORMAT = "[%(asctime)s] %(levelname)s - %(name)s | %(message)s"
TIME_FORMAT = "%Y-%m-%d %H:%M:%S%z"
