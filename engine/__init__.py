"""The price-time matching engine."""
