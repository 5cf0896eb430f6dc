//! JSON with positions.
