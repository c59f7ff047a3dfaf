"""People and systems that can be told: what is known of them, which roles they hold when and where, how to reach
them. `reeve.domain.recipients.resolve` puts it together."""
