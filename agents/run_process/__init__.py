"""The process of one attempt: `python -m headwater.agents.run_process`. It knows no agent, only the order that it was started with."""
