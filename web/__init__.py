"""The web: pages and GraphQL, rendered from the views and kept up to date from the log."""
