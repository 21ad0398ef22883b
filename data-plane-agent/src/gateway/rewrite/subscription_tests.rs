//! Names inside the consumer protocol's metadata.
