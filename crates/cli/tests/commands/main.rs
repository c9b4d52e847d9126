//! The program itself: what it does, what it prints, and the code that it exits with.

mod ca;
mod denials;
mod documents;
mod explain;
mod import;
mod init;
mod invitations;
mod key;
mod keys;
mod principals;
mod support;
mod users;
