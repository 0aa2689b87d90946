"""The documentation of the API: the OpenAPI document, and the page for people made of it."""
