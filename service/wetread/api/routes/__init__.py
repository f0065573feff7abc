"""Routes of the API, one module a noun. Each makes its own router."""
