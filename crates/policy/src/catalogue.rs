//! What is known of condition keys and actions.
