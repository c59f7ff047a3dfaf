"""What stands behind the ports: bus, store, matcher, settings, telemetry, time source."""
