//! Policies from outside: texts in, decisions out.

mod asking;
mod defaults;
mod explaining;
mod facts;
mod files;
mod lines;
mod page;
