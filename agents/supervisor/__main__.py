"""`python -m headwater.agents.supervisor DESCRIPTOR`: serve the agent whose socket this descriptor is."""

from headwater.agents.supervisor.program import main

if __name__ == "__main__":
    main()
