//! Requests and answers of one tenant, as the broker and the client see them.
