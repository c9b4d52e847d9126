//! Sessions outside of memory: for stores that outlive the process or are shared by several.

use super::nc_window::NcWindow;
use super::receive::Server;
use super::reply::Fault;
use super::session::{Phase, Session};
use crate::credential::Username;
use crate::kam3::SessionKey;
use crate::message::{Role, Sid};
use crate::stored::{Reader, Writer};
use crate::time::Time;
use alloc::string::ToString as _;
use alloc::sync::Arc;
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// What a session is stored with, so that it comes back on the server and in the realm it was made for, and nowhere else.
fn place(server: &Server) -> [Vec<u8>; 5] {
    let config = server.config();
    let realm = &config.realm;
    let role = match config.role {
        Role::OriginServer => "origin server",
        Role::Proxy => "proxy",
    };
    [
        config.origin.with_port().to_string(),
        role.into(),
        realm.algorithm.as_str().into(),
        realm.auth_scope.to_string(),
        realm.name.as_str().into(),
    ]
    .map(alloc::string::String::into_bytes)
}

impl Session {
    /// The session in octets, to be read by [`Server::session_from_octets`]. Secret: whoever has them can take over the session
    /// while it lives, and pose as the server in it. A store seals them.
    #[must_use]
    pub fn expose_octets(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Writer::new();
        for part in place(&Server(Arc::clone(&self.shared))) {
            out.octets(&part);
        }
        out.octets(self.sid.octets());
        out.optional(self.user.as_ref().map(Username::as_str));
        out.number(match self.fake {
            None => 0,
            Some(Fault::Verifier) => 2,
            Some(_) => 1,
        });
        out.validation(self.validation);
        out.duration(self.expires.since_epoch());
        match &self.phase {
            Phase::KeyExchanging(key) => {
                out.number(0);
                out.octets(key.expose_octets());
            }
            Phase::Authenticated(key, window) => {
                out.number(1);
                out.octets(key.expose_octets());
                window.write(&mut out);
            }
            Phase::Rejected => out.number(2),
            Phase::Inactive => out.number(3),
        }
        out.finish()
    }
}

impl Server {
    /// Reads what [`Session::expose_octets`] gave. `None` if the octets are of a session of another server or realm, or are no
    /// session at all; the session is then unknown.
    #[must_use]
    pub fn session_from_octets(&self, octets: &[u8]) -> Option<Session> {
        let mut parts = Reader::new(octets)?;
        for expected in place(self) {
            if parts.octets()? != expected {
                return None;
            }
        }
        let sid = Sid::from_octets(parts.octets()?)?;
        let user = parts.optional()?.map(Username::prepared).transpose().ok()?;
        let fake = match parts.number()? {
            0 => None,
            1 => Some(Fault::UnknownUser),
            2 => Some(Fault::Verifier),
            _ => return None,
        };
        let validation = parts.validation()?;
        let expires = Time::at(parts.duration()?);
        let algorithm = self.config().realm.algorithm;
        let phase = match parts.number()? {
            0 => Phase::KeyExchanging(SessionKey::from_octets(algorithm, parts.octets()?)?),
            1 => {
                let key = SessionKey::from_octets(algorithm, parts.octets()?)?;
                Phase::Authenticated(key, NcWindow::read(&mut parts)?)
            }
            2 => Phase::Rejected,
            3 => Phase::Inactive,
            _ => return None,
        };
        parts.end()?;
        Some(Session { shared: Arc::clone(&self.0), sid, user, fake, validation, expires, phase })
    }
}
