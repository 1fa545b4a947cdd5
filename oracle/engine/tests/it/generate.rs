//! Generation: the cache's accounts, what is scheduled, whole answers, texts and requests.

mod answers;
mod cache;
mod callers;
mod chat;
mod hostile_templates;
mod memory;
mod requests;
mod schedule;
mod support;
mod text;
