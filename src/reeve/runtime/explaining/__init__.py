"""Why a case went as it did, from the stored decisions, the rules they were made by, and the deliveries."""
