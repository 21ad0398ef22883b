//! Records written by schemas.
