"""Several providers of one channel: which of them sends the next message, and what is known of their health."""
