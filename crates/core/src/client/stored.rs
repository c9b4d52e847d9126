//! Sessions of a client outside of it: for programs that run once for each request.
//!
//! Neither a password nor `pi` is in them. When a session is over, the user has to be asked again.

use super::account::{Account, Kept, Server};
use super::cache::Client;
use super::states::ClientSession;
use super::work::Known;
use crate::algorithm::Algorithm;
use crate::credential::Username;
use crate::kam3::SessionKey;
use crate::message::{Sid, Terms};
use crate::realm::{AuthRealm, AuthScope, Origin, Paths, RealmName, ScopeError};
use crate::stored::{Reader, Writer};
use crate::time::Time;
use crate::validation::HostValidation;
use alloc::string::ToString as _;
use alloc::sync::Arc;
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// One session of one user with one server.
///
/// Of all copies of a session, only one may make a proof with each nonce number: a server takes the second for a replay, and ends
/// the session. So whoever shares a session takes numbers out of the stored one with [`StoredSession::lease`], stores it back
/// before anyone else sees it, and uses the lease alone.
#[derive(Debug)]
pub struct StoredSession {
    server: Origin,
    user: Username,
    terms: Terms,
    paths: Option<Paths>,
    sid: Sid,
    key: SessionKey,
    vh: HostValidation,
    expires: Time,
    next_nc: u32,
    nc_max: u32,
}

impl StoredSession {
    /// The server.
    #[must_use]
    pub const fn server(&self) -> &Origin {
        &self.server
    }

    /// The user.
    #[must_use]
    pub const fn user(&self) -> &Username {
        &self.user
    }

    /// The realm.
    #[must_use]
    pub fn realm(&self) -> AuthRealm {
        self.terms.auth_realm(&self.server)
    }

    /// When it stops to be usable.
    #[must_use]
    pub const fn expires(&self) -> Time {
        self.expires
    }

    /// Whether both are copies of one session, whatever numbers they have.
    #[must_use]
    pub fn is_same_session(&self, other: &Self) -> bool {
        self.server == other.server && self.terms == other.terms && self.sid == other.sid
    }

    /// Takes up to `count` nonce numbers away, for a copy of the session that may use these and no others. `None` if there is none
    /// left.
    pub fn lease(&mut self, count: u32) -> Option<Self> {
        if count == 0 || self.next_nc > self.nc_max {
            return None;
        }
        let last = self.next_nc.saturating_add(count - 1).min(self.nc_max);
        let lease = Self { next_nc: self.next_nc, nc_max: last, ..self.copy()? };
        self.next_nc = last.saturating_add(1);
        if last == u32::MAX {
            // There is no number behind it: the session has none left.
            (self.next_nc, self.nc_max) = (1, 0);
        }
        Some(lease)
    }

    fn copy(&self) -> Option<Self> {
        let Self { server, user, terms, paths, sid, key, vh, expires, next_nc, nc_max } = self;
        Some(Self {
            server: server.clone(),
            user: user.clone(),
            terms: terms.clone(),
            paths: paths.clone(),
            sid: sid.clone(),
            key: SessionKey::from_octets(key.algorithm(), key.expose_octets())?,
            vh: vh.clone(),
            expires: *expires,
            next_nc: *next_nc,
            nc_max: *nc_max,
        })
    }

    /// The session in octets, to be read by [`StoredSession::from_octets`]. Secret: whoever has them can act as the user at this
    /// server while the session lives, and pose as the server in it.
    #[must_use]
    pub fn expose_octets(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Writer::new();
        out.text(&self.server.to_string());
        out.text(self.user.as_str());
        out.text(self.terms.algorithm.as_str());
        out.validation(self.terms.validation);
        out.optional(self.terms.auth_scope.as_ref().map(AuthScope::to_string).as_deref());
        out.text(self.terms.realm.as_str());
        out.optional(self.paths.as_ref().map(Paths::to_string).as_deref());
        out.octets(self.sid.octets());
        out.octets(self.key.expose_octets());
        out.validation(self.vh.method());
        out.octets(self.vh.as_bytes());
        out.duration(self.expires.since_epoch());
        out.number(self.next_nc.into());
        out.number(self.nc_max.into());
        out.finish()
    }

    /// Reads what [`StoredSession::expose_octets`] gave. `None` if it is something else.
    #[must_use]
    pub fn from_octets(octets: &[u8]) -> Option<Self> {
        let mut parts = Reader::new(octets)?;
        let server = Origin::parse(parts.text()?).ok()?;
        let user = Username::prepared(parts.text()?).ok()?;
        let algorithm = parts.text()?;
        let algorithm = Algorithm::ALL.into_iter().find(|known| known.as_str() == algorithm)?;
        let terms = Terms {
            algorithm,
            validation: parts.validation()?,
            auth_scope: parts.optional()?.map(|scope| AuthScope::parse(&scope)).transpose().ok()?,
            realm: RealmName::new(parts.text()?).ok()?,
        };
        let paths = parts.optional()?.map(|paths| Paths::parse(&paths));
        let sid = Sid::from_octets(parts.octets()?)?;
        let key = SessionKey::from_octets(algorithm, parts.octets()?)?;
        let method = parts.validation()?;
        let vh = HostValidation::from_stored(method, parts.octets()?);
        let expires = Time::at(parts.duration()?);
        let next_nc = u32::try_from(parts.number()?).ok()?;
        let nc_max = u32::try_from(parts.number()?).ok()?;
        parts.end()?;
        let read = Self { server, user, terms, paths, sid, key, vh, expires, next_nc, nc_max };
        // What says the same in other words was not written here.
        (read.expose_octets().as_slice() == octets).then_some(read)
    }
}

impl Client {
    /// The sessions that may serve more requests after `now`, to be stored. They stay in use here as well; a client that goes on
    /// after this must not share numbers with whoever reads them.
    #[must_use]
    pub fn sessions(&self, now: Time) -> Vec<StoredSession> {
        let accounts = self.accounts.values();
        let servers = accounts.flat_map(|account| account.servers.iter().map(move |server| (account, server)));
        servers
            .filter_map(|(account, (origin, server))| {
                let kept = server.session.as_ref().filter(|kept| kept.session.is_open(now))?;
                let session = &kept.session;
                let (next_nc, nc_max) = session.numbers();
                StoredSession {
                    server: origin.clone(),
                    user: account.known.user.clone(),
                    terms: session.terms.clone(),
                    paths: server.paths.clone(),
                    sid: session.sid.clone(),
                    // Only to be copied: the key itself stays where it is.
                    key: SessionKey::from_octets(session.key.algorithm(), session.key.expose_octets())?,
                    vh: kept.vh.clone(),
                    expires: session.expires,
                    next_nc,
                    nc_max,
                }
                .into()
            })
            .collect()
    }

    /// Goes on with a session that was stored, or leased: see [`StoredSession`].
    ///
    /// The client has no password for it. When the server does not know the session any more, the user is asked.
    ///
    /// # Errors
    /// [`ScopeError`] if the realm's scope is one that the server has no right to.
    pub fn restore(&mut self, stored: StoredSession) -> Result<(), ScopeError> {
        let realm = stored.realm();
        self.check_scope(&realm.auth_scope, &stored.server)?;
        let StoredSession { server, user, terms, paths, sid, key, vh, expires, next_nc, nc_max } = stored;
        let paths = paths.map(|paths| paths.within(&realm.auth_scope, &server));
        let session =
            ClientSession::stored(terms.clone(), realm.clone(), sid, key, expires, paths.clone(), next_nc, nc_max);
        let account = match self.accounts.remove(&realm) {
            // One user a realm: a login that is at hand is not mixed with one of somebody else.
            Some(account) if account.known.user == user => account,
            _ => Account::new(Known::without_pi(user)),
        };
        let account = self.accounts.entry(realm).or_insert(account);
        account.add_server(server, Server { terms, paths, session: Some(Kept { session: Arc::new(session), vh }) });
        Ok(())
    }
}
