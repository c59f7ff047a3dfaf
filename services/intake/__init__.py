"""Takes site systems' events by HTTP and NATS."""
