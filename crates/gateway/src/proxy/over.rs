//! What ends something that was let through, and goes on.

use crate::proof::Refusal;
use std::pin::Pin;
use std::time::Duration;

/// Comes to its end when what goes on has to end: a body is broken off, a tunnel closed.
pub type Over = Pin<Box<dyn Future<Output = Cut> + Send>>;

/// Why something is ended that was let through.
#[derive(Debug, Clone)]
pub struct Cut {
    /// Why, by what holds now.
    pub refusal: Refusal,
    /// The id under which it is written down.
    pub id: String,
}

/// For how long nobody asks whether something may go on.
pub(crate) const ROUND: Duration = Duration::from_secs(1);
