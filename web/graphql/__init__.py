"""GraphQL over the views and the operations: the names and shapes that Prefect 1's users know."""
