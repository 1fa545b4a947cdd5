//! The scalar operations of int-v1.
