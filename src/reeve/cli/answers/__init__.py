"""`reeve answers`: what people replied."""
