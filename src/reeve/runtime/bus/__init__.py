"""The bus: NATS JetStream, the transport and the alarm clock. Never the record."""
