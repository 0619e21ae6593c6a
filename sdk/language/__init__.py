"""The language of flows: tasks, edges, parameters, branches, resources, and the flow itself."""
