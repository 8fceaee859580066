"""Review and plan on a Dask cluster: the executor ``dask`` of relationship-core."""
