//! Disagreements that were found once.
