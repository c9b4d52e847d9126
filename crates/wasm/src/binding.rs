//! [`Engine`] for JavaScript. Answers of many parts are JSON; errors are thrown as JSON, with `name` and `message`.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::input::{Head, Typed};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use serde::Serialize;
use std::time::Duration;
use tagai_core::time::Time;
use wasm_bindgen::prelude::wasm_bindgen;
use zeroize::Zeroizing;

/// The engine of a worker. `now` is in milliseconds, and must not go backwards.
#[wasm_bindgen(js_name = Engine)]
#[derive(Debug, Default)]
pub struct JsEngine(Engine);

fn time(now: f64) -> Result<Time, EngineError> {
    Duration::try_from_secs_f64(now / 1000.0).map(Time::at).map_err(|_| EngineError::Argument("the time"))
}

fn json<T: Serialize>(answer: Result<T, EngineError>) -> Result<String, String> {
    let answer = answer.map_err(|error| error.to_json())?;
    serde_json::to_string(&answer).map_err(|_| EngineError::Argument("the answer").to_json())
}

fn plain<T>(answer: Result<T, EngineError>) -> Result<T, String> {
    answer.map_err(|error| error.to_json())
}

/// What JavaScript copied in here is wiped here.
fn typed(user: String, password: Vec<u8>) -> Typed {
    Typed { user, password: Zeroizing::new(password) }
}

/// A generator that fails is a trap: without randomness there is nothing to be done.
const RNG: UnwrapErr<SysRng> = UnwrapErr(SysRng);

#[wasm_bindgen(js_class = Engine)]
#[expect(missing_docs, reason = "each is the method of Engine with its name")]
#[expect(clippy::missing_errors_doc, reason = "as the method of Engine")]
impl JsEngine {
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub fn begin(&mut self, context: &str, origin: &str, path: &str, now: f64) -> Result<String, String> {
        json(time(now).and_then(|now| self.0.begin(context, origin, path, now, &mut { RNG })))
    }

    #[wasm_bindgen(js_name = beginAs)]
    #[expect(clippy::too_many_arguments, reason = "across the boundary everything is by itself")]
    pub fn begin_as(
        &mut self,
        context: &str,
        origin: &str,
        path: &str,
        name: &str,
        scope: &str,
        algorithm: &str,
        user: String,
        password: Vec<u8>,
        now: f64,
    ) -> Result<String, String> {
        let (realm, typed) = ((name, scope, algorithm), typed(user, password));
        json(time(now).and_then(|now| self.0.begin_as(context, origin, path, realm, &typed, now, &mut { RNG })))
    }

    pub fn field(&mut self, sequence: u32) -> Result<Option<String>, String> {
        plain(self.0.field(sequence))
    }

    pub fn bind(&mut self, sequence: u32, t: &[u8]) -> Result<String, String> {
        plain(self.0.bind(sequence, t))
    }

    pub fn receive(
        &mut self,
        sequence: u32,
        status: u16,
        fields: &str,
        certificate: Option<Vec<u8>>,
        now: f64,
    ) -> Result<String, String> {
        let head = Head::from_json(status, fields, certificate);
        json(head.and_then(|head| self.0.receive(sequence, &head, time(now)?, &mut { RNG })))
    }

    pub fn supply(&mut self, ask: u32, user: String, password: Vec<u8>) -> Result<String, String> {
        json(self.0.supply(ask, &typed(user, password), &mut { RNG }))
    }

    #[expect(clippy::too_many_arguments, reason = "across the boundary everything is by itself")]
    pub fn remember(
        &mut self,
        context: &str,
        origin: &str,
        name: &str,
        scope: &str,
        algorithm: &str,
        user: String,
        password: Vec<u8>,
    ) -> Result<(), String> {
        plain(self.0.remember(context, origin, (name, scope, algorithm), &typed(user, password)))
    }

    pub fn drop(&mut self, id: u32) {
        self.0.drop(id);
    }

    pub fn logins(&self, context: &str) -> Result<String, String> {
        json(Ok(self.0.logins(context)))
    }

    pub fn expects(&mut self, context: &str, origin: &str, path: &str, now: f64) -> Result<String, String> {
        json(time(now).and_then(|now| self.0.expects(context, origin, path, now)))
    }

    pub fn logout(&mut self, context: &str, name: &str, scope: &str, algorithm: &str) -> Result<bool, String> {
        plain(self.0.logout(context, (name, scope, algorithm)))
    }

    #[wasm_bindgen(js_name = logoutAll)]
    pub fn logout_all(&mut self, context: &str) {
        self.0.logout_all(context);
    }

    #[wasm_bindgen(js_name = untilExpiry)]
    pub fn until_expiry(&self, context: &str, now: f64) -> Result<Option<u32>, String> {
        plain(time(now).map(|now| self.0.until_expiry(context, now)))
    }

    pub fn expire(&mut self, context: &str, now: f64) -> Result<String, String> {
        json(time(now).map(|now| self.0.expire(context, now)))
    }

    pub fn verifier(
        &self,
        name: &str,
        scope: &str,
        algorithm: &str,
        user: String,
        password: Vec<u8>,
    ) -> Result<String, String> {
        plain(self.0.verifier((name, scope, algorithm), &typed(user, password)))
    }
}
