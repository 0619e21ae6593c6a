"""The states of runs and task runs, and the signals by which a task's code chooses one."""
