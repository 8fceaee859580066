"""PostgreSQL as the store of a project: many customers, any number of workers."""
