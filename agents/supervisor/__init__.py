"""The process beside an agent that speaks to the log for the processes of its runs: they have no connection of their own."""
