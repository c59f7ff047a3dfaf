"""`reeve demo`: a morning at a site, played to a running Reeve."""
