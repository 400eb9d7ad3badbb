"""Engines that aggregate rows to customers: DuckDB in this process, or Spark."""
