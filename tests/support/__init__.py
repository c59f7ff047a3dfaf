"""What several tests share: builders, suites, servers."""
