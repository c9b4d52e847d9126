//! A body that is made for the very request that proves the user.

use super::Body;
use std::fmt;
use std::sync::Arc;
use tagai_core::client::Sequence;
use tagai_core::kam3::Binding;
use zeroize::Zeroizing;

type Make = dyn Fn(&Binding) -> Body + Send + Sync;

/// What a request's body is bound by, and how it is made then.
#[derive(Clone)]
pub(crate) struct Bound {
    t: Zeroizing<Vec<u8>>,
    make: Arc<Make>,
}

impl Bound {
    pub(crate) fn new(t: Vec<u8>, make: impl Fn(&Binding) -> Body + Send + Sync + 'static) -> Self {
        Self { t: Zeroizing::new(t), make: Arc::new(make) }
    }

    /// The body for the request in hand, if that proves the user.
    pub(crate) fn body(&self, sequence: &mut Sequence) -> Option<Body> {
        sequence.b_2(&self.t).map(|binding| (self.make)(&binding))
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bound")
    }
}
