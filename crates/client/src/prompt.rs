//! Who is asked for user name and password.

use std::future::Future;
use std::pin::Pin;
use tagai_core::client::Credential;
use tagai_core::credential::{Password, PrepareError, Username};
use tagai_core::message::Reason;
use tagai_core::realm::{AuthRealm, Origin};
use zeroize::Zeroizing;

/// A future in a box.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a server wants to know.
///
/// The server has proven nothing yet: show the user the realm and the origin, and nothing else that it says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ask {
    /// The realm to log in to.
    pub realm: AuthRealm,
    /// The server that asks, from the URL.
    pub origin: Origin,
    /// Why it asks.
    pub reason: Reason,
    /// The only user name that the server accepts, if it says so (RFC 8053 §4.7).
    pub username_hint: Option<Username>,
    /// 1 for the first time in this request, at most [`MAX_ATTEMPTS`]. Above 1, the last credential was not accepted.
    pub attempt: u32,
    /// The resource is at hand without a login, and there may be more of it with one (RFC 8053 §3).
    pub optional: bool,
    /// It is the proxy of [`ClientBuilder::proxy`](crate::ClientBuilder::proxy) that asks, and not a server behind it.
    pub proxy: bool,
}

/// How often one request asks the user.
pub const MAX_ATTEMPTS: u32 = 3;

/// Somebody who can be asked for a credential: a person at a terminal, a keyring, a configuration.
pub trait Prompt: Send + Sync {
    /// Asks for a credential for one realm. `None` if there is none: the request then ends with
    /// [`Error::Login`](crate::Error::Login), or with the guest's view of an optional resource.
    fn ask(&self, ask: Ask) -> BoxFuture<'_, Option<Credential>>;
}

/// One user name and password from a configuration, for one server.
///
/// The password is kept, since a login may have to be renewed; each request tries it once. Servers of other origins do not
/// even learn the user's name.
pub struct FixedCredential {
    origin: Origin,
    user: Username,
    password: Zeroizing<String>,
    proxy: bool,
}

impl FixedCredential {
    /// A user name and a password for the realms of `origin`.
    ///
    /// # Errors
    /// [`PrepareError`] if one of them cannot be a user name or a password (RFC 8265).
    pub fn new(origin: Origin, user: &str, password: &str) -> Result<Self, PrepareError> {
        drop(Password::prepare(password)?);
        Ok(Self {
            origin,
            user: Username::prepare(user)?,
            password: Zeroizing::new(password.to_owned()),
            proxy: false,
        })
    }

    /// The same for a proxy, by its own origin; servers behind it do not get it.
    #[must_use]
    pub fn for_proxy(self) -> Self {
        Self { proxy: true, ..self }
    }
}

impl Prompt for FixedCredential {
    fn ask(&self, ask: Ask) -> BoxFuture<'_, Option<Credential>> {
        let wanted = ask.origin == self.origin && ask.proxy == self.proxy && ask.attempt == 1;
        let credential = wanted
            .then(|| Password::prepare(&self.password).ok())
            .flatten()
            .map(|password| Credential::password(self.user.clone(), password));
        Box::pin(std::future::ready(credential))
    }
}

/// Asks the first, and the second if that has none: one for a server and one for the proxy, for instance.
impl<A: Prompt, B: Prompt> Prompt for (A, B) {
    fn ask(&self, ask: Ask) -> BoxFuture<'_, Option<Credential>> {
        Box::pin(async move {
            match self.0.ask(ask.clone()).await {
                None => self.1.ask(ask).await,
                given => given,
            }
        })
    }
}

impl std::fmt::Debug for FixedCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FixedCredential")
            .field("origin", &self.origin)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}
