"""Providers as configuration: one YAML file each, read here; what sends stands in services/notify/channels."""
