"""What people answer by SMS and mail: read, held against what awaits an answer, and turned into events."""
