"""Tasks that come with Headwater."""
